"""The generator's command line."""

import subprocess
import sys
from pathlib import Path

from tests.traffic.scenarios import SCENARIOS, build

ROOT = Path(__file__).parents[2]


def generator(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m tests.traffic``."""
    command = [sys.executable, "-m", "tests.traffic", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_list_names_every_scenario() -> None:
    """``--list`` tells name, meaning and what is to be found."""
    listed = generator("--list").stdout
    assert all(entry.meaning in listed for entry in SCENARIOS.values())
    assert "to be found: VERTICAL_PORT_SCAN" in listed


def test_capture_is_written(tmp_path: Path) -> None:
    """The file holds the scenario with that seed."""
    path = tmp_path / "out.pcap"
    done = generator("ping_pair", "--seed", "3", "-o", str(path))
    assert done.returncode == 0
    assert path.read_bytes() == build("ping_pair", 3).pcap()
    assert done.stdout == f"{path}: 18 frames, 9.0 s of traffic\n"


def test_mistakes_are_told(tmp_path: Path) -> None:
    """An unknown scenario and a place that cannot be written are status 2 and a sentence."""
    assert generator("nonsense").returncode == 2
    done = generator("ping_pair", "-o", str(tmp_path / "no" / "where"))
    assert done.returncode == 2
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
