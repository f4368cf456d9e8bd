"""summary.json: the counts of a run. All but its ``run`` object repeats for the same input."""

import json
from collections.abc import Mapping
from typing import Any

from hdr_lite.outputs.file import FileOutput


class Summary(FileOutput):
    """The file; empty until the run has ended."""

    file_name = "summary.json"

    def summary(self, facts: Mapping[str, Any]) -> None:
        """Written whole, keys sorted."""
        self.write(json.dumps(facts, indent=2, sort_keys=True) + "\n")
        self.flush()
