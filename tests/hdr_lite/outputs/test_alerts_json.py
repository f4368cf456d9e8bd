"""alerts.json."""

import json
from dataclasses import replace
from pathlib import Path

from hdr_lite.outputs.alerts_json import AlertsJson
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE


def test_json_lines(tmp_path: Path) -> None:
    """An object a line: an Event per evidence, an Incident per alert, nothing for repeats."""
    output = AlertsJson(str(tmp_path))
    output.open()
    output.evidence(EVIDENCE)
    output.evidence_final(replace(EVIDENCE, count=9))
    output.alert(ALERT)
    output.close()
    lines = [json.loads(line) for line in (tmp_path / "alerts.json").read_text().splitlines()]
    assert [line["Status"] for line in lines] == ["Event", "Incident"]
