"""Where results go: one file, one class. The engine calls them, ``cli`` makes them.

``file`` is what those that write a file have in common, ``text`` how times, points and levels
are spelt, ``idmef`` is a format without a file.
"""

from collections.abc import Callable, Mapping
from typing import Any

from hdr_lite.outputs.alerts_json import AlertsJson
from hdr_lite.outputs.alerts_log import AlertsLog
from hdr_lite.outputs.console import Console
from hdr_lite.outputs.errors_log import ErrorsLog
from hdr_lite.outputs.evidence_jsonl import EvidenceJsonl
from hdr_lite.outputs.file import FileOutput
from hdr_lite.outputs.flows_jsonl import FlowsJsonl
from hdr_lite.outputs.main_log import MainLog
from hdr_lite.outputs.summary import Summary
from hdr_lite.records.flow import Flow


def file_outputs(
    directory: str,
    flow_line: Callable[[Flow], Mapping[str, Any]] | None = None,
    *,
    append: bool = False,
) -> list[FileOutput]:
    """The files of an output directory, which exists. They are opened by the engine.

    With ``flow_line``, which makes the JSON object of a flow, flows are written too. With
    ``append`` all but the summary go on where they ended.
    """
    outputs: list[FileOutput] = [
        ErrorsLog(directory, append=append),
        MainLog(directory, append=append),
        AlertsLog(directory, append=append),
        AlertsJson(directory, append=append),
        EvidenceJsonl(directory, append=append),
        Summary(directory),
    ]
    if flow_line is not None:
        outputs.append(FlowsJsonl(directory, flow_line, append=append))
    return outputs


__all__ = [
    "AlertsJson",
    "AlertsLog",
    "Console",
    "ErrorsLog",
    "EvidenceJsonl",
    "FileOutput",
    "FlowsJsonl",
    "MainLog",
    "Summary",
    "file_outputs",
]
