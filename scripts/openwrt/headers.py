"""The headers a target's compiler needs beyond its C library: Python's and libpcap's.

Both are the same text on every architecture but for Python's ``pyconfig.h``, and what differs
there by architecture are sizes, which the compiler knows by itself: so the headers of any Python
of the right version will do, this machine's among them.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: pyconfig.h's sizes that are not the same everywhere, as the compiler's own words.
SIZES = {
    "LONG": "__SIZEOF_LONG__",
    "LONG_DOUBLE": "__SIZEOF_LONG_DOUBLE__",
    "PTHREAD_T": "__SIZEOF_POINTER__",
    "SIZE_T": "__SIZEOF_SIZE_T__",
    "UINTPTR_T": "__SIZEOF_POINTER__",
    "VOID_P": "__SIZEOF_POINTER__",
}

_ASK = """
import sysconfig
print("%d.%d" % __import__("sys").version_info[:2])
print(sysconfig.get_path("include"))
print(sysconfig.get_config_var("MULTIARCH") or "")
"""


class MissingError(Exception):
    """Something that is not on this machine, and what brings it."""


@dataclass(frozen=True)
class Python:
    """A Python of this machine, of the version that the device has."""

    program: str
    version: str
    include: Path
    multiarch: str


def find_python(name: str) -> Python:
    """The Python called ``name``: a version (3.11), or the path of a program."""
    program = shutil.which(f"python{name}" if re.fullmatch(r"3\.\d+", name) else name)
    if program is None:
        raise MissingError(f"there is no Python {name} here (give a version, or a program's path)")
    done = subprocess.run([program, "-I", "-c", _ASK], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MissingError(f"{program} is no Python: {done.stderr.strip()}")
    version, include, multiarch = done.stdout.split("\n")[:3]
    return Python(program, version, Path(include), multiarch)


def portable_config(text: str) -> str:
    """``pyconfig.h`` with the sizes that the compiler at work has."""
    for name, size in SIZES.items():
        text = re.sub(
            rf"^#define SIZEOF_{name} \d+$", f"#define SIZEOF_{name} {size}", text, flags=re.M
        )
    return text


def collect(python: Python, folder: Path, pcap: Path = Path("/usr/include")) -> None:
    """Fill ``folder`` with the headers of ``python`` and, from ``pcap``, of libpcap."""
    # Debian's pyconfig.h only chooses between the architectures' own
    configs = [
        python.include.parent / python.multiarch / python.include.name / "pyconfig.h",
        python.include / "pyconfig.h",
    ]
    config = next((path for path in configs if path.exists()), None)
    if config is None:
        raise MissingError(f"Python {python.version} has no headers here: install python3-dev")
    if not (pcap / "pcap/pcap.h").exists():
        raise MissingError("libpcap has no headers here: install libpcap-dev")
    shutil.copytree(python.include, folder, dirs_exist_ok=True)
    (folder / "pyconfig.h").write_text(portable_config(config.read_text()))
    shutil.copytree(pcap / "pcap", folder / "pcap", dirs_exist_ok=True)
    shutil.copy(pcap / "pcap.h", folder)
