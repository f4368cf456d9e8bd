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
        self._waiting: list[str] = []

    def evidence(self, evidence: Evidence) -> None:
        """If wanted."""
        if self._verbose:
            self._waiting.append(evidence_line(evidence))

    def alert(self, alert: Alert) -> None:
        """One line."""
        self._waiting.append(alert_line(alert))

    def flush(self) -> None:
        """Shown once it is kept: an engine that is killed before that tells it again."""
        waiting, self._waiting = self._waiting, []
        for line in waiting:
            self._show(line)
