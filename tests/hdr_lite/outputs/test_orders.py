"""Alerts become orders."""

from dataclasses import replace
from typing import Any

from hdr_lite.link.codec import Finish, encode
from hdr_lite.outputs.orders import Orders, key_of
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import ThreatLevel
from hdr_lite.records.verb import Block, Enforced, Limit, Order, Quarantine
from tests.hdr_lite.outputs.samples import ALERT, evidence


def alert(verb: str, profile: str = "203.0.113.5", **change: Any) -> Alert:
    """An alert about one evidence."""
    made = replace(evidence(**change), profile=profile)
    return replace(ALERT, verb=verb, profile=profile, evidence=(made,))


def asked(alert: Alert, *, inside: bool) -> Order:
    """What an alert asks for."""
    sent: list[Order] = []
    orders = Orders(sent.append, lambda _: inside, 600)
    orders.alert(alert)
    orders.flush()
    (order,) = sent
    return order


def test_outside() -> None:
    """With proof a block of the port's attacker, else a limit that names what was attacked."""
    made = asked(alert("block", proof=True), inside=False)
    assert made == Block(ALERT.evidence[0].id, "203.0.113.5", 600, "ConnectionToLocalDevice", 22)
    made = asked(alert("limit", "2001:db8:1:2::/64"), inside=False)
    assert isinstance(made, Limit)
    assert (made.address, made.seconds) == ("2001:db8:1:2::/64", 60)
    assert (made.victim, made.port, made.proto) == ("192.168.1.12", 22, "tcp")
    made = asked(alert("limit", proto="arp"), inside=False)
    assert isinstance(made, Limit)
    assert made.proto == ""


def test_inside() -> None:
    """A quarantine needs proof and a MAC in the same evidence; without them it is a limit."""
    made = asked(alert("block", "192.168.1.18", proof=True), inside=True)
    mac = "02:00:00:00:00:01"
    assert made == Quarantine(
        ALERT.evidence[0].id, mac, "192.168.1.18", 600, "ConnectionToLocalDevice", ""
    )
    made = asked(alert("block", "fd00::1", proof=True), inside=True)
    assert isinstance(made, Quarantine)
    assert made.address == "fd00::1"
    made = asked(alert("block", proof=True, attacker_mac=""), inside=True)
    assert isinstance(made, Limit)
    assert isinstance(asked(alert("limit"), inside=True), Limit)
    with_mac, with_proof = evidence(), evidence(proof=True, attacker_mac="", type="P")
    both = replace(alert("block"), evidence=(with_mac, replace(with_proof, id="p")))
    made = asked(both, inside=True)
    assert isinstance(made, Limit)
    assert (made.evidence, made.cause) == ("p", "P")


def test_false_claims() -> None:
    """Blocking evidence of a false claim names the MAC and what it claims, for a trial."""
    spoof: dict[str, Any] = {"family": "spoof", "type": "MITM_ARP_ATTACK", "proto": "arp"}
    made = asked(alert("limit", "192.168.1.18", **spoof, blocking=True), inside=True)
    assert isinstance(made, Quarantine)
    assert (made.address, made.claimed) == ("192.168.1.18", "192.168.1.12")
    for less in ({"blocking": False}, {"blocking": True, "attacker_mac": ""}):
        made = asked(alert("limit", "192.168.1.18", **spoof, **less), inside=True)
        assert isinstance(made, Limit)
    made = asked(alert("limit", **spoof, blocking=True), inside=False)
    assert isinstance(made, Limit)


def test_limit_names_the_mac() -> None:
    """Of the frames that accuse, so that a neighbour's address can be told from its forger's."""
    made = asked(alert("limit", "192.168.1.18"), inside=True)
    assert isinstance(made, Limit)
    assert made.mac == "02:00:00:00:00:01"


def test_deciding_evidence() -> None:
    """A limit names the worst evidence, that which may block by itself first."""
    low, high = evidence(threat_level=ThreatLevel.LOW), evidence(type="H")
    marked = evidence(type="M", blocking=True)
    for several, cause in (((low, high), "H"), ((high, marked), "M"), ((marked, high), "M")):
        made = asked(replace(ALERT, verb="limit", evidence=several), inside=False)
        assert isinstance(made, Limit)
        assert made.cause == cause


def test_told_only() -> None:
    """An alert that permits nothing asks for nothing; any other is sent at the next flush."""
    sent: list[Order] = []
    orders = Orders(sent.append, lambda address: address.startswith("192.168."), 300)
    orders.alert(alert(""))
    orders.flush()
    assert sent == []
    orders.alert(alert("block", proof=True))
    orders.alert(alert("block", "192.168.1.18", proof=True))
    assert sent == []
    orders.flush()
    orders.flush()
    assert [type(order) for order in sent] == [Block, Quarantine]
    assert isinstance(sent[0], Block)
    assert sent[0].seconds == 300


def test_what_goes_on() -> None:
    """Repeats of blocking evidence are asked for anew, each under an id of its own."""
    sent: list[Order] = []
    orders = Orders(sent.append, lambda _: False, 600)
    first = evidence(blocking=True)
    later = replace(first, ts=first.ts + 30_000_000_000)
    for again in (first, later, evidence(blocking=True, proof=True)):
        orders.goes_on(again)
    orders.flush()
    assert [type(order) for order in sent] == [Limit, Limit, Block]
    assert [order.evidence for order in sent[:2]] == [
        f"{first.id}+1654188717",
        f"{first.id}+1654188747",
    ]


def test_asked_again_after_a_kill() -> None:
    """What one that was killed was about to ask, its successor asks, and nothing else."""
    sent: list[Order] = []
    before = Orders(sent.append, lambda _: False, 300)
    assert before.intent() == (0, b"")
    before.alert(alert("block", proof=True))
    before.alert(alert("limit"))
    _, data = before.intent()
    after = Orders(sent.append, lambda _: False, 300)
    after.redo(0, data + encode(Finish("no order")))
    after.flush()
    assert [type(order) for order in sent] == [Block, Limit]


def test_key() -> None:
    """An order and its answer have one key, whatever the answer calls the target."""
    order = Quarantine("e1", "02:00:00:00:00:01", "", 600, "X", "")
    assert key_of(order) == key_of(Enforced("e1", "192.168.1.18", "limited", 60, ""))
    assert key_of(order) != key_of(Block("e2", "203.0.113.5", 600, "X", 0))
