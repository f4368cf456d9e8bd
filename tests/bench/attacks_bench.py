"""What attackers achieve against the whole service on a router: ``scripts/bench --live attacks``.

Scans at a pace are in :mod:`tests.bench.latency_bench`; here is what takes its time: guessing, a
slow scan, attackers inside, forged sources, a ruleset that is flushed during an attack.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.figure import Figure
from tests.netns import scans
from tests.netns.bed import (
    ATTACKER,
    FRIEND,
    LAN_HOST,
    MATE,
    ROUTER_IN_LAN,
    Bed,
    bed,
    connects,
    mated,
    opened,
    until,
)
from tests.netns.guard import Guard, guarding
from tests.netns.shell import Client, serving
from tests.netns.test_blocking_forged import (
    GATEWAY,
    PARTNER,
    PORTS,
    RESOLVER,
    STRANGER,
    forge,
    introduce,
    resolving,
)
from tests.netns.test_blocking_forged import guarding as guarding_both
from tests.netns.test_enforcer import answers
from tests.netns.test_enforcer_claims import spoofing

#: Passwords in one connection; seconds after which a guesser, a spoofer is said not to be cut.
EACH, PATIENCE = 3, 60
SLOW_RATE, SLOW_PROBES = 2.5, 25
#: Probes a second of the attacker who is blocked while the ruleset is flushed; for so long.
LEAK_RATE, LEAK_SECONDS = 1000, 3


@contextmanager
def _guarded() -> Iterator[tuple[Bed, Guard]]:
    with ExitStack() as stack:
        net = stack.enter_context(bed())
        net.lan.run("nft", scans.SILENCE)
        guard = stack.enter_context(guarding(net, "nflog"))
        yield net, guard
        guard.stop()


def guessing() -> Figure:
    """Passwords that a real server refused before its guesser was cut off."""
    with _guarded() as (net, guard), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(net, folder) as server:
            client, deadline = Client(net, ATTACKER, folder), time.monotonic() + PATIENCE
            while time.monotonic() < deadline and "blocked" not in guard.outcomes():
                client.log_in(*["wrong"] * EACH)
            tried = server.refused if not net.reaches(ATTACKER) else float("inf")
    return Figure("ssh guessing: passwords tried", tried, most=12)


def slow_scan() -> Figure:
    """Of a slow scan's probes those that got through."""
    with _guarded() as (net, _guard), scans.watching(net.lan, "l0") as wire:
        probes = [scans.probe(ATTACKER, LAN_HOST, 3000 + n) for n in range(SLOW_PROBES)]
        scans.send(net.world, probes, SLOW_RATE)
        through = len(wire.arrivals())
    return Figure("slow scan: probes through", through, most=20)


def spoofer() -> Figure:
    """Seconds until arpspoof's host is quarantined."""
    with mated() as (net, mate), guarding_both(net) as guard:
        introduce(net, mate)
        began = time.monotonic()
        with spoofing(mate, "m0", ROUTER_IN_LAN, LAN_HOST):
            guard.until_heard("quarantined")
            taken = time.monotonic() - began
        guard.stop()
    return Figure("ARP spoof: quarantined after", round(taken, 1), "s", most=PATIENCE)


def inside_scanner() -> Figure:
    """Probes of an infected host of the LAN that reached the world before it was limited."""
    with mated() as (net, mate), guarding_both(net) as guard:
        with scans.watching(net.world, "w0") as wire:
            scans.send(mate, [scans.probe(MATE, STRANGER, port) for port in PORTS], 1000)
            through = len(wire.arrivals())
        guard.until_heard("limited")
        guard.stop()
    return Figure("scan from inside at 1,000/s: through", through)


def forged() -> Figure:
    """Of four friends in whose names somebody scans: how many the LAN has lost."""
    with bed() as net, resolving(net), guarding_both(net) as guard:
        lost = 0
        with opened(net.lan, LAN_HOST, PARTNER) as partner:
            for friend in (GATEWAY, RESOLVER, FRIEND, PARTNER):
                before = sum(guard.outcomes().values())
                forge(net.world, friend)
                guard.until(_more(guard, before), 40)
                lost += not connects(net.lan, LAN_HOST, friend)
            lost += not answers(partner)
        guard.stop()
    return Figure("forged source: friends lost, of 4", lost, most=0)


def _more(guard: Guard, before: int) -> Callable[[], bool]:
    return lambda: sum(guard.outcomes().values()) > before


def flush() -> list[Figure]:
    """What a blocked attacker gets through when somebody flushes the ruleset."""
    with _guarded() as (net, guard), scans.watching(net.lan, "l0") as wire:
        guard.verb("block", ATTACKER, "--for", "10m")
        count = LEAK_RATE * LEAK_SECONDS
        probes = [scans.probe(ATTACKER, LAN_HOST, 2000 + n % 1000) for n in range(count)]
        sender = threading.Thread(target=scans.send, args=(net.world, probes, LEAK_RATE))
        sender.start()
        time.sleep(LEAK_SECONDS / 3)
        net.router.run("nft", "flush", "ruleset")
        began = time.monotonic()
        until(lambda: "inet hdr_lite\n" in net.router.run("nft", "list", "tables"))
        whole = time.monotonic() - began
        sender.join()
        leaked = wire.arrivals()
    span = leaked[-1].time - leaked[0].time if leaked else 0
    return [
        Figure("flush: whole again after", round(whole * 1000), "ms", most=1000),
        Figure("flush: probes through", len(leaked)),
        Figure("flush: the last after the first", round(span * 1000), "ms", most=1000),
    ]


def run() -> list[Figure]:
    """The figures of :mod:`tests.bench.live`."""
    return [guessing(), slow_scan(), spoofer(), inside_scanner(), forged(), *flush()]
