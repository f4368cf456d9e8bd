"""The lists of system calls."""

import socket

import pytest

from hdr_lite.supervisor.calls import ENFORCER, ENGINE, FATAL, FIRST_PACKETS, SENSOR, SYNC, Calls


@pytest.mark.parametrize("calls", [SENSOR, FIRST_PACKETS, ENGINE, ENFORCER])
def test_nobody_may_do_what_is_fatal(calls: Calls) -> None:
    """No list allows what ends a process, a new process, or a change of user."""
    assert not calls.keys() & {*FATAL, "clone", "clone3", "fork", "vfork", "setuid", "kill"}


def test_only_those_with_a_reason_open_sockets() -> None:
    """The engine opens none, the others only of the families that they need."""
    assert not ENGINE.keys() & {"socket", "connect", "bind", "accept4", "listen"}
    assert SENSOR["socket"]
    assert ENFORCER["socket"]
    assert "connect" not in SENSOR
    assert FIRST_PACKETS["socket"] == (socket.AF_UNIX,)
    assert not FIRST_PACKETS.keys() & {"connect", "bind", "setsockopt"}


def test_who_talks_to_the_collector_forks_and_does_no_more() -> None:
    """A child by fork's own kinds of clone, no thread, no namespace, no listener, no signal to
    others, no packet socket."""
    assert not SYNC.keys() & {*FATAL, "clone3", "vfork", "setuid", "kill", "listen", "accept4"}
    for flags in SYNC["clone"]:
        assert not flags & ~0x01200011
    assert socket.AF_PACKET not in SYNC["socket"]
