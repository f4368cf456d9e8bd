"""The C part for a target, by Zig's compiler: one that has every target's C library with it.

What is compiled and how is setup.py's to say; here is added only what OpenWrt's build root adds
for every Python extension of that target. Python's own symbols stay open, the interpreter has
them. The result depends on the sources and the compiler alone, not on where they are.
"""

import importlib.util
import os
import re
import subprocess
import sys
from distutils.core import run_setup
from pathlib import Path
from typing import Any

from scripts.openwrt.headers import MissingError
from scripts.openwrt.targets import Target

#: What Python's own build says for every extension.
COMMON = ("-DNDEBUG", "-fwrapv", "-fPIC", "-shared", "-s", "-w", "-Wl,--allow-shlib-undefined")


def require_zig() -> None:
    """Say it at once where the compiler is missing."""
    if importlib.util.find_spec("ziglang") is None:
        raise MissingError("the package ziglang is missing: scripts/bootstrap check brings it")


def described(root: Path) -> Any:
    """The extension as setup.py describes it."""
    here = Path.cwd()
    os.chdir(root)
    try:
        distribution = run_setup("setup.py", [], stop_after="init")
    finally:
        os.chdir(here)
    return distribution.ext_modules[0]


def stub_library(headers: Path, output: Path, target: Target, root: Path) -> None:
    """A libpcap without code: all that the linker asks of one is its name and its symbols."""
    names: set[str] = set()
    for path in sorted((headers / "pcap").glob("*.h")):
        names |= set(re.findall(r"\b(pcap_\w+|bpf_\w+)\s*\(", path.read_text(errors="replace")))
    source = output.with_suffix(".c")
    source.write_text("".join(f"void {name}(void) {{}}\n" for name in sorted(names)))
    _zig(root, target, "-shared", f"-Wl,-soname,{target.libpcap}", "-o", output, source)


def build(root: Path, target: Target, headers: Path, output: Path, work: Path) -> None:
    """Compile and link the extension of the tree ``root`` into the file ``output``."""
    what = described(root)
    stub_library(headers, work / "libpcap.so", target, root)
    byte_order = ["-DWORDS_BIGENDIAN=1"] if target.big_endian else []
    _zig(
        root,
        target,
        *what.extra_compile_args,
        *COMMON,
        *byte_order,
        *what.extra_link_args,
        f"-I{headers}",
        *(f"-I{path}" for path in what.include_dirs),
        *what.sources,
        f"-L{work}",
        *(f"-l{name}" for name in what.libraries),
        "-o",
        output,
    )


def _zig(root: Path, target: Target, *arguments: str | Path) -> None:
    cache = root / ".cache/zig"
    environment = {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target.triple]
    done = subprocess.run(
        [*command, f"-mcpu={target.cpu}", *map(str, arguments)],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the compiler for {target.name} failed:\n{done.stderr}")
