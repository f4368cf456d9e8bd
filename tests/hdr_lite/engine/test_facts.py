"""What summary.json says, and what of it may differ from run to run."""

import json
from pathlib import Path
from typing import Any

from tests.hdr_lite.engine.fakes import Run, flow, write_module

FINDS = """
def new_flow(self, f):
    level = ThreatLevel.LOW if f.uid == "C1" else ThreatLevel.INFO
    self.set_evidence("X", family="anomaly", attacker=f.saddr, victim=f.daddr,
                      threat_level=level, confidence=1, description="d")
"""


def facts(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return Run(tmp_path, [flow(n, uid=f"C{n}") for n in range(3)], **more).memory.facts


def test_counts(tmp_path: Path) -> None:
    """Evidence by type and level, findings, profiles, windows and what each module did."""
    write_module(tmp_path, "finds", FINDS)
    made = facts(tmp_path)
    assert made["evidence"] == {"X": {"info": 1, "low": 1}}
    assert (made["findings"], made["alerts"], made["profiles"]) == (3, 0, 1)
    assert (made["windows"], made["windows_closed"]) == (1, 1)
    assert made["modules"]["finds"] == {
        "state": "stopped",
        "messages": 3,
        "findings": 3,
        "left_out": 0,
        "failures": 0,
        "restarts": 0,
        "dropped": 0,
    }


def test_only_run_differs(tmp_path: Path) -> None:
    """Two runs over the same records differ in ``run`` alone; all of it can be written."""
    write_module(tmp_path, "finds", FINDS)
    one, two = facts(tmp_path), facts(tmp_path)
    costs = one.pop("run")
    two.pop("run")
    assert json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert set(costs) == {
        "wall_seconds",
        "cpu_seconds",
        "peak_memory",
        "python",
        "machine",
        "records_per_second",
        "sources",
        "modules",
    }
    assert costs["modules"]["finds"]["turns"] == 1
    assert costs["modules"]["finds"]["cpu_seconds"] > 0
    assert json.dumps(costs)
