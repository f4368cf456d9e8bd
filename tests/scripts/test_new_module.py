"""scripts/new-module writes a module that works at once, or nothing and why."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases.case import load
from tests.program import analyse

ROOT = Path(__file__).resolve().parents[2]


def new_module(*arguments: object, root: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(root / "scripts/new-module"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def passes(test: Path, root: Path = ROOT) -> bool:
    """Whether the written test passes."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    return subprocess.run(command, cwd=root, capture_output=True, check=False).returncode == 0


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the script needs of our tree."""
    for name in ("scripts", "hdr_lite", "tests/hdr_lite/modules/template"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_one_of_ours(tree: Path) -> None:
    """Module, README, test and case stand where the layout wants them, and the test passes."""
    done = new_module("quiet_hours", root=tree)
    assert done.stderr == ""
    assert done.stdout.split() == [
        "hdr_lite/modules/quiet_hours/__init__.py",
        "hdr_lite/modules/quiet_hours/quiet_hours.py",
        "hdr_lite/modules/quiet_hours/README.md",
        "tests/hdr_lite/modules/quiet_hours/test_quiet_hours.py",
        "tests/cases/quiet_hours/case.toml",
        "tests/cases/quiet_hours/README.md",
    ]
    written = "".join((tree / name).read_text() for name in done.stdout.split())
    assert "emplate" not in written
    assert "class QuietHours(Module):" in written
    assert "enabled_by_default" not in written
    assert passes(tree / "tests/hdr_lite/modules/quiet_hours/test_quiet_hours.py", tree)


def test_one_of_the_operators(tmp_path: Path, capture: Callable[..., Path]) -> None:
    """All of it is in the module's folder; its test passes and its case holds."""
    done = new_module("--modules-dir", tmp_path, "quiet_hours")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "quiet_hours"
    assert passes(folder / "test_quiet_hours.py")
    case = load(folder / "case")
    ran = analyse(capture(case.scenario, case.seed), tmp_path / "out", *case.arguments)
    assert [text for check in case.check if (text := check.complaint(ran))] == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Quiet", "it takes 2 to 40 of a-z"),
        ("quiet-hours", "it takes 2 to 40 of a-z"),
        ("../quiet", "it takes 2 to 40 of a-z"),
        ("9lives", "it takes 2 to 40 of a-z"),
        ("x", "it takes 2 to 40 of a-z"),
        ("class", "Python uses it"),
        ("json", "Python uses it"),
        ("arp", "there is a module 'arp' already"),
        ("template", "there is a module 'template' already"),
    ],
)
def test_names_that_cannot_be(name: str, reason: str, tmp_path: Path) -> None:
    """One sentence, status 2, nothing written."""
    done = new_module("--modules-dir", tmp_path, "--", name)
    assert done.returncode == 2
    assert done.stderr.startswith("new-module: ")
    assert reason in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_not_touched(tmp_path: Path) -> None:
    """Not even when the rest could be written."""
    (tmp_path / "quiet_hours").mkdir()
    (tmp_path / "quiet_hours/README.md").write_text("mine")
    done = new_module("--modules-dir", tmp_path, "quiet_hours")
    assert done.returncode == 2
    assert "README.md exists already" in done.stderr
    assert [path.name for path in (tmp_path / "quiet_hours").iterdir()] == ["README.md"]
