"""Who may serve, what is lacking, what a sensor may ask for, and rules that come back."""

import errno
import os
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hdr_lite.config import CaptureConfig, Config
from hdr_lite.link.codec import Ask, LinkError
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.conntrack import POLL, dump_request
from hdr_lite.sources.netlink import message
from hdr_lite.sources.nflog import BATCH, FirstPackets, Sockets, threshold_request
from hdr_lite.supervisor import first_packets
from hdr_lite.supervisor.first_packets import (
    FirstPacketsHolder,
    choose_source,
    count_rules,
    forwards,
    transact,
)
from tests.netns.bed import namespace, resident
from tests.netns.network import Namespace

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")
TABLE = "hdr_lite.log"


def config(**capture: Any) -> Config:
    return replace(Config(), capture=CaptureConfig(**capture))


class Quiet:
    """A monitor that hears nothing."""

    def harmed(self) -> bool:
        return False

    def close(self) -> None:
        pass


@pytest.fixture(name="ends")
def _ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """A kernel of our own: what is sent on the three sockets arrives at these ends."""
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in Sockets._fields]
    for pair in pairs:
        pair[1].setblocking(False)
    sockets = Sockets(*(ours for ours, _ in pairs))
    monkeypatch.setattr(first_packets, "open_sockets", lambda what: sockets)
    monkeypatch.setattr(first_packets, "transact", lambda commands: None)
    monkeypatch.setattr(first_packets, "flowtables", lambda: iter(()))
    monkeypatch.setattr(first_packets, "Monitor", lambda table: Quiet())
    yield [theirs for _, theirs in pairs]
    for pair in pairs:
        for end in pair:
            end.close()


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except BlockingIOError:
        return b""


def test_what_the_settings_and_the_device_decide(
    monkeypatch: pytest.MonkeyPatch, ends: list[socket.socket]
) -> None:
    """``capture`` where it is asked for, where a filter is set, where nothing is forwarded; only
    a wish that is not granted is worth a line."""
    for forwarding, wanted, chosen, lacking in (
        (True, config(source="capture"), "", False),
        (True, config(filter="tcp"), "", False),
        (True, config(source="nflog", filter="tcp"), "", True),
        (False, config(), "", False),
        (True, config(), "the device forwards", False),
        (False, config(source="nflog"), "the settings say so", False),
    ):
        monkeypatch.setattr(first_packets, "forwards", lambda value=forwarding: value)
        choice = choose_source(wanted, "")
        assert (choice.holder is not None, choice.lacking) == (bool(chosen), lacking)
        assert choice.why == chosen or choice.holder is None
    assert ends


@pytest.mark.usefixtures("ends")
def test_what_lacks_is_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket, or the rules, that cannot be had: capture serves, and the reason is told."""

    def refuse(_: object) -> None:
        raise SourceError("the kernel lacks it")

    def absent(_: object) -> None:
        raise OSError(errno.EPROTONOSUPPORT, "")

    nothing = "rules of first packets: the kernel lacks nf_tables"
    for piece, fails, why in (
        ("Monitor", absent, nothing),
        ("transact", refuse, "the kernel lacks it"),
        ("open_sockets", refuse, "the kernel lacks it"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(first_packets, piece, fails)
            assert choose_source(config(source="nflog"), "") == (None, why, True)


def test_forwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Either protocol is enough; a kernel without one of them is no obstacle."""
    four, six = tmp_path / "4", tmp_path / "absent"
    monkeypatch.setattr(first_packets, "_FORWARDING", (six, four))
    for text, answer in (("0\n", False), ("1\n", True)):
        four.write_text(text)
        assert forwards() is answer


def test_what_a_sensor_may_ask(ends: list[socket.socket]) -> None:
    """Questions and the two sizes of a batch go to the kernel; anything else ends the sensor."""
    holder = FirstPacketsHolder("", CaptureConfig())
    question, size = dump_request(POLL), threshold_request(1789, BATCH, flags=0)
    holder.ask(Ask("conntrack", question))
    holder.ask(Ask("log", size))
    log, conntrack, narrow = ends
    assert (_received(conntrack), _received(log)) == (question, size)
    deletion = message(0x102)
    for name, request in (
        ("conntrack", deletion),
        ("conntrack", question + deletion),
        ("conntrack", b"x"),
        ("conntrack", size),
        ("log", question),
        ("log", threshold_request(1790, BATCH, flags=0)),
        ("log", size + size),
        ("narrow", question),
        ("close", question),
    ):
        with pytest.raises(LinkError):
            holder.ask(Ask(name, request))
    assert [_received(end) for end in (log, conntrack, narrow)] == [b""] * 3


def test_each_sensor_begins_alike(ends: list[socket.socket]) -> None:
    """What the sensor before it set is set back."""
    FirstPacketsHolder("", CaptureConfig()).hand_over_singly()
    assert _received(ends[0]) == threshold_request(1789, 1, flags=0)


def test_a_kernel_that_is_busy(ends: list[socket.socket]) -> None:
    """A request that the kernel does not take now costs nothing but itself."""
    holder = FirstPacketsHolder("", CaptureConfig())
    for end in ends:
        end.close()
    holder.ask(Ask("conntrack", dump_request(POLL)))
    holder.hand_over_singly()


