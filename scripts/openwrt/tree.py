"""The Python part: as an installer lays it out, and then as OpenWrt's packages carry it.

OpenWrt ships byte code only, made with ``compileall -b -d /`` by a Python of the device's
version, and no sources.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.openwrt.headers import Python

_PROGRAM = """#!/usr/bin/python3
import sys

from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""


def install(root: Path, site: Path, programs: Path, epoch: int, work: Path) -> None:
    """Lay out the tree ``root`` as an installed package, without its extension."""
    metadata = ["egg_info", "--egg-base", work, "dist_info", "--output-dir", site]
    site.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "-q"]
        + ["build_py", "--build-lib", str(site), *map(str, metadata)],
        cwd=root,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        check=True,
        capture_output=True,
    )
    programs.mkdir(parents=True)
    (info,) = site.glob("*.dist-info")
    for name, module, function in _scripts((info / "entry_points.txt").read_text()):
        program = programs / name
        program.write_text(_PROGRAM.format(module=module, function=function))
        program.chmod(0o755)


def _scripts(text: str) -> list[tuple[str, str, str]]:
    section = text.partition("[console_scripts]")[2].partition("\n[")[0]
    return re.findall(r"^([\w.-]+) *= *([\w.]+):(\w+)", section, flags=re.M)


def follow(filespec: tuple[tuple[str, str], ...], source: Path, target: Path) -> None:
    """Copy what the filespec names, in its order, and take out again what it takes out."""
    for sign, path in filespec:
        for found in sorted(source.glob(path.lstrip("/"))) if sign == "+" else ():
            into = target / found.relative_to(source)
            into.parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir():
                shutil.copytree(found, into, dirs_exist_ok=True)
            else:
                shutil.copy2(found, into)
        for found in sorted(target.glob(path.lstrip("/"))) if sign == "-" else ():
            shutil.rmtree(found) if found.is_dir() else found.unlink()


def compile_all(folder: Path, python: Python, epoch: int) -> None:
    """Replace the sources below ``folder`` by byte code of ``python``; no empty folder stays."""
    subprocess.run(
        [python.program, "-m", "compileall", "-q", "-r", "20", "-b", "-d", "/", str(folder)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONHASHSEED": "0",
            "PYTHONNODEBUGRANGES": "1",  # a line says where; columns are a tenth of the package
            "SOURCE_DATE_EPOCH": str(epoch),  # makes the byte code carry a hash, no time
        },
        check=True,
    )
    for source in sorted(folder.rglob("*.py")):
        source.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
