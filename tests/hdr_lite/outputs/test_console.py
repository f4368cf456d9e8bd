"""Alerts for the person at the terminal."""

from hdr_lite.outputs.alerts_log import alert_line, evidence_line
from hdr_lite.outputs.console import Console
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE


def test_only_alerts_are_shown() -> None:
    """An alert is shown as its line in alerts.log; evidence is not shown."""
    shown: list[str] = []
    console = Console(shown.append)
    console.evidence(EVIDENCE)
    console.alert(ALERT)
    assert shown == []
    console.flush()
    console.flush()
    assert shown == [alert_line(ALERT)]


def test_evidence_on_request() -> None:
    """A verbose terminal shows evidence, too, as its line in alerts.log."""
    shown: list[str] = []
    console = Console(shown.append, verbose=True)
    console.evidence(EVIDENCE)
    console.flush()
    assert shown == [evidence_line(EVIDENCE)]
