"""alerts.log in the seed's format."""

from dataclasses import replace
from pathlib import Path

from hdr_lite.outputs.alerts_log import AlertsLog, alert_line, evidence_line
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE, evidence


def test_seed_line() -> None:
    """The seed's own line, byte for byte."""
    assert evidence_line(EVIDENCE) == (
        "2022/06/02-16:51:57: Src IP 192.168.1.18              . Detected "
        "Detected a connection to a local device 192.168.1.12"
    )


def test_accused_destination() -> None:
    """A destination that is accused is called so; a long address takes its room."""
    line = evidence_line(evidence(direction="dstip", attacker="2001:db8:1:2:3:4:5:6789:abcd"))
    assert ": Dst IP 2001:db8:1:2:3:4:5:6789:abcd. Detected " in line


def test_no_second_line_from_the_network() -> None:
    """A description that holds a line end cannot forge a line."""
    line = evidence_line(evidence(description="x\n2022/06/02-16:51:57: Src IP 1.1.1.1"))
    assert "\n" not in line
    assert "x\\n2022" in line


def test_alert_line() -> None:
    """An alert says whose, how much, what may be done, and why."""
    assert alert_line(ALERT) == (
        "2022/06/02-16:51:57: Src IP 192.168.1.18              . Alert in window 3, "
        "15.36 points, may be limited: "
        "the evidence of window 3 adds up to 15.36 points (threshold 15): x"
    )
    assert "may be blocked" in alert_line(replace(ALERT, verb="block"))
    assert "told only" in alert_line(replace(ALERT, verb=""))


def test_file(tmp_path: Path) -> None:
    """A line per evidence and per alert, none for a repeat."""
    output = AlertsLog(str(tmp_path))
    output.open()
    output.evidence(EVIDENCE)
    output.evidence_final(replace(EVIDENCE, count=5))
    output.alert(ALERT)
    output.close()
    lines = (tmp_path / "alerts.log").read_text().splitlines()
    assert lines == [evidence_line(EVIDENCE), alert_line(ALERT)]
