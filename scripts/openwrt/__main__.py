"""Make OpenWrt packages of this tree: scripts/build-ipk ARCH PYTHON [-o DIR].

hdr-lite is cross-compiled for ARCH by Zig's compiler (the package ziglang of PyPI, pinned in
requirements/check.txt), against musl. PYTHON is a Python of the device's version (OpenWrt 23.05
and 24.10: 3.11, 25.12: 3.13): a version that is on PATH, or a program's path. It makes the byte
code, and its headers serve every architecture, as libpcap's of this machine do (on Debian:
python3-dev, libpcap-dev). luci-app-hdr-lite, for all architectures, is made beside it. Nothing
is fetched. The same tree gives the same bytes; its date is $SOURCE_DATE_EPOCH, or else that of
the last commit. Where an apk with mkpkg is on PATH, its packages are made too (unsigned).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.openwrt import apk, build
from scripts.openwrt.headers import MissingError, find_python
from scripts.openwrt.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]


def date_of(root: Path) -> int:
    """The date of everything in the package."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MissingError("this tree has no commits: give its date in SOURCE_DATE_EPOCH")
    return int(done.stdout)


def main() -> int:
    """Make the packages and say which."""
    parser = argparse.ArgumentParser(
        prog="build-ipk", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "arch", choices=sorted(TARGETS), metavar="ARCH", help=", ".join(sorted(TARGETS))
    )
    parser.add_argument("python", metavar="PYTHON", help="version, or path of a program")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path())
    arguments = parser.parse_args()
    try:
        python, epoch = find_python(arguments.python), date_of(ROOT)
        with tempfile.TemporaryDirectory(prefix="build-ipk.") as work:
            made = build.build(
                ROOT, TARGETS[arguments.arch], python, epoch, Path(work), arguments.output
            )
    except MissingError as error:
        print(f"build-ipk: {error}", file=sys.stderr)
        return 2
    for package in made:
        print(f"{package.path}: {package.compressed} bytes, {package.installed} installed")
    if not apk.available():
        print("build-ipk: there is no apk with mkpkg here: no .apk made", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
