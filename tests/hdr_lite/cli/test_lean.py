"""What the service is made of: as little as its work needs, and all of it before the first fork."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
#: Without what development tools hook into every start of Python (*.pth).
PYTHON = (sys.executable, "-S", "-c")
PATHS = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("-packages"))])

#: What a library would bring along for nothing, and who would.
FOREIGN = {
    "_hashlib": "hashlib",
    "_bz2": "shutil",
    "_lzma": "shutil",
    "ssl": "a network library",
    "asyncio": "a network library",
    "http": "a network library",
    "email": "importlib.metadata",
    "importlib.metadata": "a look for versions",
    "subprocess": "platform, uuid",
    "logging": "concurrent.futures",
    "multiprocessing": "a pool",
    "decimal": "statistics",
    "random": "tempfile",
    "tempfile": "tempfile",
    "difflib": "a guess at a wrong word",
    "unittest": "a test",
    "hdr_lite.collector": "the server's side",
    "hdr_lite.module.testing": "a test",
    "hdr_lite.cli.inspect": "another verb",
}
#: Only up to Python 3.12: later dataclasses ask inspect about every class.
SELDOM = ("ast", "dis", "opcode") if sys.version_info < (3, 13) else ()


def tell(program: str) -> str:
    """What it prints."""
    done = subprocess.run(
        [*PYTHON, program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": PATHS}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


#: The program on its way to the service, which is left before it starts.
START = """
import sys
from contextlib import suppress
from hdr_lite.cli import main
with suppress(SystemExit):
    main(["daemon", "--help"])
from hdr_lite.cli.modules import find_modules
from hdr_lite.config import load
find_modules(load(None, []))
"""


def loaded() -> set[str]:
    """Modules of the service before its first fork."""
    names = "print(*(name for name, module in sys.modules.items() if module is not None))"
    return set(tell(START + names).splitlines()[-1].split())


def test_nothing_foreign_is_loaded() -> None:
    """Each of these would cost every process its share."""
    assert {name: FOREIGN[name] for name in loaded() & set(FOREIGN)} == {}
    assert loaded() & set(SELDOM) == set()


@pytest.mark.parametrize("name", ["nftables", "pcap"])
def test_what_children_need_is_there(name: str) -> None:
    """Where it is installed: an import after the fork would copy what is shared."""
    pytest.importorskip(name)
    assert name in loaded()


def test_what_is_postponed_comes_when_it_is_asked_for() -> None:
    """A dataclass without a docstring gets its signature for one."""
    program = (
        f"{START}import dataclasses\n"
        "before = 'ast' in sys.modules\n"
        "A = dataclasses.make_dataclass('A', [('x', int)])\n"
        "import inspect\n"
        "print(before, A.__doc__, inspect.isclass(A), 'ast' in sys.modules)"
    )
    before, *rest = tell(program).splitlines()[-1].split()
    assert (before == "False") == bool(SELDOM)
    assert rest == ["A(x:", "int)", "True", "True"]


def test_the_service_does_not_map_libcrypto() -> None:
    """Digests are there, and are Python's own."""
    program = (
        f"{START}import hashlib\n"
        "print(hashlib.sha1(b'').hexdigest(), 'libcrypto' in open('/proc/self/maps').read())"
    )
    assert tell(program).splitlines()[-1] == "da39a3ee5e6b4b0d3255bfef95601890afd80709 False"
