"""Alerts that wait for a collector, while engine and service are killed; and what that costs who
has none."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hdr_lite.spool import Cursor, Record, SpoolReader, save_cursor
from tests.netns.network import Network, wires
from tests.netns.service import Service
from tests.program import ROOT

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
ACCOUNTS = {"sensor": 64801, "engine": 64802, "enforcer": 64803, "sync": 64804}
#: Within a namespace of its own, where the system has an account for each process.
WITH_ACCOUNTS = (
    'mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group && shift 2 && exec "$@"'
)
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


def make_accounts(folder: Path) -> tuple[str, ...]:
    """Words to start a program with where these accounts exist."""
    passwd, group = Path("/etc/passwd").read_text(), Path("/etc/group").read_text()
    for name, number in ACCOUNTS.items():
        passwd += f"hdr-lite-{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
        group += f"hdr-lite-{name}:x:{number}:\n"
    (folder / "passwd").write_text(passwd)
    (folder / "group").write_text(group)
    names = (str(folder / "passwd"), str(folder / "group"))
    return ("unshare", "-m", "sh", "-c", WITH_ACCOUNTS, "sh", *names)


def may(name: str, mode: str, path: Path) -> bool:
    """Whether that process's account may open a file, or for ``make`` make one in a directory."""
    account = ACCOUNTS[name]
    words = ["setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups", "sh", "-c"]
    tests = {"read": 'cat "$0" >/dev/null', "write": ': >>"$0"', "make": ': >"$0/new"'}
    done = subprocess.run([*words, tests[mode], str(path)], capture_output=True)
    return done.returncode == 0


def test_who_may_do_what() -> None:
    """The engine writes the spool and reads the cursor; sync reads the spool, and writes its own
    directory; nobody else reads either, and the enforcer keeps its file beside them."""
    with bed() as (network, folder):
        text = SETTINGS.replace("{folder}", "{folder}/state").format(folder=folder)
        words = make_accounts(folder)
        service = Service(network, folder, *words, settings=text)
        try:
            service.until_said("hdr-lite: ready\n")
            service.send("scan_syn")
            spool, sync = folder / "state/spool", folder / "state/sync"
            service.until(lambda: any(path.stat().st_size for path in spool.glob("*.seg")))
            (segment,) = spool.glob("*.seg")
            secret, cursor = sync / "enrolment", sync / "cursor"
            secret.write_text("secret")
            secret.chmod(0o600)
            os.chown(secret, ACCOUNTS["sync"], ACCOUNTS["sync"])
            as_sync = ["setpriv", f"--reuid={ACCOUNTS['sync']}", f"--regid={ACCOUNTS['sync']}"]
            save = "import sys; from pathlib import Path; from hdr_lite.spool import *;"
            save += " save_cursor(Path(sys.argv[1]), Cursor('0' * 16, 1))"
            program = [sys.executable, "-c", save, str(cursor)]
            subprocess.run([*as_sync, "--clear-groups", *program], cwd=ROOT, check=True)
            wanted = {
                ("engine", "write", segment),
                ("engine", "make", spool),
                ("engine", "read", segment),
                ("engine", "read", cursor),
                ("sync", "read", segment),
                ("sync", "read", cursor),
                ("sync", "write", cursor),
                ("sync", "read", secret),
                ("sync", "write", secret),
                ("sync", "make", sync),
                ("enforcer", "make", folder / "state"),
            }
            files = [
                (mode, path) for path in (segment, cursor, secret) for mode in ("read", "write")
            ]
            makes = [("make", path) for path in (spool, sync, folder / "state")]
            found = {
                (name, mode, path)
                for name in ACCOUNTS
                for mode, path in (*files, *makes)
                if may(name, mode, path)
            }
            assert found == wanted
            assert service.stop() == 0
        finally:
            service.close()
