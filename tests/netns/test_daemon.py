"""The service on a wire: who its processes are, what happens when they die, how it stops."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.netns.network import wires
from tests.netns.service import ENVIRONMENT, PROGRAM, Service, serving
from tests.program import ROOT

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
]

NET_ADMIN, NET_RAW = 1 << 12, 1 << 13
#: KILL SETGID SETUID SETPCAP NET_ADMIN NET_RAW.
SUPERVISOR = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 12 | 1 << 13


def of_proc(pid: int) -> dict[str, str]:
    """/proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def test_what_each_process_has_given_up() -> None:
    """The kernel shows of each child: another user, no capability it does not need, a filter."""
    with serving() as service:
        pids = {name: process["pid"] for name, process in service.processes().items()}
        status = {name: of_proc(pid) for name, pid in pids.items()}
        for name, capabilities in (("sensor", NET_RAW), ("engine", 0), ("enforcer", NET_ADMIN)):
            said = status[name]
            assert "0" not in said["Uid"].split() + said["Gid"].split()
            assert said["Groups"] == ""
            for field in ("CapEff", "CapPrm", "CapBnd"):
                assert int(said[field], 16) == capabilities
            for field in ("CapInh", "CapAmb"):
                assert int(said[field], 16) == 0
            assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
        for field in ("CapEff", "CapPrm", "CapBnd"):
            assert int(status["supervisor"][field], 16) == SUPERVISOR
        assert status["supervisor"]["NoNewPrivs"] == "1"
        assert service.stop() == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"net_raw": NET_RAW}, {"sensor": NET_RAW, "engine": 0}),
        (
            {"net_raw": NET_RAW, "net_admin": NET_ADMIN},
            {"sensor": NET_RAW, "engine": 0, "enforcer": NET_ADMIN},
        ),
    ],
    ids=["to capture", "to block"],
)
def test_without_root(given: dict[str, int], kept: dict[str, int]) -> None:
    """Started by a user with these capabilities alone: all are that user and differ by what they
    kept of them, in a filter each; status says so."""
    capabilities = ",".join(["-all", *(f"+{name}" for name in given)])
    words = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    sets = (f"--{name}={capabilities}" for name in ("inh-caps", "ambient-caps", "bounding-set"))
    with TemporaryDirectory(prefix="hdr-lite-") as name, wires(1) as network:
        folder = Path(name)
        folder.chmod(0o777)
        service = Service(network, folder, *words, *sets)
        try:
            service.until_said("hdr-lite: ready\n")
            status = service.status()
            processes = {process["name"]: process for process in status["processes"]}
            assert processes.keys() == {"supervisor", *kept}
            for name, capability in {"supervisor": sum(given.values()), **kept}.items():
                said = of_proc(processes[name]["pid"])
                assert set(said["Uid"].split() + said["Gid"].split()) == {"65534"}
                assert said["Groups"] == ""
                for field in ("CapEff", "CapPrm"):
                    assert int(said[field], 16) == capability
                assert said["NoNewPrivs"] == "1"
                if name in kept:
                    assert (int(said["CapAmb"], 16), int(said["CapInh"], 16)) == (0, 0)
                    assert said["Seccomp"] == "2"
            assert status["users"].startswith("all are one")
            blind = [text for text in status["blind"] if text.startswith("nobody can be blocked")]
            assert len(blind) == ("enforcer" not in kept)
            assert service.stop() == 0
        finally:
            service.close()


def test_processes_that_are_killed() -> None:
    """Sensor and engine are killed: both are back within 2 s, attached to the same ring, and what
    is sent then is found; the files go on where they ended."""
    with serving() as service:
        sent = service.send("arp_spoof")
        service.until(lambda: service.packets() >= sent)
        service.until(service.evidence)
        before = service.evidence()
        for name in ("sensor", "engine"):
            os.kill(service.processes()[name]["pid"], signal.SIGKILL)
            started = time.monotonic()
            service.until_said(f"the {name} is back")
            assert time.monotonic() - started < 2
        sent = service.send("scan_syn")
        service.until(lambda: service.packets() >= sent)
        service.until(lambda: "VERTICAL_PORT_SCAN" in {e["type"] for e in service.evidence()})
        assert service.evidence()[: len(before)] == before
        ids = [(e["id"], e["count"]) for e in service.evidence()]
        assert len(ids) == len(set(ids))
        errors = (service.folder / "out/errors.log").read_text()
        for name in ("sensor", "engine"):
            assert f"the {name} was ended by SIGKILL; it starts again in 0.1 s" in errors
            assert service.processes()[name]["restarts"] == 1
        assert service.stop() == 0


