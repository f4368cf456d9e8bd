"""What ``hdr-lite status`` shows: what the kernel says of each process, what each says itself.

Users, capabilities and seccomp come from /proc, so that a process that was taken over cannot
embellish them; the figures are the process's own.
"""

import os
import pwd
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hdr_lite import __version__
from hdr_lite.link.figures import own_memory
from hdr_lite.supervisor.member import Member
from hdr_lite.supervisor.privileges import Capability

_MODES = ("off", "strict", "filter")


class StatusReport:
    """Makes the answer; ``blind`` says what cannot be seen now, children what they cannot do."""

    def __init__(
        self,
        instance: str,
        facts: Callable[[], dict[str, Any]],
        blind: Callable[[], list[str]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``facts`` are further ones about the whole, such as the interfaces."""
        self._instance = instance
        self._facts = facts
        self._blind = blind
        self._now = now
        self._started = now()

    def __call__(self, members: Sequence[Member]) -> dict[str, Any]:
        """The answer, as JSON objects."""
        now = self._now()
        processes = [self._supervisor(), *(_describe(member, now) for member in members)]
        return {
            "version": __version__,
            "instance": self._instance,
            "uptime": round(now - self._started, 1),
            "ready": all(member.ready for member in members),
            "users": _users(processes),
            **self._facts(),
            "memory": sum(process.get("memory", 0) for process in processes),
            "processes": processes,
            **{member.name: member.figures for member in members},
            "trouble": _trouble(members, now),
            "blind": [*self._blind(), *(spot for m in members for spot in _blind_of(m))],
        }

    def _supervisor(self) -> dict[str, Any]:
        return {
            "name": "supervisor",
            "state": "running",
            **of_process(os.getpid()),
            "memory": own_memory(),
            "restarts": 0,
            "last_end": "",
        }


def _blind_of(member: Member) -> list[str]:
    """What a process says itself that it cannot see or stop."""
    spots = member.figures.get("blind")
    return [str(spot) for spot in spots] if isinstance(spots, list) else []


def of_process(pid: int) -> dict[str, Any]:
    """What the kernel says of a process; nothing when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    said = dict(line.split(":", 1) for line in lines)
    uid = int(said["Uid"].split()[1])
    return {
        "pid": pid,
        "user": _name_of(uid),
        "uid": uid,
        "capabilities": _capabilities(said["CapEff"]),
        "bounding": _capabilities(said["CapBnd"]),
        "no_new_privs": said.get("NoNewPrivs", "0").strip() == "1",
        "seccomp": _MODES[min(int(said.get("Seccomp", "0")), 2)],
    }


def _describe(member: Member, now: float) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": member.name,
        "state": "ready" if member.ready else "starting" if member.child else "waiting",
        "memory": 0,
        "restarts": max(0, member.starts - 1),
        "last_end": member.last_end,
        "crash_loop": member.back_off.looping(now),
        "unread": member.dropped,
    }
    if member.child is not None:
        facts.update(of_process(member.child.pid))
        facts["memory"] = member.figures.get("memory", 0)
    return facts


def _capabilities(text: str) -> list[str]:
    """Names; what we have no name for is its number."""
    value = int(text, 16)
    names = {int(c): f"CAP_{c.name}" for c in Capability}
    return [names.get(n, f"CAP_{n}") for n in range(value.bit_length()) if value >> n & 1]


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _users(processes: Sequence[dict[str, Any]]) -> str:
    """Who the children are."""
    supervisor, *children = [process["uid"] for process in processes if "uid" in process]
    if len(set(children)) == len(children) and supervisor not in children:
        return "each process has its own"
    if supervisor in children:
        return "all are one: processes differ by capabilities and seccomp only"
    return "the children share one: they differ by capabilities and seccomp"


def _trouble(members: Sequence[Member], now: float) -> list[str]:
    """What a person should look at."""
    trouble = []
    for member in members:
        if member.back_off.looping(now):
            deaths = member.back_off.deaths
            trouble.append(f"the {member.name} {member.last_end}, {deaths} times in a row")
        elif member.child is None:
            trouble.append(f"the {member.name} {member.last_end} and is about to start again")
        if member.dropped:
            trouble.append(f"{member.dropped} messages never reached the {member.name}")
    return trouble
