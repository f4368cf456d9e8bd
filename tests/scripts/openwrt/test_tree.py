"""The Python part of a package: what is named, as byte code."""

import subprocess
from pathlib import Path

from scripts.openwrt.headers import find_python
from scripts.openwrt.tree import compile_all, follow


def test_follow(tmp_path: Path) -> None:
    """What a filespec takes in is there, but for what it takes out again."""
    source, target = tmp_path / "source", tmp_path / "target"
    for name in ("site/a/x.py", "site/a/tests/t.py", "other/y"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    follow((("+", "/site"), ("-", "/site/*/tests")), source, target)
    assert [str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()] == ["site/a/x.py"]


def test_byte_code_works_without_sources(tmp_path: Path) -> None:
    """The sources are gone, their Python runs what is left, and no path of here is in it."""
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample/__init__.py").write_text(
        "def where():\n    return where.__code__.co_filename\n"
    )
    python = find_python("/usr/bin/python3")
    compile_all(tmp_path, python, 1)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["__init__.pyc"]
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import sample; print(sample.where())"
    )
    done = subprocess.run([python.program, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "/sample/__init__.py\n"
