"""Alerts as they are raised, for the person at the terminal."""

from collections.abc import Callable

from hdr_lite.outputs.alerts_log import alert_line
from hdr_lite.outputs.file import SilentOutput
from hdr_lite.records.alert import Alert


class Console(SilentOutput):
    """Hands the line of each alert to ``show``."""

    name = "the terminal"

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show

    def alert(self, alert: Alert) -> None:
        """At once."""
        self._show(alert_line(alert))
