"""flows.jsonl: a JSON object per ended flow, as ``hdr-lite flows`` prints it.

Only flows that ended are written, once: counts are totals, so that the checkpoints of a long
flow say nothing that its end does not. The format is the caller's.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from hdr_lite.outputs.file import FileOutput
from hdr_lite.records.flow import Flow


class FlowsJsonl(FileOutput):
    """The file."""

    file_name = "flows.jsonl"
    wants_flows = True

    def __init__(
        self, directory: str, line: Callable[[Flow], Mapping[str, Any]], *, append: bool = False
    ) -> None:
        """``line`` is the object of a flow."""
        super().__init__(directory, append=append)
        self._line = line

    def flow(self, flow: Flow) -> None:
        """One line, unless the flow goes on."""
        if flow.end != "active":
            self.write(json.dumps(self._line(flow), separators=(",", ":")) + "\n")
