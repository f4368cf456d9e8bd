"""Which modules there are, which run, and what is wrong with the others."""

import py_compile
from pathlib import Path

import pytest

from hdr_lite.config import ModulesConfig
from hdr_lite.engine.loader import Found, find
from tests.hdr_lite.engine.fakes import write_module


def found_in(directory: Path, **config: object) -> dict[str, Found]:
    modules, _ = find(ModulesConfig(directory=str(directory), **config))  # type: ignore[arg-type]
    return {module.name: module for module in modules}


def error_of(directory: Path, name: str) -> str:
    found = found_in(directory)[name]
    assert found.enabled
    assert not found.runs
    return found.error


def test_shipped_modules_are_found() -> None:
    """Shipped modules are found by their folders; those switched off by their class are off."""
    modules, problems = find(ModulesConfig())
    by_name = {module.name: module for module in modules}
    assert problems == []
    assert not any(module.error for module in modules)
    assert not by_name["local_connection_detector"].enabled
    assert not by_name["template"].enabled


def test_enable_and_disable() -> None:
    """The configuration switches on and off; off wins."""
    config = ModulesConfig(enable=("template", "local_connection_detector"), disable=("template",))
    by_name = {module.name: module for module in find(config)[0]}
    assert by_name["local_connection_detector"].runs
    assert not by_name["template"].runs


def test_operators_module_is_on_and_replaces(tmp_path: Path) -> None:
    """A module in the operator's directory is on and takes the place of a shipped one."""
    write_module(tmp_path, "template", "enabled_by_default = False")
    template = found_in(tmp_path)["template"]
    assert template.runs
    assert template.origin == str(tmp_path)
    assert template.module is not None
    assert template.module.description == "made by a test"


def test_only_pyc(tmp_path: Path) -> None:
    """A tree of .pyc files alone serves as well."""
    write_module(tmp_path, "bare", "")
    for source in list((tmp_path / "bare").glob("*.py")):
        py_compile.compile(str(source), cfile=str(source.with_suffix(".pyc")), doraise=True)
        source.unlink()
    assert found_in(tmp_path)["bare"].runs


def test_legacy_module(tmp_path: Path) -> None:
    """The seed's class, named Module and derived from Slips' Module, is found."""
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "old.py").write_text(
        "from slips_files.common.imports import *\n"
        "class Module(Module, multiprocessing.Process):\n"
        "    name = 'old'\n    description = 'd'\n    authors = ['a']\n"
    )
    assert found_in(tmp_path)["old"].runs


def test_two_directories_do_not_mix(tmp_path: Path) -> None:
    """Modules of the same name in two directories are two modules."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_module(tmp_path / name, "mine", f"where = {name!r}")
    classes = [found_in(tmp_path / name)["mine"].module for name in ("one", "two")]
    assert [getattr(made, "where", "") for made in classes] == ["one", "two"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("name = ''", "its class has no name"),
        ("name = 'other'", "name and folder must be the same"),
        ("description = ''", "its class has no description"),
        ("budget = 10 ** 9", "its budget must be 1 to"),
        ("budget = 10 ** 6", "needs a budget_reason"),
        ("def new_flwo(self, flow): ...", "unknown channel 'new_flwo': the nearest is 'new_flow'"),
    ],
)
def test_bad_class(tmp_path: Path, body: str, reason: str) -> None:
    """What is wrong with a class is said in a line."""
    write_module(tmp_path, "bad", body)
    assert reason in error_of(tmp_path, "bad")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_the_kind", "cannot be imported: ModuleNotFoundError: No module named"),
        (
            "def broken(",
            "cannot be imported: SyntaxError: '(' was never closed (bad.py, line 1)",
        ),
        ("import json\njson.loads('x')", "line 1 column 1 (char 0) (bad.py:2)"),
        ("raise SystemExit", "cannot be imported: SystemExit"),
        ("", "holds no class that derives from Module"),
        ("class Module: ...", "derives from neither"),
        (
            "from hdr_lite.module import Module\nclass A(Module): ...\nclass B(Module): ...",
            "holds more than one module class: A, B",
        ),
    ],
)
def test_bad_file(tmp_path: Path, source: str, reason: str) -> None:
    """What is wrong with a file is said in a line, and the others are found all the same."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "bad.py").write_text(source)
    write_module(tmp_path, "good", "")
    assert reason in error_of(tmp_path, "bad")
    assert "__init__" not in error_of(tmp_path, "bad")
    assert found_in(tmp_path)["good"].runs


