"""Where locks and sockets are."""

import os
from pathlib import Path

import pytest

from hdr_lite.cli import runtime
from hdr_lite.cli.runtime import file_name, find_socket, make_runtime
from hdr_lite.config import UserError


def test_given_directory(tmp_path: Path) -> None:
    """A directory that is given is made; what is no directory is a sentence."""
    assert make_runtime(str(tmp_path / "a" / "b")).is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot make"):
        make_runtime(str(tmp_path / "file" / "b"))


def test_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One's own service is asked first, then the system's; instances have names of their own."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert find_socket(None, "") == runtime.SYSTEM / "hdr-lite.sock"
    own = make_runtime(None)
    assert own == tmp_path / "hdr-lite"
    (own / "hdr-lite.sock").touch()
    assert find_socket(None, "") == own / "hdr-lite.sock"
    assert find_socket("/x", "guest") == Path("/x/instance-guest.sock")
    assert file_name("hdr-lite") != file_name("")


def test_system_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's is in /run, and so is one that systemd starts as another user."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert find_socket(None, "") == Path("/run/hdr-lite/hdr-lite.sock")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/hdr-lite")
    assert find_socket(None, "") == Path("/run/hdr-lite/hdr-lite.sock")
