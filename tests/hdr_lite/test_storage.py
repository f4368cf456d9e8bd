"""A file is replaced whole or not at all, whatever happens and whenever."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hdr_lite.storage import replacing, sync_directory


def test_takes_the_place(tmp_path: Path) -> None:
    """With the mode that was asked for; nothing is left beside it."""
    path = tmp_path / "file"
    for content in (b"first", b"second, longer"):
        with replacing(path, 0o600) as file:
            file.write(content)
        assert path.read_bytes() == content
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_when_it_fails(tmp_path: Path) -> None:
    """Whatever is raised while it is written: the old file stays, and nothing beside it."""
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_and_fail(error: BaseException) -> None:
        with replacing(path, 0o600) as file:
            file.write(b"half of the n")
            raise error

    for error in (OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            write_and_fail(error)
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


def test_what_is_left_beside(tmp_path: Path) -> None:
    """The half of one that was killed goes, and a link there is not followed."""
    path, other = tmp_path / "file", tmp_path / "other"
    other.write_bytes(b"another's")
    (tmp_path / "file.new").symlink_to(other)
    with replacing(path, 0o600) as file:
        file.write(b"ours")
    assert (path.read_bytes(), other.read_bytes()) == (b"ours", b"another's")
    assert not path.is_symlink()


def test_on_storage_before_it_bears_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it: else a loss of power could leave an empty file in the old one's place."""
    steps: list[tuple[str, int]] = []

    def noted(name: str, function: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: object) -> None:
            size = sum(path.stat().st_size for path in tmp_path.glob("*.new"))
            steps.append((name, size))
            function(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", noted("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", noted("replace", Path.replace))
    with replacing(tmp_path / "file", 0o600) as file:
        file.write(b"content")
    sync_directory(tmp_path)
    assert steps == [("fsync", 7), ("replace", 7), ("fsync", 0)]
