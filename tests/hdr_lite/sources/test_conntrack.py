"""Requests to conntrack, and what it must be able to do."""

from pathlib import Path

import pytest

from hdr_lite.sources import conntrack
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.netlink import message


def test_questions_only_read() -> None:
    """Whoever sends for the sensor sends questions and dumps, and nothing that changes anything."""
    dump = conntrack.dump_request(conntrack.POLL)
    assert conntrack.is_question(dump)
    assert conntrack.is_question(dump * 3)
    for kind in (0x100, 0x102, 0x401, 0x10):
        assert not conntrack.is_question(dump + message(kind))
    assert not conntrack.is_question(dump[:-1])
    assert not conntrack.is_question(dump * 300)


def test_a_kernel_without_conntrack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said which piece is lacking, and which switch is off."""
    monkeypatch.setattr(conntrack, "SYSCTLS", tmp_path)
    assert not conntrack.has_timestamps()
    with pytest.raises(SourceError, match="the kernel lacks nf_conntrack$"):
        conntrack.check_accounting()
    (tmp_path / "nf_conntrack_acct").write_text("0\n")
    with pytest.raises(SourceError, match="set net.netfilter.nf_conntrack_acct to 1"):
        conntrack.open_events()


def test_a_kernel_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounting and timestamps are seen when they are on."""
    monkeypatch.setattr(conntrack, "SYSCTLS", tmp_path)
    for name in ("nf_conntrack_acct", "nf_conntrack_timestamp"):
        (tmp_path / name).write_text("1\n")
    conntrack.check_accounting()
    assert conntrack.has_timestamps()