@pytest.mark.usefixtures("ends")
def test_instances_and_offload(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each instance has a group of its own; with flow tables only one packet is sure."""
    plain, guest = (
        FirstPacketsHolder("", CaptureConfig()).opening,
        FirstPacketsHolder("guest", CaptureConfig()).opening,
    )
    assert plain.what.group == FirstPackets().group
    assert guest.what.group != plain.what.group
    assert plain.sure == plain.what.packets
    monkeypatch.setattr(first_packets, "flowtables", lambda: iter([("f", 0)]))
    assert FirstPacketsHolder("", CaptureConfig()).opening.sure == 1


@pytest.mark.usefixtures("ends")
def test_what_the_settings_say_of_packets() -> None:
    """How many packets, how much of them, and what is a login."""
    config = CaptureConfig(
        first_packets=5, first_bytes=100, login_ports=("22", "990"), login_packets=30
    )
    opening = FirstPacketsHolder("", config).opening
    what = opening.what
    assert (what.packets, what.snap_length, opening.sure) == (5, 100, 5)
    assert (what.login_ports, what.login_packets) == ((22, 990), 30)


@pytest.fixture(name="router")
def _router() -> Iterator[tuple[Namespace, Executor]]:
    """A namespace that counts connections, and a thread in it."""
    with namespace("first") as inside, resident(inside) as thread:
        inside.run("sysctl", "-qw", "net.netfilter.nf_conntrack_acct=1")
        yield inside, thread


@pytest.mark.netns
@ROOT_ONLY
def test_rules_come_back(router: tuple[Namespace, Executor]) -> None:
    """A rule less, a table less, a flush: it hears, and all are back; others' are left."""
    inside, thread = router
    holder = thread.submit(FirstPacketsHolder, "", CaptureConfig()).result()
    inside.run("nft", "add", "table", "inet", "other")
    rules = inside.run("nft", "-s", "list", "table", "inet", TABLE)
    looks = 0
    while select.select([holder], [], [], 0)[0]:  # others' changes, and its own
        assert thread.submit(list, holder.look_after()).result() == []
        looks += 1
    assert looks == 1
    for words in (
        ("flush", "chain", "inet", TABLE, "output"),
        ("delete", "table", "inet", TABLE),
        ("flush", "ruleset"),
    ):
        inside.run("nft", *words)
        assert select.select([holder], [], [], 5)[0]
        told = thread.submit(list, holder.look_after()).result()
        assert told == ["somebody took out the rules that log first packets: they are back"]
        assert inside.run("nft", "-s", "list", "table", "inet", TABLE) == rules
    inside.run("nft", "add", "table", "inet", "other")
    thread.submit(holder.close).result()
    assert inside.run("nft", "list", "tables") == "table inet other\n"


@pytest.mark.netns
@ROOT_ONLY
def test_rules_that_cannot_come_back(
    router: tuple[Namespace, Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told, and tried again after a while."""
    inside, thread = router
    holder = thread.submit(FirstPacketsHolder, "", CaptureConfig()).result()
    inside.run("nft", "flush", "ruleset")

    def refuse(_: object) -> None:
        raise SourceError("no")

    with monkeypatch.context() as patch:
        patch.setattr(first_packets, "transact", refuse)
        (told,) = thread.submit(list, holder.look_after()).result()
        assert told.endswith("are gone and cannot be put back: no")
        assert thread.submit(list, holder.look_after()).result() == []
    assert thread.submit(count_rules, TABLE).result() == 0
    later = time.monotonic() + first_packets.RETRY
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert len(thread.submit(list, holder.look_after()).result()) == 1
    assert thread.submit(count_rules, TABLE).result() == 14
    thread.submit(holder.close).result()


@pytest.mark.netns
@ROOT_ONLY
def test_a_second_of_the_same_name(router: tuple[Namespace, Executor]) -> None:
    """The group is taken: it says so, and the first one's rules stay."""
    _, thread = router
    holder = thread.submit(FirstPacketsHolder, "", CaptureConfig()).result()
    with pytest.raises(SourceError, match="NFLOG group 1789 is in use"):
        thread.submit(FirstPacketsHolder, "", CaptureConfig()).result()
    assert thread.submit(count_rules, TABLE).result() == 14
    thread.submit(holder.close).result()


@pytest.mark.netns
@ROOT_ONLY
def test_a_transaction_that_fails(router: tuple[Namespace, Executor]) -> None:
    """What nftables says of it comes back in one sentence."""
    _, thread = router
    with pytest.raises(SourceError, match="rules of first packets: .*No such file"):
        thread.submit(transact, "delete table inet absent\n").result()


def test_a_transaction_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended after a while, and waited for."""

    class Slow:
        def run(self, transaction: str) -> None:
            time.sleep(30)

    monkeypatch.setattr(first_packets, "Nft", Slow)
    monkeypatch.setattr(first_packets, "PATIENCE", 0.2)
    with pytest.raises(SourceError, match=r"did not answer for 0\.2 s"):
        transact("")
