"""``hdr-lite modules`` and modules' options: what runs, and mistakes that name their place."""

import json
from pathlib import Path

import pytest

from hdr_lite.cli import main

MODULE = '''
from hdr_lite.module import Flow, Module, Option

class Mine(Module):
    name = "mine"
    description = "does what it is told"
    authors = ("somebody",)
    options = (Option("limit", 5, "how many", 1, 9), Option("quiet", False, "whether to be quiet"))

    def new_flow(self, flow: Flow) -> None:
        """Read a flow."""
'''


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    """An operator's directory with a module that works and one that does not."""
    for name, text in (("mine", MODULE), ("broken", "import nothing_of_that_name")):
        (tmp_path / "d" / name).mkdir(parents=True)
        (tmp_path / "d" / name / "__init__.py").touch()
        (tmp_path / "d" / name / f"{name}.py").write_text(text)
    return tmp_path / "d"


def test_table(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person sees state, budget, channels and what each module does, or why it does not."""
    assert main(["modules", "--modules-dir", str(directory)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("mine ")] == [
        ["mine", "on", "256", "kB", "new_flow"]
    ]
    assert [line.split()[:2] for line in lines if line.startswith("broken ")] == [
        ["broken", "broken"]
    ]
    assert "mine: does what it is told" in lines
    assert any(line.startswith("broken: cannot be imported: ") for line in lines)
    assert [line.split()[:2] for line in lines if line.startswith("local_connection")][0][
        1
    ] == "off"


def test_columns_are_aligned(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a column holds, the next begins below its heading."""
    (directory / "mine/mine.py").write_text(MODULE + "    budget = 10**11\n")
    assert main(["modules", "--modules-dir", str(directory)]) == 0
    heading, *rows = capsys.readouterr().out.split("\n\n")[0].splitlines()
    end = heading.index("budget") + len("budget")
    assert all(len(row) == end or row[end : end + 2] == "  " for row in rows)
    assert any(row.endswith("97656250 kB") for row in rows)


def test_a_module_that_does_not_start(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One whose init() fails is no module that runs; its text does not steer the terminal."""
    fails = "    def init(self): raise ValueError('\\x1b[31m')\n"
    (directory / "mine/mine.py").write_text(MODULE + fails)
    assert main(["modules", "--modules-dir", str(directory)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("mine ")] == ["broken"]
    assert "mine: not started: ValueError: \\x1b[31m (mine.py:12)" in lines


def test_json(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get one object a module; --disable switches one off."""
    words = ["--json", "--modules-dir", str(directory), "--set", "modules.mine.limit=7"]
    assert main(["modules", *words]) == 0
    modules = {facts["name"]: facts for facts in json.loads(capsys.readouterr().out)}
    assert modules["mine"] == {
        "name": "mine",
        "enabled": True,
        "runs": True,
        "error": "",
        "origin": str(directory),
        "description": "does what it is told",
        "authors": ["somebody"],
        "channels": ["new_flow"],
        "budget": 256 * 1024,
        "budget_reason": "",
        "options": {"limit": 7, "quiet": False},
    }
    assert not modules["broken"]["runs"]
    assert main(["modules", *words, "--disable", "mine"]) == 0
    modules = {facts["name"]: facts for facts in json.loads(capsys.readouterr().out)}
    assert (modules["mine"]["runs"], modules["mine"]["channels"]) == (False, [])


def test_options_are_settings(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``hdr-lite config`` shows modules' options with the rest."""
    path = directory.parent / "c.toml"
    path.write_text(f'[modules]\ndirectory = "{directory}"\n[modules.mine]\nlimit = 3\n')
    assert main(["config", "--json", "-c", str(path)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["modules.mine.limit"] == {
        "value": 3,
        "default": 5,
        "meaning": "how many",
        "allowed": "a whole number from 1 to 9",
        "origin": f"{path}:4",
    }
    assert facts["modules.mine.quiet"]["origin"] == "default"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[modules.mine]\nlimit = 10",
            ":4: module mine: option 'limit' must be from 1 to 9, not 10",
        ),
        ("[modules.mine]\nlimits = 1", ":4: module mine: unknown option 'limits': it declares"),
        ("[modules.mine]\nquiet = 1", ":4: module mine: option 'quiet' must be true or false"),
        ("[modules.nine]\nlimit = 1", ":4: nine: there is no such module; there are"),
        ("disable = ['nine']", ":3: nine: there is no such module; there are"),
        ("enable = ['nine']", ":3: nine: there is no such module; there are"),
    ],
)
def test_mistakes(
    text: str, sentence: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong name or option is one sentence with file and line."""
    path = directory.parent / "c.toml"
    path.write_text(f'[modules]\ndirectory = "{directory}"\n{text}\n')
    for verb in ("modules", "config"):
        assert main([verb, "-c", str(path)]) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"hdr-lite {verb}: {path}{sentence}")
        assert err.count("\n") == 1