def test_what_is_sent_while_the_engine_is_away() -> None:
    """The ring holds what arrives while there is no engine; the next one reads it."""
    with serving() as service:
        engine = service.processes()["engine"]["pid"]
        os.kill(engine, signal.SIGSTOP)
        sent = service.send("scan_syn")
        words = [*PROGRAM, "status", "--json", "--runtime", str(service.folder)]
        done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
        assert json.loads(done.stdout)["sensor"]["ring"]["used"] > 0
        os.kill(engine, signal.SIGKILL)
        service.until(lambda: "VERTICAL_PORT_SCAN" in {e["type"] for e in service.evidence()})
        assert service.packets() >= sent
        assert service.stop() == 0


def test_reload_keeps_what_was_learned() -> None:
    """SIGHUP with other settings: the engine goes on, its counts stay, a module ends."""
    with serving() as service:
        sent = service.send("arp_spoof")
        service.until(lambda: service.packets() >= sent)
        service.until(lambda: service.status()["engine"]["evidence"] > 0)
        before = service.status()
        service.write_settings('[modules]\ndisable = ["arp"]\n')
        service.process.send_signal(signal.SIGHUP)
        service.until(lambda: "arp" not in service.status()["engine"]["modules"])
        after = service.status()
        assert after["engine"]["evidence"] >= before["engine"]["evidence"]
        names = ("sensor", "engine")
        pids = [{p["name"]: p.get("pid") for p in s["processes"]} for s in (before, after)]
        assert [pids[0][n] for n in names] == [pids[1][n] for n in names]
        service.write_settings("[detection]\nthreshhold = 1\n")
        service.process.send_signal(signal.SIGHUP)
        service.until_said("not reloaded, the old settings hold")
        assert "unknown key 'detection.threshhold'" in service.said
        service.write_settings('[capture]\nfilter = "arp"\n')
        service.process.send_signal(signal.SIGHUP)
        service.until_said("the sensor is back")
        assert service.processes()["engine"]["pid"] == pids[0]["engine"]
        assert service.stop() == 0


def test_interface_that_goes_and_comes_back() -> None:
    """An interface is removed and made again: it is watched again, status says what is missing."""
    with serving() as service:
        service.network.outer.run("ip", "link", "del", "out0")
        service.until(lambda: "in0: there is no such interface now" in service.status()["blind"])
        outer, inner = service.network.outer, service.network.inner
        outer.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "in0")
        outer.run("ip", "link", "set", "in0", "netns", inner.name)
        outer.run("ip", "link", "set", "out0", "up")
        inner.run("ip", "link", "set", "in0", "up")
        service.until_said("in0: watched again")
        sent = service.send("scan_syn")
        service.until(lambda: service.packets() >= sent)
        assert service.processes()["sensor"]["restarts"] == 0
        assert service.stop() == 0


def test_second_start_is_refused() -> None:
    """Two at once are told apart by a name; without one the second ends at once, status 2."""
    with serving() as service:
        words = (*PROGRAM, "daemon", "-i", "in0", "--runtime", str(service.folder))
        done = subprocess.run(
            service.network.inner.words(*words),
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert re.search(r"hdr-lite is in use by process \d+", done.stderr)
        assert service.stop() == 0


def test_memory() -> None:
    """Four processes together, after an attack, stay within the budget of 48 MB (PSS)."""
    with serving() as service:
        sent = service.send("syn_flood")
        service.until(lambda: service.packets() >= sent // 2)
        assert 8 << 20 < service.status()["memory"] < 48 << 20
        assert service.stop() == 0
