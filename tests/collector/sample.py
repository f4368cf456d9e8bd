"""A small fleet and its last day, for the tests of pages: the same every time but for the clock."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

import msgpack

from hdr_lite.collector import clock
from hdr_lite.collector.reading import read_alert
from hdr_lite.collector.store import Batch, Gap, Invitation, Newcomer, Reported, Store
from hdr_lite.outputs import idmef
from hdr_lite.records.alert import Alert
from hdr_lite.records.batch import Health, Held
from hdr_lite.records.evidence import FAMILY_OF, Evidence, Finding, ThreatLevel

MINUTE = 60_000
HOUR = 60 * MINUTE
EPOCH = "00000000000000e5"

#: name, model
FLEET = (
    ("Warehouse Leipzig", "Raspberry Pi 4"),
    ("Office Graz", "GL-MT300N"),
    ("Bakery Kiel", "Raspberry Pi 4"),
    ("School Brno", "TP-Link Archer C7"),
    ("Clinic Porto", "Raspberry Pi 5"),
    ("Workshop Turku", "GL-AR750S"),
    ("Library Ghent", "Raspberry Pi 4"),
    ("Farm Zwolle", "GL-MT300N"),
)


@dataclass(frozen=True)
class Trick:
    """A way to attack."""

    type: str
    level: ThreatLevel
    confidence: int
    proof: bool
    port: int
    text: str
    module: str


TRICKS = (
    Trick("VERTICAL_PORT_SCAN", ThreatLevel.HIGH, 950, False, 0,
          "TCP SYN scan of 24 ports of {victim} such as 21, 22, 80: 23 refused, 1 answered",
          "network_discovery"),
    Trick("HORIZONTAL_PORT_SCAN", ThreatLevel.MEDIUM, 900, False, 445,
          "TCP port 445 tried at 31 addresses such as {victim}: 28 did not answer",
          "network_discovery"),
    Trick("PASSWORD_GUESSING", ThreatLevel.CRITICAL, 960, True, 22,
          "12 ssh passwords refused at {victim} port 22 by SSH-2.0-libssh_0.10.4",
          "bruteforce"),
    Trick("SERVICE_SCAN", ThreatLevel.LOW, 700, False, 80,
          "3 odd requests to {victim} port 80 as service scanners make them", "network_discovery"),
    Trick("MITM_ARP_ATTACK", ThreatLevel.CRITICAL, 1000, True, 0,
          "02:11:22:00:00:66 claims {victim}: it tells each of two hosts that it is the other",
          "arp"),
    Trick("ARP_SCAN", ThreatLevel.INFO, 800, False, 0,
          "ARP asked for 40 addresses of the network in 10 s", "arp"),
)  # fmt: skip
_WEIGHTS = (5, 6, 4, 5, 1, 2)


def device_id(number: int) -> str:
    """Of the nth device."""
    return hashlib.sha256(f"device {number}".encode()).hexdigest()[:32]


def payload(attacker: str, victim: str, trick: Trick, told: int, times: int = 2) -> bytes:
    """An alert of it as a device sends it, with ``times`` evidence."""
    evidence = []
    for turn in range(times):
        ts = (told - (times - 1 - turn) * 20_000) * 1_000_000
        finding = Finding(
            trick.type, FAMILY_OF[trick.type], trick.level, trick.confidence,
            trick.text.format(victim=victim), attacker, victim=victim, port=trick.port,
            proto="tcp", blocking=trick.level >= ThreatLevel.HIGH, proof=trick.proof,
        )  # fmt: skip
        name = hashlib.sha256(f"{attacker} {victim} {ts} {turn}".encode()).hexdigest()[:32]
        evidence.append(Evidence(name, ts, attacker, 1, trick.module, finding, count=1 + turn))
    verb = ("block" if trick.proof else "limit") if trick.level >= ThreatLevel.HIGH else ""
    start = told // HOUR * HOUR * 1_000_000
    alert = Alert(
        evidence[-1].id[::-1], told * 1_000_000, attacker, 1, start, start + HOUR * 1_000_000,
        sum(e.score for e in evidence), trick.confidence, trick.text.format(victim=victim), verb,
        tuple(evidence),
    )  # fmt: skip
    told_objects = {"alert": idmef.incident(alert), "evidence": [idmef.event(e) for e in evidence]}
    return msgpack.packb(told_objects)


def health(number: int, held: list[Held]) -> Health:
    """How the nth device says that it is."""
    return Health(
        version="0.1.0" if number % 3 else "0.0.9",
        uptime=86_400 * (3 + number),
        memory=36_000_000 + 1_300_000 * number,
        source="nflog",
        mode="block" if number % 2 else "observe",
        drops={"ring": 0, "nflog": 120 * (number == 3)},
        blind=["br-guest: no rule logs its packets"] if number == 3 else [],
        trouble=["nftables: the ruleset was flushed by another program"] if number == 5 else [],
        blocks=held,
    )


def attacks(now: int, count: int, seed: int = 5) -> Iterator[tuple[int, int, bytes]]:
    """(when, device, payload) of the last day, oldest first."""
    rng = random.Random(seed)
    outside = [f"203.0.113.{rng.randrange(1, 250)}" for _ in range(9)]
    outside += [f"198.51.100.{rng.randrange(1, 250)}" for _ in range(5)]
    outside += ["2001:db8:7:11::66", "192.168.7.66"]
    shares = [1 / (place + 1) for place in range(len(outside))]
    moments = sorted(now - int(24 * HOUR * rng.random() ** 1.3) for _ in range(count))
    for moment in moments:
        device = min(int(rng.expovariate(0.4)), len(FLEET) - 2)
        (trick,) = rng.choices(TRICKS, _WEIGHTS)
        (attacker,) = rng.choices(outside, shares)
        if trick.module == "arp":
            attacker = "192.168.7.66"
        victim = f"192.168.7.{rng.choice((1, 10, 20, 30, 30, 30, 41))}"
        yield moment, device, payload(attacker, victim, trick, moment, rng.choice((1, 2, 2, 3)))


def batch(
    device: str, first: int, alerts: list[Reported], received: int, told: Health | None = None
) -> Batch:
    """As ingest makes it."""
    return Batch(
        device=device, epoch=EPOCH, first=first, next=first + len(alerts), alerts=tuple(alerts),
        refused=0, health=told, clock_quality="synchronised", clock_offset=0, received=received,
    )  # fmt: skip


async def enrol(store: Store, number: int, name: str, model: str, now: int) -> str:
    """One device, by a token of its own."""
    digest = hashlib.sha256(b"%d" % number).digest()
    token = f"{number:08x}"
    await store.invite(Invitation(token, name, now, now + HOUR, "anna", 0, "", False), digest)
    newcomer = Newcomer(device_id(number), b"s" * 32, name, model, "0.1.0")
    assert await store.enrol(token, digest, newcomer, now) == ""
    return newcomer.id


async def fill(store: Store, now: int, count: int = 420) -> None:
    """Devices, alerts and blocks; the last device has been silent for a day."""
    with mock.patch.object(clock, "now") as told_time:
        at = told_time.return_value = now - 40 * 24 * HOUR
        for number, (name, model) in enumerate(FLEET):
            await enrol(store, number, name, model, at)
        cursors = dict.fromkeys(range(len(FLEET)), 1)
        for at, device, body in attacks(now, count):
            told_time.return_value = at
            alert = read_alert(cursors[device], body, 0, at)
            sent = batch(device_id(device), cursors[device], [alert], at)
            assert not isinstance(await store.ingest(sent), Gap)
            cursors[device] += 1
        for number in range(len(FLEET)):
            silent = number == len(FLEET) - 1
            at = told_time.return_value = now - (26 * HOUR if silent else (3 + 7 * number) * 10_000)
            held = [
                Held(f"203.0.113.{20 + 7 * number + n}", kind, 3600 * (n + 1) - 77 * number, cause)
                for n, (kind, cause) in enumerate(
                    [("block", "PASSWORD_GUESSING"), ("limit", "VERTICAL_PORT_SCAN")]
                )
            ]
            told = health(number, [] if silent else held)
            await store.ingest(batch(device_id(number), cursors[number], [], at, told))
