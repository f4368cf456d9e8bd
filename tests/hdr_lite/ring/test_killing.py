"""Both ends of a ring, killed a thousand times."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_thousand_kills_lose_and_tear_nothing(seed):
    """Each record comes whole, in order, once, or twice if a kill fell before its commit."""
    program = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(program), "1000", str(seed)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    assert facts["kills"] == 1000
    assert facts["repeats"] <= 500  # kills of the reader
    assert facts["received"] > 10_000
    assert facts["dropped"] > 0
    wrong = ("backwards", "other_under_same_number", "items_not_increasing", "clocks_lost", "left")
    assert {name: facts[name] for name in wrong} == dict.fromkeys(wrong, 0)
