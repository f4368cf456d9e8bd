"""alerts.log: a line that a person reads per evidence, in the seed's format, and per alert.

``2022/06/02-16:51:57: Src IP 192.168.1.18              . Detected Detected a connection to ...``
"""

from hdr_lite.outputs.file import FileOutput
from hdr_lite.outputs.text import one_line, points, seed_time
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence

#: Columns of an address, as in the seed: an IPv4 address and some; a longer one takes more.
_WIDTH = 26
_VERBS = {"block": "may be blocked", "limit": "may be limited", "": "told only"}


def evidence_line(evidence: Evidence) -> str:
    """The line of an evidence, without its end."""
    finding = evidence.finding
    who = "Src IP" if finding.direction == "srcip" else "Dst IP"
    description = one_line(finding.description)
    attacker = one_line(finding.attacker)
    return f"{seed_time(evidence.ts)}: {who} {attacker:<{_WIDTH}}. Detected {description}"


def alert_line(alert: Alert) -> str:
    """The line of an alert, without its end."""
    return (
        f"{seed_time(alert.ts)}: Src IP {one_line(alert.profile):<{_WIDTH}}. "
        f"Alert in window {alert.window}, {points(alert.score)} points, {_VERBS[alert.verb]}: "
        f"{one_line(alert.reason)}"
    )


class AlertsLog(FileOutput):
    """The file."""

    file_name = "alerts.log"
    kept = True

    def evidence(self, evidence: Evidence) -> None:
        """One line."""
        self.write(evidence_line(evidence) + "\n")

    def alert(self, alert: Alert) -> None:
        """One line."""
        self.write(alert_line(alert) + "\n")
