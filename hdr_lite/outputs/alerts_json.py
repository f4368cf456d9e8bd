"""alerts.json: evidence and alerts as IDMEFv2, a JSON object a line (see ``idmef``)."""

import json

from hdr_lite.outputs.file import FileOutput
from hdr_lite.outputs.idmef import event, incident
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence


class AlertsJson(FileOutput):
    """The file."""

    file_name = "alerts.json"
    kept = True

    def evidence(self, evidence: Evidence) -> None:
        """Status ``Event``."""
        self.write(json.dumps(event(evidence)) + "\n")

    def alert(self, alert: Alert) -> None:
        """Status ``Incident``."""
        self.write(json.dumps(incident(alert)) + "\n")
