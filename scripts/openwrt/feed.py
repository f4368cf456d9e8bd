"""The feed's Makefiles, read by make itself: what a package declares, and what it installs.

``buildroot`` holds the few definitions that OpenWrt's build root would bring. So a package made
here and one made there come from the same text.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

BUILDROOT = Path(__file__).parent / "buildroot"

#: Packages whose name on a device carries the version of their binary interface.
INSTALLED_NAMES = {"libpcap": "libpcap1"}


@dataclass(frozen=True)
class Package:
    """What a Makefile declares of a package, and the folder with the files it installs."""

    name: str
    version: str
    fields: dict[str, str]
    depends: tuple[str, ...]
    conffiles: tuple[str, ...]
    filespec: tuple[tuple[str, str], ...]
    data: Path


def stage(makefile: Path, out: Path, python_version: str, installed: Path) -> list[Package]:
    """Run what the Makefile installs, into folders below ``out``; the packages it declares.

    ``installed`` holds what the package's own build has brought forth: the Python tree.
    """
    out.mkdir(parents=True, exist_ok=True)
    settings = {
        "TOPDIR": BUILDROOT,
        "OUT": out,
        "PYTHON3_VERSION": python_version,
        "PKG_INSTALL_DIR": installed,
        # lets a Makefile of our feed find the tree it is part of, without a download
        "PKG_BUILD_DIR": makefile.resolve().parents[2],
    }
    command = ["make", "--no-print-directory", "-s", "-f", makefile.name]
    done = subprocess.run(
        [*command, *(f"{name}={value}" for name, value in settings.items()), "stage"],
        cwd=makefile.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{makefile} cannot be followed:\n{done.stderr}")
    # a package without a title is not declared here: the sources, which the real macros add
    return [_package(p.parent) for p in sorted(out.glob("*/TITLE")) if p.read_text().strip()]


def _package(folder: Path) -> Package:
    fields = {p.name: p.read_text().strip("\n") for p in sorted(folder.iterdir()) if p.is_file()}
    version = fields["VERSION"] + (f"-r{fields['RELEASE']}" if fields["RELEASE"] else "")
    return Package(
        folder.name,
        version,
        fields,
        dependencies(fields["DEPENDS"]),
        tuple(fields["conffiles"].split()),
        tuple(parse_filespec(fields["filespec"])),
        folder / "data",
    )


def dependencies(text: str) -> tuple[str, ...]:
    """The packages of a DEPENDS line as a device knows them; all need the C library."""
    names = ["libc"]
    for word in text.split():
        if word.startswith("@"):
            continue  # what the build's configuration must have, nothing on the device
        if ":" in word:
            raise ValueError(f"a dependency on the build's configuration: {word}")
        name = word.removeprefix("+")
        names.append(INSTALLED_NAMES.get(name, name))
    return tuple(dict.fromkeys(names))


def parse_filespec(text: str) -> list[tuple[str, str]]:
    """The lines of a filespec: (``+`` or ``-``, path)."""
    rules = []
    for line in filter(None, map(str.strip, text.splitlines())):
        sign, _, path = line.partition("|")
        if sign not in {"+", "-"}:
            raise ValueError(f"a filespec that is not followed here: {line}")
        rules.append((sign, path))
    return rules
