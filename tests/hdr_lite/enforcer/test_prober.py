"""The packet socket of the trials: what it hears, what it sends, how many it tries."""

import os
import select
import time

import pytest

from hdr_lite.enforcer.prober import MOST, Prober, arp_filter, open_socket, question
from hdr_lite.enforcer.trial import ANSWER, TRIES, Suspect
from hdr_lite.records.verb import Quarantine
from tests.netns.bed import join, namespace, within
from tests.netns.claims import claiming

MAC = "02:00:00:00:00:11"
SUSPECT = Suspect(MAC, "192.168.9.11", "192.168.9.1", "one", "192.168.9.1")
ORDER = Quarantine("q", MAC, "192.168.9.11", 600, "MITM_ARP_ATTACK", "192.168.9.1")


def test_question() -> None:
    """A request for its own address, to its MAC alone, from ours."""
    frame = question(SUSPECT, bytes.fromhex("020000000001"))
    assert frame == bytes.fromhex(
        "020000000011 020000000001 0806 0001 0800 06 04 0001"
        "020000000001 c0a80901 000000000000 c0a8090b"
    )


def test_filter_length() -> None:
    """Each MAC is four comparisons more; with none nothing passes."""
    assert len(arp_filter([])) == 4
    assert len(arp_filter([bytes(6)] * MOST)) == 4 + 5 * MOST


def test_without_a_socket() -> None:
    """Where the start was not permitted one, nobody can be asked, and that is told."""
    prober = Prober(None, time.monotonic)
    assert not prober.able
    assert "CAP_NET_RAW" in prober.begin(ORDER, SUSPECT, frozenset())
    assert list(prober.work()) == []
    assert prober.due() is None


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")
def test_hears_the_accused_only() -> None:
    """Nothing before and after a trial, then ARP of that MAC, whose silence is the verdict."""
    with namespace("ours") as ours, namespace("theirs") as theirs:
        join(ours, "one", theirs, "two")
        sock = within(ours, open_socket)
        prober = Prober(sock, time.monotonic)
        other = f"{MAC[:-2]}12"
        with claiming(theirs, "two", other, "192.168.9.1", "192.168.9.2"):
            assert not select.select([prober], [], [], 0.7)[0]
            assert prober.begin(ORDER, SUSPECT, frozenset()) == ""
            assert prober.begin(ORDER, SUSPECT, frozenset()) == "it is being asked already"
            assert not select.select([prober], [], [], 0.7)[0]
        with claiming(theirs, "two", MAC, "192.168.9.1", "192.168.9.2"):
            assert select.select([prober], [], [], 10)[0]
            began, verdicts = time.monotonic(), list(prober.work())
            while not verdicts:
                assert time.monotonic() - began < 10
                select.select([], [], [], max(0.0, (prober.due() or 0) - time.monotonic()))
                verdicts = list(prober.work())
            assert time.monotonic() - began >= ANSWER * TRIES
            assert "does not answer" in verdicts[0][1]
            assert verdicts[0][0] == ORDER
            assert not select.select([prober], [], [], 0.7)[0]
        for number in range(MOST):
            suspect = SUSPECT._replace(mac=f"02:00:00:00:01:{number:02x}")
            assert prober.begin(ORDER, suspect, frozenset()) == ""
        assert prober.begin(ORDER, SUSPECT, frozenset()) == f"{MOST} others are being asked"
        sock.close()
