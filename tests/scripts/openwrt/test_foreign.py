"""The program on other machines: what the package's code does under an emulated processor."""

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.openwrt.build import SITE, lay_out
from scripts.openwrt.headers import find_python
from scripts.openwrt.targets import Target
from scripts.openwrt.tree import compile_all
from tests.program import analyse

ROOT = Path(__file__).resolve().parents[3]
PYTHON = find_python("/usr/bin/python3")

#: Debian's release with that Python, and its names of libraries.
SUITES = {"3.11": ("bookworm", "libpcap0.8"), "3.13": ("trixie", "libpcap0.8t64")}

MIRROR = "http://deb.debian.org/debian"

MACHINES = {
    "armhf": (Target("armhf", "arm-linux-gnueabihf.2.36", "generic+v7a+vfp3d16"), "qemu-arm"),
    "s390x": (Target("s390x", "s390x-linux-gnu.2.36", "z10", big_endian=True), "qemu-s390x"),
}
OUTPUTS = ("alerts.log", "alerts.json", "evidence.jsonl", "errors.log")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        importlib.util.find_spec("ziglang") is None, reason="ziglang is not installed"
    ),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed"),
    pytest.mark.skipif(PYTHON.version not in SUITES, reason="no Debian release has this Python"),
]


def debian(architecture: str) -> Path:
    """A root with that architecture's Python, unpacked once; no program of it has run."""
    suite, libpcap = SUITES[PYTHON.version]
    root = ROOT / f".cache/debian/{suite}-{architecture}-python"
    if not root.exists():
        unfinished = root.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        packages = f"python3-minimal,libpython{PYTHON.version}-stdlib,python3-msgpack,{libpcap}"
        command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={packages}"]
        # the release alone: nothing of it serves anybody, so its updates are of no use
        command += [f"--architectures={architecture}", suite, str(unfinished), MIRROR]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no {suite} for {architecture} from here: {done.stderr.strip()}")
        unfinished.rename(root)
    return root


def outputs(folder: Path) -> dict[str, object]:
    """What must be the same on every machine."""
    texts: dict[str, object] = {name: (folder / name).read_bytes() for name in OUTPUTS}
    summary = json.loads((folder / "summary.json").read_text())
    del summary["run"]
    return {**texts, "summary": summary}


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_the_same_bytes(machine: str, tmp_path: Path, capture: Callable[..., Path]) -> None:
    """From byte code and a cross-compiled extension, the same capture gives what it gives here."""
    target, emulator = MACHINES[machine]
    if shutil.which(emulator) is None:
        pytest.skip(f"{emulator} is not installed")
    root = debian(machine)
    target = Target(
        target.name, target.triple, target.cpu, target.big_endian, libpcap="libpcap.so.0.8"
    )
    installed = lay_out(ROOT, target, PYTHON, 1, tmp_path)
    compile_all(installed, PYTHON, 1)
    there, here = tmp_path / "there", tmp_path / "here"
    command = [emulator, "-L", str(root), str(root / f"usr/bin/python{PYTHON.version}")]
    command += ["-m", "hdr_lite", "run", "-f", str(capture("scan_syn")), "-o", str(there)]
    site = installed / SITE.format(PYTHON.version)
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(site)}, cwd="/", check=True)
    analyse(capture("scan_syn"), here)
    assert (there / "evidence.jsonl").stat().st_size > 0
    assert outputs(there) == outputs(here)
