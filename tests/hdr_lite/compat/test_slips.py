"""The names ``slips_files.*`` and the seed's module under them."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from hdr_lite.compat import slips
from hdr_lite.module import Flow, Module
from hdr_lite.module.testing import Harness, record

#: The tutorial's "Complete code" with its missing colon put in, and nothing else changed.
SEED = Path(__file__).parent / "seed_local_connection_detector.py.txt"


def load(source: str, name: str = "local_connection_detector") -> type[Module]:
    """The class that a legacy module's source defines."""
    slips.install()
    module = ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
    loaded: type[Module] = module.__dict__["Module"]
    return loaded


def test_the_seed_reports_two_hosts_that_ping_each_other() -> None:
    """Two flows, two findings with the seed's words, at the flows' own times."""
    harness = Harness(load(SEED.read_text()))
    here, there = "192.168.1.18", "192.168.1.12"
    ping = {"proto": "icmp", "sport": 8, "state": "OTH", "duration": 5_000_000_000}
    harness.feed(
        record(Flow, at=7, uid="C1", saddr=here, daddr=there, **ping),
        record(Flow, at=8, uid="C2", saddr=there, daddr=here, **ping),
    )
    assert [(f.attacker, f.description, f.ts // 10**9) for f in harness.findings] == [
        (here, f"Detected a connection to a local device {there}", 7),
        (there, f"Detected a connection to a local device {here}", 8),
    ]
    first = harness.findings[0]
    assert (first.type, first.family) == ("ConnectionToLocalDevice", "policy")
    assert (first.threat_level, first.confidence) == (800, 800)
    assert (first.victim, first.uids, first.proto) == (there, ("C1",), "icmp")
    assert first.category == "Anomaly.Connection"


def test_the_seed_says_goodbye() -> None:
    """shutdown_gracefully publishes the module's name on finished_modules."""
    harness = Harness(load(SEED.read_text()))
    harness.module.shutdown_gracefully()
    assert harness.context.published == [("finished_modules", "local_connection_detector")]


def test_public_addresses_are_left_alone_by_the_seed() -> None:
    """Its own condition decides, not the layer."""
    harness = Harness(load(SEED.read_text()))
    assert not harness.feed(record(Flow, uid="C1", saddr="192.168.1.18", daddr="1.1.1.1"))


def test_nothing_is_loaded_until_a_module_asks() -> None:
    """Neither installing nor the rest of the program imports the layer's working parts."""
    code = (
        "import sys; from hdr_lite.compat.slips import install; install(); install()\n"
        "import hdr_lite.module\n"
        "assert 'hdr_lite.compat.legacy' not in sys.modules\n"
        "assert len([f for f in sys.meta_path if 'Legacy' in type(f).__name__]) == 1\n"
        "from slips_files.common.imports import *\n"
        "assert 'hdr_lite.compat.legacy' in sys.modules\n"
        "assert 'multiprocessing' not in sys.modules, 'the real one costs memory'\n"
        "print(sorted(n for n in dir() if n[0] != '_'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert (
        "['Module', 'hdr_lite', 'install', 'json', 'multiprocessing', 'sys', 'utils']" in ran.stdout
    )


def test_the_program_imports_nothing_heavy() -> None:
    """What no part of a run uses stays out of the processes' memory."""
    heavy = "tempfile random shutil zipfile subprocess logging asyncio ssl http tomllib difflib"
    code = (
        "import sys; before = set(sys.modules)\n"
        "import hdr_lite.cli.run\n"
        f"print(sorted(set({heavy.split()}) & set(sys.modules) - before))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout == "[]\n"


def test_the_other_names_lead_to_the_same_things() -> None:
    """abstracts and slips_utils offer what imports offers; other names do not exist."""
    slips.install()
    from slips_files.common import abstracts, imports, slips_utils

    assert abstracts.Module is imports.Module
    assert slips_utils.utils is imports.utils
    with pytest.raises(ModuleNotFoundError):
        __import__("slips_files.core")
