"""Who may block, in the foreground."""

from dataclasses import replace
from pathlib import Path

import pytest

from hdr_lite.cli import arming
from hdr_lite.cli.arming import enforcer_of_a_run, why_unarmed
from hdr_lite.config import Config, UserError
from hdr_lite.supervisor.privileges import Capability


def config(folder: Path, mode: str) -> Config:
    """In that mode, with a state file that is nobody's."""
    settings = replace(Config().enforcer, mode=mode, state=str(folder / "state/blocks"))
    return replace(Config(), enforcer=settings)


def test_nothing_to_do(tmp_path: Path) -> None:
    """Nobody is needed to observe, nor for a file, whoever runs it."""
    assert enforcer_of_a_run(config(tmp_path, "observe"), "", "x", tmp_path, ("lo",)) is None
    assert enforcer_of_a_run(config(tmp_path, "block"), "", "x", tmp_path, ()) is None
    assert list(tmp_path.iterdir()) == []


def test_not_permitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not change rules is told so at the start, and what else may be missing."""
    monkeypatch.setattr(arming, "permitted", lambda: frozenset({Capability.NET_RAW}))
    with pytest.raises(UserError, match="enforcer.mode = block: that needs root or CAP_NET_ADMIN"):
        enforcer_of_a_run(config(tmp_path, "block"), "", "x", tmp_path, ("lo",))
    monkeypatch.setattr(arming, "permitted", lambda: frozenset({Capability.NET_ADMIN}))
    monkeypatch.setattr(arming, "find_spec", lambda name: None)
    assert "python3-nftables" in why_unarmed()
    monkeypatch.setattr(arming, "find_spec", lambda name: object())
    assert why_unarmed() == ""
    assert enforcer_of_a_run(config(tmp_path, "block"), "", "x", tmp_path, ("lo",)) is not None
    assert (tmp_path / "state").is_dir()
