"""flows.jsonl."""

import json
from pathlib import Path

from hdr_lite.module.testing import record
from hdr_lite.outputs.flows_jsonl import FlowsJsonl
from hdr_lite.records.flow import Flow


def test_ended_flows_only(tmp_path: Path) -> None:
    """Each flow is written when it has ended, in the caller's format; checkpoints are not."""
    output = FlowsJsonl(str(tmp_path), lambda flow: {"uid": flow.uid})
    output.open()
    for uid, end in (("C1", "active"), ("C1", "idle"), ("C2", "end")):
        output.flow(record(Flow, uid=uid, end=end))
    output.close()
    lines = [json.loads(line) for line in (tmp_path / "flows.jsonl").read_text().splitlines()]
    assert lines == [{"uid": "C1"}, {"uid": "C2"}]
    assert output.wants_flows