def test_missing_file(tmp_path: Path) -> None:
    """A folder without its NAME.py is told what it lacks: a copied template, not yet renamed."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "__init__.py").write_text("")
    (tmp_path / "empty" / "template.py").write_text("")
    reason = "its folder holds no empty.py: the file's name must be the folder's"
    assert error_of(tmp_path, "empty") == reason


def test_a_broken_module_that_is_off_is_no_error(tmp_path: Path) -> None:
    """Who switched a broken module off is not told about it again."""
    write_module(tmp_path, "bad", "name = ''")
    bad = found_in(tmp_path, disable=("bad",))["bad"]
    assert not bad.enabled
    assert not bad.runs


OPTIONS = """
options = (
    Option("count", 3, "h", minimum=1, maximum=9),
    Option("share", 0.5, "h", minimum=0),
    Option("word", "w", "h"),
    Option("flag", True, "h"),
)
"""


def test_options_have_defaults_and_values(tmp_path: Path) -> None:
    """A module's options are its declared defaults under what the configuration says."""
    write_module(tmp_path, "mine", OPTIONS)
    given = {"mine": {"count": 4, "share": 1}}
    mine = found_in(tmp_path, options=given)["mine"]
    assert mine.options == {"count": 4, "share": 1.0, "word": "w", "flag": True}
    assert type(mine.options["share"]) is float


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"cuont": 4}, "unknown option 'cuont': it declares count, share, word, flag"),
        ({"count": "4"}, "option 'count' must be a whole number, not '4'"),
        ({"count": True}, "option 'count' must be a whole number, not True"),
        ({"count": 0}, "option 'count' must be from 1 to 9, not 0"),
        ({"count": 10}, "option 'count' must be from 1 to 9, not 10"),
        ({"share": -1}, "option 'share' must be from 0, not -1.0"),
        ({"flag": 1}, "option 'flag' must be true or false, not 1"),
        ({"word": 1}, "option 'word' must be text, not 1"),
    ],
)
def test_bad_options(tmp_path: Path, given: dict[str, object], reason: str) -> None:
    """An unknown or bad option keeps its module from running, with a reason."""
    write_module(tmp_path, "mine", OPTIONS)
    mine = found_in(tmp_path, options={"mine": given})["mine"]
    assert not mine.runs
    assert mine.error == reason


def test_names_that_nobody_has(tmp_path: Path) -> None:
    """The configuration of a module that does not exist is a problem that lists what does."""
    write_module(tmp_path, "mine", "")
    config = ModulesConfig(
        directory=str(tmp_path), enable=("a",), disable=("b", "a"), options={"c": {}}
    )
    _, problems = find(config)
    assert [name for name, _ in problems] == ["a", "b", "c"]
    assert all("mine" in reason for _, reason in problems)


def test_missing_directory(tmp_path: Path) -> None:
    """A modules directory that is not there is a problem; the shipped modules are found."""
    modules, problems = find(ModulesConfig(directory=str(tmp_path / "absent")))
    assert problems == [(str(tmp_path / "absent"), "there is no such directory")]
    assert modules


def test_files_that_are_no_modules_are_ignored(tmp_path: Path) -> None:
    """Only packages are modules."""
    (tmp_path / "notes.py").write_text("raise RuntimeError")
    (tmp_path / "data").mkdir()
    write_module(tmp_path, "mine", "")
    assert set(found_in(tmp_path)) & {"notes", "data", "mine"} == {"mine"}
