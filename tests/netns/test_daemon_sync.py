"""A service that is enrolled while it runs: its new process, what that may, what it sends."""

import json
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgpack
import pytest

from hdr_lite.records.batch import Token, digest_text
from tests.hdr_lite.sync.certificates import Authority
from tests.hdr_lite.sync.server import Asked, Server, Told
from tests.hdr_lite.sync.test_enrolment import ENROLMENT
from tests.hdr_lite.sync.test_sender import Collector
from tests.netns.bed import within
from tests.netns.network import wires
from tests.netns.service import ENVIRONMENT, PROGRAM, Service
from tests.netns.test_daemon import of_proc
from tests.program import ROOT

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl"),
]


class Site:
    """A service and a collector of a test's own, in one namespace."""

    def __init__(self, service: Service, server: Server, authority: Authority) -> None:
        self.service, self.server = service, server
        self.collector = Collector()
        server.answer = self._answer
        self._pem = authority.pem
        der = ssl.PEM_cert_to_DER_cert(authority.pem)
        self._token = str(Token("0123abcd", "s" * 43, digest_text(der)))

    def _answer(self, asked: Asked) -> Told | None:
        if asked.path == "/v1/ca":
            return Told(200, self._pem.encode())
        if asked.path == "/v1/enrol":
            said = {"device": ENROLMENT.device, "secret": ENROLMENT.secret}
            return Told(200, msgpack.packb(said))
        return self.collector(asked)

    def enrol(self, *words: str) -> str:
        """``hdr-lite enrol``; what it printed."""
        where = ("-c", str(self.service.settings), "--runtime", str(self.service.folder))
        inside = self.service.network.inner
        done = subprocess.run(
            inside.words(*PROGRAM, "enrol", *(words or self._first()), *where),
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _first(self) -> tuple[str, ...]:
        return (self.server.url, "--token", self._token, "--name", "attic")

    def alerts(self) -> list[str]:
        """IDs of the alerts that arrived."""
        return [payload["alert"]["ID"] for payload in self.collector.kept.values()]

    def raised(self) -> list[str]:
        """IDs of the alerts that the service wrote into its own file."""
        text = (self.service.folder / "out/alerts.json").read_text()
        objects = [json.loads(line) for line in text.splitlines()]
        return [entry["ID"] for entry in objects if entry["Status"] == "Incident"]


@contextmanager
def reporting() -> Iterator[Site]:
    """A service that is ready and not enrolled."""
    with TemporaryDirectory(prefix="hdr-lite-") as name, wires(1) as network:
        folder = Path(name)
        folder.chmod(0o755)
        network.inner.run("ip", "link", "set", "lo", "up")
        authority = Authority(folder / "ca")
        identity = authority.sign("collector")
        settings = (
            "[detection]\nthreshold = 0.2\n"
            f'[sync]\nstate = "{folder}/lib/sync"\nspool = "{folder}/lib/spool"\n'
        )
        service = Service(network, folder, settings=settings)
        try:
            with within(network.inner, lambda: Server(identity)) as server:
                service.until_said("hdr-lite: ready\n")
                yield Site(service, server, authority)
                assert service.stop() == 0
        finally:
            service.close()


def test_enrolled_reporting_killed_and_forgotten() -> None:
    """No process before; after it one of its own user, without capability, in a filter; alerts
    arrive, each once, also when it is killed; none is left when the device is forgotten."""
    with reporting() as site:
        service = site.service
        assert "sync" not in service.processes()
        assert "the service was told: it reports from now on" in site.enrol()
        service.until(lambda: service.processes().get("sync", {}).get("state") == "ready")
        service.until(lambda: site.collector.health)
        said = of_proc(service.processes()["sync"]["pid"])
        assert "0" not in said["Uid"].split() + said["Gid"].split()
        assert (said["Groups"], said["NoNewPrivs"], said["Seccomp"]) == ("", "1", "2")
        for field in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
            assert int(said[field], 16) == 0
        service.until(lambda: service.status()["sync"]["last_success"] is not None)
        service.until(lambda: "engine" in service.status() and service.status()["ready"])
        site.service.send("arp_spoof")
        service.until(site.raised)
        service.until(lambda: set(site.raised()) == set(site.alerts()), 30)
        os.kill(service.processes()["sync"]["pid"], signal.SIGKILL)
        service.until_said("the sync is back")
        service.send("scan_syn")
        before = len(site.alerts())
        service.until(lambda: len(site.raised()) > before)
        service.until(lambda: set(site.raised()) == set(site.alerts()), 30)
        assert len(site.alerts()) == len(set(site.alerts()))
        shown = subprocess.run(
            [*PROGRAM, "status", "--runtime", str(service.folder)],
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        ).stdout
        assert f"collector {site.server.url}, known there as attic; sent: all, " in shown
        assert "forgotten" in site.enrol("--forget")
        service.until(lambda: "sync" not in service.processes())
        secret = ENROLMENT.secret.hex()
        assert secret not in service.said
        assert "s" * 43 not in service.said
        assert "Traceback" not in service.said


def test_the_sleeping_process_is_small() -> None:
    """No TLS in it while it sleeps: its round had it, and is gone."""
    with reporting() as site:
        site.enrol()
        service = site.service
        service.until(lambda: service.status().get("sync", {}).get("last_success") is not None)
        pid = service.processes()["sync"]["pid"]
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert "_ssl" not in maps
        assert "libssl" not in maps
        assert Path(f"/proc/{pid}/task/{pid}/children").read_text() == ""
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {name: int(words.split()[0]) for name, words in (line.split(":") for line in lines)}
        assert sizes["Private_Dirty"] < 5 << 10, sizes  # KiB: 2.9 from the start, 3.6 enrolled late
