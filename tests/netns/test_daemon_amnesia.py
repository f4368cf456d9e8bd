"""A sensor that is killed forgets its flows; its successor makes no attack of what goes on."""

import json
import os
import selectors
import shutil
import signal
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from threading import Event

import pytest

from tests.netns import router as names
from tests.netns.bed import listening, resident
from tests.netns.router import Routed
from tests.netns.service import Service
from tests.netns.test_daemon_nflog import serving

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="needs nftables"),
]

SETTINGS = """
[output]
flows = true
[meter]
closed_linger = 2
attempt_timeout = 0.5
[capture]
source = "{source}"
"""
CONNECTIONS = 200
PORTS = range(3000, 3000 + CONNECTIONS)
#: Each connection of the load is a word there and back after another; a new one now and then.
BRIEF = 5000
#: So many end each time.
ENDING = 60


RESET = b"reset"


def close(sock: socket.socket, *, at_once: bool = False) -> None:
    """Close with a FIN, or with a RST."""
    if at_once:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def _close_with_reset(sock: socket.socket) -> None:
    close(sock, at_once=True)


def _be_reset(sock: socket.socket) -> None:
    with sock, suppress(ConnectionResetError):
        sock.send(RESET)
        sock.recv(1)


def _end_and_be_reset(sock: socket.socket) -> None:
    """A FIN that is answered by a RST, unless the other end is faster."""
    with sock, suppress(OSError):
        sock.send(RESET)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)


ENDINGS = (close, _close_with_reset, _be_reset, _end_and_be_reset)


class Load:
    """One from outside who holds a connection to each of many ports of the LAN's host, talks on
    all of them, sends datagrams, and opens more for a moment."""

    def __init__(self, net: Routed, stack: ExitStack) -> None:
        self.rounds = 0
        self._over, self._wanted = Event(), 0
        self._selector = stack.enter_context(selectors.DefaultSelector())
        outside = stack.enter_context(resident(net.outside))
        for port in (*PORTS, BRIEF):
            listener = stack.enter_context(listening(net.lan, port))
            self._selector.register(listener, selectors.EVENT_READ, self._accept)
        inside = stack.enter_context(resident(net.lan))
        echo = inside.submit(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).result()
        stack.enter_context(echo).bind((names.LAN4, 53))
        self._selector.register(echo, selectors.EVENT_READ, self._echo)
        self._talked: Future[None] = outside.submit(self._talk)
        self._served = stack.enter_context(ThreadPoolExecutor(1)).submit(self._serve)
        stack.callback(self.finish)

    def end_some(self, count: int) -> None:
        """Have so many of the connections end now, each in one of the ways that there are."""
        self._wanted = count
        goal = self.rounds + 2
        while self.rounds < goal and not self._talked.done():
            time.sleep(0.01)

    def finish(self) -> None:
        """End it; what went wrong with it is raised."""
        self._over.set()
        self._talked.result()
        self._served.result()

    def _accept(self, listener: socket.socket) -> None:
        peer, _ = listener.accept()
        self._selector.register(peer, selectors.EVENT_READ, self._answer)

    def _answer(self, peer: socket.socket) -> None:
        try:
            data = peer.recv(4096)
        except ConnectionResetError:
            data = b""
        if data and not data.startswith(RESET):
            peer.send(data)
        else:
            self._selector.unregister(peer)
            close(peer, at_once=bool(data))

    @staticmethod
    def _echo(sock: socket.socket) -> None:
        data, sender = sock.recvfrom(2048)
        sock.sendto(data, sender)

    def _serve(self) -> None:
        while not self._talked.done():
            for key, _ in self._selector.select(0.05):
                key.data(key.fileobj)
        for key in list(self._selector.get_map().values()):
            if key.data == self._answer:
                self._selector.unregister(key.fileobj)
                socket.socket.close(key.fileobj)  # type: ignore[arg-type]

    def _talk(self) -> None:
        with ExitStack() as stack:
            held = [socket.create_connection((names.LAN4, port), 10) for port in PORTS]
            for sock in held:
                stack.callback(sock.close)
            while not self._over.is_set():
                for each in (*held, None):
                    _say(each)
                self.rounds += 1
                while self._wanted:
                    self._wanted -= 1
                    ENDINGS[self._wanted % len(ENDINGS)](held.pop())


def _say(held: socket.socket | None) -> None:
    """A word there and back: on a connection, or on a new one and as a datagram."""
    if held is not None:
        held.sendall(b"word")
        assert held.recv(4096) == b"word"
        return
    with socket.create_connection((names.LAN4, BRIEF), 10) as brief:
        _say(brief)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.sendto(b"word", (names.LAN4, 53))
        assert sock.recv(2048) == b"word"


@contextmanager
def under_load(source: str) -> Iterator[tuple[Service, Load]]:
    """A service on a router that is busy."""
    with ExitStack() as stack:
        net, service = stack.enter_context(serving(settings=SETTINGS.format(source=source)))
        yield service, Load(net, stack)


@pytest.mark.parametrize("source", ["nflog", "capture"])
def test_nothing_is_made_of_what_is_forgotten(source: str) -> None:
    """Killed three times amidst 200 connections that go on, shorter ones, and some that end while
    it hangs: no evidence, no connection that is told as unanswered or refused."""
    with under_load(source) as (service, load):
        service.until(lambda: service.status()["sensor"]["flows"] >= CONNECTIONS)
        for deaths in range(1, 4):
            sensor = service.processes()["sensor"]["pid"]
            os.kill(sensor, signal.SIGSTOP)
            load.end_some(ENDING)
            os.kill(sensor, signal.SIGKILL)
            until_back(service, deaths)
            # Its successor knows of those that go on, by packets or from conntrack.
            service.until(lambda: service.status()["sensor"]["flows"] >= CONNECTIONS - 3 * ENDING)
            service.until(lambda goal=load.rounds + 20: load.rounds >= goal)  # type: ignore[misc]
        time.sleep(1)  # past the time when an attempt is unanswered
        assert service.stop() == 0
        assert service.evidence() == []
        text = (service.folder / "out/flows.jsonl").read_text()
        flows = [json.loads(line) for line in text.splitlines()]
        told = Counter(flow["conn_state"] for flow in flows if flow.get("proto") == "tcp")
        assert not told.keys() & {"S0", "REJ", "RSTOS0", "RSTRH", "SH"}, told


def until_back(service: Service, times: int) -> None:
    """Wait until the sensor has come back so often."""
    service.until(lambda: service.said.count("the sensor is back") == times)
