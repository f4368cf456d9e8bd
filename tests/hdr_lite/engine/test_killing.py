"""The engine, killed two hundred times during an attack."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.program import ROOT


def test_two_hundred_kills_tell_everything_once(tmp_path: Path) -> None:
    """Each alert and each evidence is told once, in every file, and ordered from the enforcer;
    each alert reaches a collector once."""
    program = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(program), "200", "1", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    assert facts["status"] == 0
    assert facts["incidents"] >= 200  # of 300 attackers; who is caught depends on the kills
    assert facts["windows"] == [1]
    assert facts["log"] == [0, 0]
    assert facts["notices"] == []
    assert {name: facts[name] for name in facts if " " in name} == {
        "same alert": 0,
        "same id": 0,
        "same evidence": 0,
        "evidence in one file only": 0,
        "alerts of unknown evidence": 0,
        "alerts without order": 0,
        "orders without alert": 0,
        "alerts not collected": 0,
        "collected and not told": 0,
        "collected twice": 0,
        "dropped by the spool": 0,
        "epochs of the spool": 0,
    }
