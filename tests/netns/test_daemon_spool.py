"""Alerts that wait for a collector, while engine and service are killed; and what that costs who
has none."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hdr_lite.spool import Cursor, Record, SpoolReader, save_cursor
from tests.netns.network import Network, wires
from tests.netns.service import Service

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
]

SETTINGS = """
[detection]
threshold = 0.1
[sync]
spool = "{folder}/spool"
state = "{folder}/sync"
"""
SCENARIOS = ("scan_syn", "arp_spoof", "scan_horizontal", "scan_worldwide", "sweep_echo")


@contextmanager
def bed() -> Iterator[tuple[Network, Path]]:
    """A wire and a folder that every user may enter."""
    with TemporaryDirectory(prefix="hdr-lite-") as name, wires(1) as network:
        folder = Path(name)
        folder.chmod(0o755)
        yield network, folder


def start(network: Network, folder: Path) -> Service:
    service = Service(network, folder, settings=SETTINGS.format(folder=folder))
    try:
        service.until_said("hdr-lite: ready\n")
    except BaseException:
        service.close()
        raise
    return service


def incidents(folder: Path) -> list[str]:
    """Ids of the alerts in alerts.json."""
    lines = [json.loads(line) for line in (folder / "out/alerts.json").read_text().splitlines()]
    return [line["ID"] for line in lines if line["Status"] == "Incident"]


def waiting(folder: Path) -> list[Record]:
    reader, cursor, found = SpoolReader(folder / "spool"), None, []
    while batch := reader.read(cursor, 100, 1 << 20):
        found += batch.records
        cursor = batch.cursor
    return found


def told(folder: Path) -> list[str]:
    return [record.payload["alert"]["ID"] for record in waiting(folder)]


def test_killed_over_and_over() -> None:
    """The engine, ten times during attacks, and the service itself: what alerts.json tells is in
    the spool, each alert once, under numbers that rise in one epoch."""
    with bed() as (network, folder):
        service = start(network, folder)
        try:
            for round_ in range(10):
                service.send(SCENARIOS[round_ % len(SCENARIOS)])
                time.sleep(0.05 * (round_ % 3))
                os.kill(service.processes()["engine"]["pid"], signal.SIGKILL)
                service.until(lambda: service.processes()["engine"]["state"] == "ready")
            service.until(lambda: len(incidents(folder)) >= 3)
            service.process.kill()
            service.process.wait()
        finally:
            service.close()
        service = start(network, folder)
        try:
            before = len(incidents(folder))
            service.send("scan_udp")
            service.until(lambda: len(incidents(folder)) > before)
            assert service.stop() == 0
        finally:
            service.close()
        assert sorted(told(folder)) == sorted(incidents(folder))
        assert len({path.name[:16] for path in (folder / "spool").glob("*.seg")}) == 1
        for record in waiting(folder):
            evidence = [event["ID"] for event in record.payload["evidence"]]
            assert evidence == record.payload["alert"]["CorrelID"]


def test_status_and_owners() -> None:
    """What waits is shown; the directories are of the two processes and closed to others."""
    with bed() as (network, folder):
        service = start(network, folder)
        try:
            service.send("scan_syn")
            service.until(lambda: service.status()["engine"]["spool"]["waiting"])
            spool = service.status()["engine"]["spool"]
            assert spool["waiting"] == len(incidents(folder))
            assert spool["bytes"] > 500
            assert (spool["dropped"], spool["directory"]) == (0, str(folder / "spool"))
            engine = service.processes()["engine"]["uid"]
            assert (folder / "spool").stat().st_uid == engine
            for path in (folder / "spool").iterdir():
                assert path.stat().st_uid == engine
                assert path.stat().st_mode & 0o007 == 0
            last = waiting(folder)[-1].number
            batch = SpoolReader(folder / "spool").read(None, 1, 1)
            assert batch is not None
            save_cursor(folder / "sync/cursor", Cursor(batch.epoch, last + 1))
            (folder / "sync/cursor").chmod(0o644)  # that it is root who wrote it
            service.until(lambda: service.status()["engine"]["spool"]["waiting"] == 0)
            assert service.stop() == 0
        finally:
            service.close()


def test_without_a_collector() -> None:
    """Neither directory nor figure nor file."""
    with bed() as (network, folder):
        service = Service(network, folder, settings=f'[sync]\nstate = "{folder}/sync"\n')
        try:
            service.until_said("hdr-lite: ready\n")
            assert "spool" not in service.status()["engine"]
            assert service.stop() == 0
        finally:
            service.close()
        assert not (folder / "spool").exists()
        assert not (folder / "sync").exists()


def test_spool_that_cannot_be_written() -> None:
    """Detection goes on, and status says what is missing."""
    with bed() as (network, folder):
        (folder / "spool").mkdir(mode=0o700)
        service = start(network, folder)
        try:
            service.send("scan_syn")
            service.until(lambda: incidents(folder))
            text = "cannot write the spool: Permission denied"
            service.until(lambda: text in service.status()["blind"])
            assert text in (folder / "out/errors.log").read_text()
            assert service.stop() == 1  # as for every output that failed
        finally:
            service.close()
