"""Alerts as they are raised, and evidence on request, for the person at the terminal."""

from collections.abc import Callable

from hdr_lite.outputs.alerts_log import alert_line, evidence_line
from hdr_lite.outputs.file import SilentOutput
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence


class Console(SilentOutput):
    """Hands the line of each alert, and with ``verbose`` of each evidence, to ``show``."""

    name = "the terminal"

    def __init__(self, show: Callable[[str], None], verbose: bool = False) -> None:
        self._show = show
        self._verbose = verbose

    def evidence(self, evidence: Evidence) -> None:
        """At once, if wanted."""
        if self._verbose:
            self._show(evidence_line(evidence))

    def alert(self, alert: Alert) -> None:
        """At once."""
        self._show(alert_line(alert))
