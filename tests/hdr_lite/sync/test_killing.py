"""From an alert to the real collector's storage, over kills of both sides: each exactly once."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hdr_lite.cli import main
from hdr_lite.outputs.spool import Spool
from hdr_lite.sync import pace
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE
from tests.hdr_lite.sync.real import RealCollector, needs_collector
from tests.hdr_lite.sync.test_process import Syncing

ALERTS = 1000


@pytest.fixture(name="collector")
def _collector(tmp_path: Path) -> Iterator[RealCollector]:
    needs_collector()
    made = RealCollector(tmp_path)
    yield made
    made.close()


def enrol(collector: RealCollector, folder: Path) -> None:
    where = ("--set", f"sync.state={folder}/state", "--set", f"sync.spool={folder}/spool")
    token = collector.token()
    words = ["enrol", collector.url, "--token", token, "--name", "attic"]
    assert main([*words, "--runtime", str(folder), *where]) == 0


class Alerts:
    """The engine's side: raises alerts that have an id each."""

    def __init__(self, folder: Path, syncing: Callable[[], Syncing]) -> None:
        self.spool = Spool(
            folder / "spool", 16 << 20, folder / "state" / "cursor", told=lambda: syncing().wake()
        )
        self.spool.open()
        self.raised: list[str] = []

    def raise_some(self, count: int) -> None:
        for _ in range(count):
            number = len(self.raised)
            evidence = replace(EVIDENCE, id=f"00000000-0000-5000-8000-1{number:011}")
            alert = replace(
                ALERT, id=f"00000000-0000-5000-8000-2{number:011}", evidence=(evidence,)
            )
            self.raised.append(alert.id)
            self.spool.alert(alert)
        self.spool.flush()


def test_each_alert_once(
    collector: RealCollector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand alerts over some seconds; meanwhile the collector and the device's process are
    killed three times each, at any moment."""
    for name, value in (("GATHER", 0.02), ("LEAST", 0.05), ("SHORTEST", 0.1), ("LONGEST", 0.5)):
        monkeypatch.setattr(pace, name, value)
    enrol(collector, tmp_path)
    dice = random.Random(7)
    alive = [Syncing(tmp_path / "spool", tmp_path / "state")]
    alerts = Alerts(tmp_path, lambda: alive[0])
    kills = ["collector", "sync"] * 3
    moments = dict(zip(sorted(dice.sample(range(1, ALERTS // 10), 6)), kills, strict=True))
    for step in range(ALERTS // 10):
        alerts.raise_some(10)
        time.sleep(0.05 * dice.random())
        if moments.get(step) == "collector":
            collector.kill()
            alerts.raise_some(0)
            collector.start()
        elif moments.get(step) == "sync":
            alive[0].close()
            alive[0] = Syncing(tmp_path / "spool", tmp_path / "state")
    alive[0].until(lambda: len(collector.alerts()) == ALERTS, 60)
    alive[0].until(lambda: alive[0].figures()["last_error"] == "")
    assert collector.alerts() == dict.fromkeys(alerts.raised, 1)
    assert collector.rows("SELECT sum(dropped) FROM device") == [(0,)]
    alive[0].close()
    alerts.spool.close()


def test_rotated_and_revoked(
    collector: RealCollector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A new secret serves at once, and twice; a token serves once."""
    monkeypatch.setattr(pace, "GATHER", 0.02)
    monkeypatch.setattr(pace, "LEAST", 0.05)
    enrol(collector, tmp_path)
    where = ("--set", f"sync.state={tmp_path}/state", "--runtime", str(tmp_path))
    syncing = Syncing(tmp_path / "spool", tmp_path / "state")
    alerts = Alerts(tmp_path, lambda: syncing)
    for count in (1, 2, 3):
        alerts.raise_some(1)
        syncing.until(lambda count=count: len(collector.alerts()) == count)
        assert main(["enrol", "--rotate", *where]) == 0
    assert collector.alerts() == dict.fromkeys(alerts.raised, 1)
    assert syncing.notices() == []
    health = collector.rows("SELECT count(*) FROM device")
    assert health == [(1,)]
    syncing.close()
    alerts.spool.close()
