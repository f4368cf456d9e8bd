"""Packages of this tree: their bytes, sizes and what is in them."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from scripts.openwrt.build import EXTENSION, SITE, Made, build
from scripts.openwrt.headers import find_python
from scripts.openwrt.targets import TARGETS
from tests.scripts.openwrt.unpacked import Unpacked

ROOT = Path(__file__).resolve().parents[3]
PYTHON = find_python("/usr/bin/python3")
EPOCH = 1_750_000_000

#: What readelf says of each target's code: its header, and what the calling convention is.
ELF = {
    "mips_24kc": ("ELF32", "big endian", "MIPS R3000", "FP ABI: Soft float"),
    "mipsel_24kc": ("ELF32", "little endian", "MIPS R3000", "FP ABI: Soft float"),
    "arm_cortex-a7": ("ELF32", "little endian", "ARM", "Version5 EABI"),
    "aarch64_cortex-a53": ("ELF64", "little endian", "AArch64", "0x0"),
    "x86_64": ("ELF64", "little endian", "X86-64", "0x0"),
}

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed"
    ),
    pytest.mark.skipif(
        not (ROOT / "openwrt-package/hdr-lite/Makefile").exists(), reason="the feed is not there"
    ),
]


def made(target: str, folder: Path) -> Made:
    """hdr-lite for a target, made with no trace of an earlier one but the compiler's cache."""
    (folder / "work").mkdir(parents=True)
    packages = build(ROOT, TARGETS[target], PYTHON, EPOCH, folder / "work", folder / "out")
    (path,) = (
        p for p in packages if p.path.name.startswith("hdr-lite_") and p.path.suffix == ".ipk"
    )
    return path


def check_package(package: Made, target: str, folder: Path) -> None:
    """What must hold of every target's package."""
    print(f"{target}: {package.compressed} bytes, {package.installed} installed")
    assert package.compressed < 600_000
    assert package.installed < 2_000_000
    seen = Unpacked(package.path)
    names = [name for name, (info, _) in seen.data.items() if info.isfile()]
    assert not [name for name in names if re.search(r"\.(py|c|h)$", name)]
    control = seen.control["./control"][1].decode()
    assert f"Architecture: {target}\n" in control
    extension = folder / "_native.so"
    extension.write_bytes(seen.data[f"./{SITE.format(PYTHON.version)}/{EXTENSION}"][1])
    command = ["readelf", "-h", "-d", "-A", "-W", str(extension)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for words in ELF[target]:
        assert words in text
    assert re.findall(r"\(NEEDED\).*\[(.*)\]", text) == ["libpcap.so.1", "libc.so"]
    if target == "arm_cortex-a7":
        assert "Tag_ABI_VFP_args" not in text  # passes floats as a machine without the unit does
    assert "hard-float ABI" not in text


def test_one_target_twice(tmp_path: Path) -> None:
    """A big-endian package is small, for its machine, and the same when made again."""
    first = made("mips_24kc", tmp_path / "a")
    check_package(first, "mips_24kc", tmp_path)
    assert made("mips_24kc", tmp_path / "b").path.read_bytes() == first.path.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(TARGETS.keys() - {"mips_24kc"}))
def test_every_target(target: str, tmp_path: Path) -> None:
    """The others likewise."""
    package = made(target, tmp_path / "a")
    check_package(package, target, tmp_path)


def test_byte_code_runs(tmp_path: Path) -> None:
    """The package's own byte code is what its version of Python imports, modules and all."""
    package = made("x86_64", tmp_path)
    for name, (info, content) in Unpacked(package.path).data.items():
        if info.isfile():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
    site = tmp_path / SITE.format(PYTHON.version)
    code = (
        f"import sys, pkgutil; sys.path.insert(0, {str(site)!r});"
        "import hdr_lite, hdr_lite.modules as m;"
        "print(hdr_lite.__file__, len(list(pkgutil.iter_modules(m.__path__))))"
    )
    done = subprocess.run(
        [PYTHON.program, "-I", "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    file, count = done.stdout.split()
    assert file == str(site / "hdr_lite/__init__.pyc")
    folders = [p for p in (ROOT / "hdr_lite/modules").iterdir() if (p / "__init__.py").exists()]
    assert int(count) == len(folders)
