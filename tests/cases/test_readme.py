"""What the README shows is what the program does."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.program import ROOT, analyse

README = ROOT / "README.md"


def words_of(text: str) -> list[str]:
    """Its words: the demo folds long lines."""
    return text.split()


def test_the_demonstration_prints_what_the_readme_shows(
    capture: Callable[..., Path], tmp_path: Path
) -> None:
    """The block behind the demo's marker is alerts.log of the demonstration capture."""
    shown = re.search(r"<!-- demo.*?-->\n```\n(.*?)```", README.read_text(), re.S)
    assert shown is not None
    done = analyse(capture("demo", 1), tmp_path / "out")
    assert words_of(shown[1]) == words_of(done.text("alerts.log"))


def test_the_module_of_the_readme_runs(capture: Callable[..., Path], tmp_path: Path) -> None:
    """The twenty lines, pasted into a folder, find two hosts that ping each other."""
    source = re.search(r"```python\n(.*?)```", README.read_text(), re.S)
    assert source is not None
    folder = tmp_path / "modules" / "local_connections"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "local_connections.py").write_text(source[1])
    options = ("--modules-dir", tmp_path / "modules")
    done = analyse(capture("ping_pair", 1), tmp_path / "out", *options)
    assert [e["type"] for e in done.evidence()] == ["ConnectionToLocalDevice"] * 2
