"""summary.json."""

import json
from pathlib import Path

from hdr_lite.outputs.summary import Summary


def test_sorted_keys(tmp_path: Path) -> None:
    """One JSON object whose keys are sorted, whatever order they were counted in."""
    facts = {"b": {"z": 1, "a": 2}, "a": [1]}
    output = Summary(str(tmp_path))
    output.open()
    output.summary(facts)
    text = (tmp_path / "summary.json").read_text()
    assert json.loads(text) == facts
    assert text.index('"a": [') < text.index('"b"')
    assert text.index('"a": 2') < text.index('"z"')
    output.close()
