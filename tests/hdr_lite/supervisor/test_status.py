"""What the status says."""

import os
import subprocess
from typing import Any

from hdr_lite.link.codec import Opened
from hdr_lite.link.end import End
from hdr_lite.supervisor.child import Child, fork_child
from hdr_lite.supervisor.member import Member
from hdr_lite.supervisor.restart import LOOP
from hdr_lite.supervisor.role import Role
from hdr_lite.supervisor.status import StatusReport, of_process


def _idle(end: End, _stop: object) -> int:
    while True:
        for _ in end.receive():
            pass


def _report(members: list[Member]) -> dict[str, Any]:
    report = StatusReport("t", lambda: {"source": "capture"}, lambda: ["in0: is down"], lambda: 9.0)
    return report(members)


def test_of_a_process() -> None:
    """User, capabilities and seccomp are the kernel's words; a process that is gone has none."""
    facts = of_process(os.getpid())
    assert facts["uid"] == os.geteuid()
    assert facts["seccomp"] in ("off", "filter")
    process = subprocess.Popen(["true"])
    process.wait()
    assert of_process(process.pid) == {}


def test_whole() -> None:
    """The supervisor and each process, with figures under its name, trouble and blind spots."""
    member = Member(Role("sensor", _idle, Opened))
    member.adopt(fork_child("sensor", "t:sensor", _idle, lambda _end: None), 9.0)
    member.figures = {"memory": 5, "flows": 6, "blind": ["what it cannot do"]}
    status = _report([member])
    child: Child | None = member.child
    assert child is not None
    child.kill(9)
    child.wait()
    supervisor, sensor = status["processes"]
    assert (supervisor["name"], sensor["name"]) == ("supervisor", "sensor")
    assert sensor["pid"] == child.pid
    assert sensor["state"] == "starting"
    assert status["memory"] == supervisor["memory"] + 5
    assert status["sensor"] == member.figures
    assert status["blind"] == ["in0: is down", "what it cannot do"]
    assert status["users"] == "all are one: processes differ by capabilities and seccomp only"
    assert status["trouble"] == []
    member.lose()


def test_trouble() -> None:
    """A process that is down, a crash loop and lost messages are trouble."""
    member = Member(Role("sensor", _idle, Opened))
    member.last_end = "was ended by SIGSEGV"
    member.back_off.started(9.0)
    member.dropped = 3
    assert _report([member])["trouble"] == [
        "the sensor was ended by SIGSEGV and is about to start again",
        "3 messages never reached the sensor",
    ]
    for _ in range(LOOP):
        member.back_off.died(9.0)
    assert _report([member])["trouble"][0] == "the sensor was ended by SIGSEGV, 5 times in a row"
