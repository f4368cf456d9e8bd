"""The set of files that a run writes."""

from pathlib import Path

from hdr_lite.outputs import file_outputs

FILES = {
    "alerts.json",
    "alerts.log",
    "errors.log",
    "evidence.jsonl",
    "hdr-lite.log",
    "summary.json",
}


def names(directory: Path, **more: object) -> set[str]:
    outputs = file_outputs(str(directory), **more)  # type: ignore[arg-type]
    for output in outputs:
        output.open()
        output.close()
    return {path.name for path in directory.iterdir()}


def test_files(tmp_path: Path) -> None:
    """Six files, always, whether or not there is anything to say."""
    assert names(tmp_path) == FILES


def test_flows_on_request(tmp_path: Path) -> None:
    """flows.jsonl is there when somebody says how a flow is written."""
    assert names(tmp_path, flow_line=dict) == FILES | {"flows.jsonl"}
