"""Alerts for the person at the terminal."""

from hdr_lite.outputs.alerts_log import alert_line
from hdr_lite.outputs.console import Console
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE


def test_only_alerts_are_shown() -> None:
    """An alert is shown as its line in alerts.log; evidence is not shown."""
    shown: list[str] = []
    console = Console(shown.append)
    console.evidence(EVIDENCE)
    console.alert(ALERT)
    assert shown == [alert_line(ALERT)]
