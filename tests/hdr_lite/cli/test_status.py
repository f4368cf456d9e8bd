"""What the status looks like to a person and to a script."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hdr_lite.cli import main
from hdr_lite.supervisor.control import Reply
from tests.hdr_lite.supervisor.serving import serving

STATUS: dict[str, Any] = {
    "version": "0.1.0",
    "ready": True,
    "uptime": 93784.0,
    "users": "each process has its own",
    "source": "capture",
    "source_why": "the device does not forward",
    "interfaces": ["br-lan"],
    "memory": 24 << 20,
    "processes": [
        {
            "name": "sensor",
            "state": "ready",
            "pid": 17,
            "user": "hdr-lite-sensor",
            "memory": 3 << 20,
            "capabilities": ["CAP_NET_RAW"],
            "seccomp": "filter",
            "restarts": 12,
            "last_end": "was ended by SIGKILL",
        },
        {
            "name": "engine",
            "state": "waiting",
            "memory": 0,
            "restarts": 1,
            "last_end": "ended with status 1",
        },
    ],
    "sensor": {
        "sources": [
            {"name": "br-lan", "packets": 1234, "dropped": 1, "interface_dropped": 2, "error": ""}
        ],
        "flows": 5,
        "counters": {"packets": 1234, "evicted_flows": 6, "evicted_sources": 0},
        "malformed": {"ipv4_length": 2},
        "ring": {"used": 512, "capacity": 1024, "dropped": {"FLOW": 7}},
    },
    "engine": {
        "profiles": 3,
        "spool": {"directory": "/spool", "bytes": 3 << 20, "waiting": 1234, "dropped": 5},
        "evidence": 4,
        "alerts": 1,
        "modules": {
            "arp": {
                "state": "running",
                "messages": 8,
                "findings": 9,
                "failures": 0,
                "waiting": 0,
                "dropped": 10,
                "memory": 20480,
                "cpu_seconds": 1.25,
            }
        },
    },
    "enforcer": {
        "memory": 5,
        "mode": "block",
        "panic": False,
        "unconfirmed": 540,
        "blocks": 2,
        "limits": 1,
        "rates": 0,
        "quarantined": 3,
        "outcomes": {"blocked": 2, "refused": 1},
    },
    "sync": {
        "memory": 6,
        "url": "https://192.0.2.1:8443",
        "name": "attic",
        "last_success": 65,
        "last_error": "it is busy",
        "failures": 2,
        "next": 3,
    },
    "trouble": [],
    "blind": ["br-lan: is down"],
}


@contextmanager
def answering(folder: Path, status: Mapping[str, Any]) -> Iterator[None]:
    """A service that has this to say."""

    def handler(request: Mapping[str, Any], reply: Reply) -> None:
        assert request == {"verb": "status"}
        reply(status)

    with serving(folder / "hdr-lite.sock", handler):
        yield


PICTURE = """\
hdr-lite 0.1.0: ready, up 1 d 2 h 3 min 4 s
mode      block, for 9 min 0 s yet: 'hdr-lite arm --confirmed' keeps it
held      2 blocked, 1 limited, 3 quarantined, 0 rates
orders    blocked 2, refused 1
collector https://192.0.2.1:8443, known there as attic; sent: all, 1 min 5 s ago
          2 times in vain: it is busy; again in 0 min 3 s
source    capture on br-lan
          the device does not forward
users     each process has its own
blind     br-lan: is down

process  state    pid  user              memory  restarts  seccomp  capabilities
sensor   ready     17  hdr-lite-sensor   3.0 MB        12  filter   NET_RAW
engine   waiting                                        1
all                                     24.0 MB
last end  the sensor was ended by SIGKILL
last end  the engine ended with status 1

source  packets  dropped by kernel  by interface
br-lan    1,234                  1             2
flows     5
ring      50 % full, dropped: FLOW 7
evicted   flows 6
malformed ipv4_length 2

module  state    messages  waiting  dropped  findings  failures  memory    CPU
arp     running         8        0       10         9         0   20 kB  1.2 s
profiles  3; evidence 4, alerts 1 since the engine's start
spool     1,234 alerts wait for the collector, 3.0 MB in /spool; 5 dropped since the engine's start
"""


def test_for_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What one looks for first, then a table each of processes, sources and modules."""
    with answering(tmp_path, STATUS):
        assert main(["status", "--runtime", str(tmp_path)]) == 0
    assert capsys.readouterr().out == PICTURE


def test_for_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object, all that the service said; trouble is exit status 1."""
    status = {**STATUS, "trouble": ["the engine is gone"]}
    with answering(tmp_path, status):
        assert main(["status", "--json", "--runtime", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out) == status


def test_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a service: one sentence, status 2."""
    assert main(["status", "--runtime", str(tmp_path)]) == 2
    assert "nothing runs that listens at" in capsys.readouterr().err


def test_a_collector_that_was_not_reached_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was sent, and nothing failed: one line."""
    sync = {**STATUS["sync"], "last_success": None, "last_error": "", "failures": 0}
    with answering(tmp_path, {**STATUS, "sync": sync}):
        main(["status", "--runtime", str(tmp_path)])
    shown = capsys.readouterr().out
    assert "known there as attic; sent: nothing since its start\nsource" in shown
