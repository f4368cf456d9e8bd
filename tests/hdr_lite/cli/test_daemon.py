"""What the service refuses at its start, and what a reload may change."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from hdr_lite.cli import daemon
from hdr_lite.cli.daemon import _within_a_life
from hdr_lite.cli.memory import REPORTING_TOTAL
from hdr_lite.config import CaptureConfig, Config, DetectionConfig, MemoryConfig, RingConfig
from hdr_lite.enforcer.never_block import parse_allow
from hdr_lite.sync.enrolment import save_enrolment
from tests.hdr_lite.sync.test_enrolment import ENROLMENT
from tests.program import hdr_lite


def test_mistakes_at_the_start(tmp_path: Path) -> None:
    """A wrong name, a doubled interface, an unknown setting: a sentence each, status 2."""
    for words, sentence in (
        (("-P", "a/b"), "-P a/b: a name is 1 to 32"),
        (("-i", "lo", "-i", "lo"), "-i lo is given twice"),
        (("-i", "lo", "--set", "ring.size=7"), "ring.size must be"),
        (("-i", "no-such-0", "-o", "/dev/null/out"), "no-such-0: no such interface"),
    ):
        done = hdr_lite("daemon", "--runtime", tmp_path, *words)
        assert done.status == 2, done.stderr
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "hdr-lite.sock").exists()


def test_no_inside_interface(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no interface has an inside address the person is asked to name one."""
    monkeypatch.setattr(daemon, "inside_interfaces", lambda home: [])
    from hdr_lite.cli import main

    assert main(["daemon", "--runtime", str(tmp_path)]) == 2


def test_what_a_reload_may_change() -> None:
    """Thresholds change; the source, and the size of the ring and of windows, stay until the next
    start."""
    old = Config()
    wanted = replace(
        old,
        ring=RingConfig(size=1 << 21),
        detection=DetectionConfig(threshold=3.0, window=60.0),
        capture=CaptureConfig(source="nflog", filter="arp"),
    )
    new, notes = _within_a_life(old, wanted)
    assert new.ring == old.ring
    assert new.detection == replace(old.detection, threshold=3.0)
    assert new.capture == replace(old.capture, filter="arp")
    assert notes == ["capture.source", "ring.size", "detection.window"]
    assert _within_a_life(old, old) == (old, [])


def test_reporting_may_take_memory(tmp_path: Path) -> None:
    """A device that is enrolled has what reporting takes in addition, unless somebody has said how
    much all may take."""
    parser = argparse.ArgumentParser()
    daemon.add_arguments(parser)
    words = ["--set", f"sync.state={tmp_path}"]
    said = [*words, "--set", "memory.total=60000000"]

    def total(words: list[str]) -> int:
        return daemon._load(parser.parse_args(words)).config.memory.total

    assert total(words) == MemoryConfig().total
    save_enrolment(str(tmp_path), ENROLMENT)
    assert total(words) == REPORTING_TOTAL
    assert total(said) == 60_000_000


def test_the_collector_is_never_blocked(tmp_path: Path) -> None:
    """Its name or address is on the allow list while the device is enrolled."""
    state = str(tmp_path)
    words = ["--set", f"sync.state={state}", "--allow", "192.0.2.1"]
    parser = argparse.ArgumentParser()
    daemon.add_arguments(parser)
    arguments = parser.parse_args(words)
    assert daemon._load(arguments).config.enforcer.allow == ("192.0.2.1",)
    for url, host in (
        ("https://c.example", "c.example"),
        ("https://[2001:db8::1]:8443", "2001:db8::1"),
        ("https://localhost:8443", "localhost"),
    ):
        save_enrolment(state, replace(ENROLMENT, url=url))
        allow = daemon._load(arguments).config.enforcer.allow
        assert allow == ("192.0.2.1", host)
        parse_allow(allow)
