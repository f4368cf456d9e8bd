"""Orders: what becomes of each, whoever sends it."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.config import EnforcerConfig
from hdr_lite.enforcer.blocks import Held
from hdr_lite.enforcer.holdings import LIMIT_SECONDS
from hdr_lite.enforcer.never_block import Connected, Facts, Neighbour
from hdr_lite.enforcer.orders import LIMITS_A_SECOND, ORDERS_A_SECOND, Orders
from hdr_lite.enforcer.ruleset import FOREVER, Element
from hdr_lite.enforcer.state import State
from hdr_lite.records.verb import Block, Enforced, Limit, Order, Quarantine

HOST = "02:00:00:00:00:01"
FACTS = Facts(
    own=frozenset({"192.168.1.1"}),
    connected=(
        Connected("lan", ip_network("192.168.1.0/24")),
        Connected("wan", ip_network("198.51.100.0/29")),
    ),
    gateways=frozenset({"198.51.100.2"}),
    outside=frozenset({"wan"}),
    neighbours=(Neighbour("192.168.1.10", HOST, "lan"),),
    sessions=frozenset({("192.168.1.10", 22), ("198.51.100.3", 22)}),
)
SETTINGS = EnforcerConfig(mode="block", blocks=16, limits=16, quarantines=4)


def orders(**settings: object) -> Orders:
    """Of a device with these facts; what the facts alone want is done."""
    made = Orders(replace(SETTINGS, **settings))  # type: ignore[arg-type]
    made.set_facts(FACTS)
    made.elements.clear()
    return made


def take(made: Orders, order: Order, now: float = 0) -> Enforced:
    """The answer to an order that is not over the pace."""
    answer = made.take(order, now)
    assert answer is not None
    return answer


def block(address: str = "203.0.113.5", evidence: str = "e1", seconds: int = 600) -> Block:
    """An order as the engine sends it."""
    return Block(evidence, address, seconds, "VERTICAL_PORT_SCAN", 0)


def limit(address: str = "203.0.113.5", evidence: str = "l1", seconds: int = 60) -> Limit:
    """The same for a limit."""
    return Limit(evidence, address, seconds, "VERTICAL_PORT_SCAN", "192.168.1.10", 80, "tcp", "")


def test_outside_follows_the_default_routes() -> None:
    """The rules that pace strangers look up where they come in; odd names are left out."""
    made = orders()
    made.set_facts(FACTS._replace(outside=frozenset({"ppp0", 'x"; flush ruleset'})))
    changes = [element for element in made.elements if element.set == "outside"]
    assert changes == [
        Element("outside", '"wan"', 0),
        Element("outside", '"ppp0"', FOREVER, there=True),
    ]
    assert changes[1]._replace(there=False) in made.everything(0, there=False)


def test_block() -> None:
    """A block is an element, and its connections are to be cut."""
    made = orders()
    assert take(made, block()) == Enforced("e1", "203.0.113.5", "blocked", 600, "")
    assert made.elements == [Element("block4", "203.0.113.5", 600)]
    assert [target.text for target in made.cut] == ["203.0.113.5"]


def test_same_evidence_does_nothing_twice() -> None:
    """An engine that died reports again: same id, same target, no second offence."""
    made = orders()
    take(made, block())
    made.elements.clear()
    assert take(made, block(), 1).outcome == "repeated"
    assert made.elements == []
    assert take(made, block("203.0.113.6")).outcome == "blocked"


def test_new_evidence_after_a_limit_ended() -> None:
    """Who goes on after a pause comes under a new id and is limited again; the old one is told."""
    made = orders()
    assert take(made, limit(evidence="l1+1"), 0).outcome == "limited"
    made.holdings.expire(61)
    assert take(made, limit(evidence="l1+1"), 61).outcome == "repeated"
    made.elements.clear()
    assert take(made, limit(evidence="l1+2"), 61).outcome == "limited"
    assert made.elements == [Element("limit4", "203.0.113.5", 60)]


def test_who_is_asked_about() -> None:
    """An address is held under its own name, its /64's and its MAC's."""
    made = orders()
    assert made.names_of("192.168.1.10") == {"192.168.1.10", HOST}
    assert made.names_of("2001:db8:1:2::7") == {"2001:db8:1:2::7", "2001:db8:1:2::/64"}
    assert made.sessions_of("192.168.1.10") == (22,)
    take(made, Quarantine("q", HOST, "192.168.1.10", 600, "X", ""))
    assert made.offences_of("192.168.1.10", 1) == 1
    assert made.offences_of("203.0.113.5", 1) == 0


def test_repeat_offenders_stay_longer() -> None:
    """Each block after an ended one doubles; one asked for while it holds does not."""
    made = orders()
    assert take(made, block(evidence="a"), 0).seconds == 600
    assert take(made, block(evidence="b"), 300).seconds == 600
    made.holdings.expire(1000)
    assert take(made, block(evidence="c"), 1000).seconds == 1200
    made.holdings.expire(3000)
    assert take(made, block(evidence="d"), 3000).seconds == 2400
    made.holdings.expire(3000 + 2400 + 2 * 86400)
    assert take(made, block(evidence="e"), 3000 + 2400 + 2 * 86400).seconds == 1200


def test_limit_is_short_and_gives_way_to_a_block() -> None:
    """A limit holds a minute at most; a block takes its place, and it never a block's."""
    made = orders()
    assert take(made, limit(seconds=86400)).seconds == LIMIT_SECONDS
    made.elements.clear()
    take(made, block())
    assert Element("limit4", "203.0.113.5", 0) in made.elements
    answer = take(made, limit(evidence="l2"))
    assert (answer.outcome, answer.reason) == ("blocked", "it is blocked already")


def test_limits_are_renewed_while_they_count() -> None:
    """Near its end a limit whose counter moved gets another minute, the other one ends."""
    made = orders()
    take(made, limit())
    take(made, limit("203.0.113.6", "l2"))
    made.elements.clear()
    looked: list[str] = []

    def look(name: str) -> list[Held]:
        looked.append(name)
        return [Held("203.0.113.5", 7, 5.0), Held("203.0.113.6", 0, 5.0), Held("9.9.9.9", 1, 1.0)]

    made.holdings.renew(10, look)
    assert looked == []
    made.holdings.renew(55, look)
    assert made.elements == [Element("limit4", "203.0.113.5", 60, there=True)]
    made.holdings.expire(61)
    assert [hold.key for _, hold in made.holdings.held()] == ["203.0.113.5"]


def test_full_sheds_the_lightest_never_a_persons() -> None:
    """A full set lets the oldest first offender go; blocks by hand stay, then it is refused."""
    made = orders()
    made.block_by_hand("203.0.113.200", 3600, "because", 0)
    for number in range(16):
        assert take(made, block(f"203.0.113.{number}", f"e{number}")).outcome == "blocked"
    assert Element("block4", "203.0.113.0", 0) in made.elements
    assert "203.0.113.200" in {hold.key for _, hold in made.holdings.held()}
    for number in range(16):
        made.block_by_hand(f"198.18.0.{number}", 3600, "", 0)
    assert take(made, block("203.0.113.99", "last")).reason == "all of them were set by hand"


def test_pace() -> None:
    """So many orders a second are looked at, and so many new limits among them."""
    made = orders(limits=1000)
    answers = [made.take(limit(f"10.0.{n >> 8}.{n & 255}", f"l{n}"), 0) for n in range(300)]
    outcomes = [answer.outcome if answer else None for answer in answers]
    assert outcomes[:LIMITS_A_SECOND] == ["limited"] * LIMITS_A_SECOND
    assert outcomes[LIMITS_A_SECOND:ORDERS_A_SECOND] == ["rated"] * (
        ORDERS_A_SECOND - LIMITS_A_SECOND
    )
    assert outcomes[ORDERS_A_SECOND:] == [None] * (300 - ORDERS_A_SECOND)
    rates = {e.key for e in made.elements if e.set == "rate4"}
    assert rates == {"192.168.1.10 . tcp . 80"}


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (block(seconds=0), "is not between"),
        (block(seconds=86401), "is not between"),
        (block(evidence=""), "no proper id"),
        (block(evidence="x" * 65), "no proper id"),
        (block("198.51.100.2"), "a gateway"),
        (block("0.0.0.0/0"), "wider"),
        (limit("192.168.1.1"), "own address"),
        (Quarantine("q", HOST, "2001:db8::/64", 60, "X", ""), "no host"),
        (Quarantine("q", "ff:ff:ff:ff:ff:ff", "", 60, "X", ""), "a group's"),
    ],
)
def test_refused(order: Order, why: str) -> None:
    """What is not allowed changes nothing and says why."""
    made = orders()
    answer = take(made, order)
    assert answer.outcome == "refused"
    assert why in answer.reason
    assert made.elements == []
    assert made.cut == []


@pytest.mark.parametrize(
    ("mode", "outcomes"),
    [
        ("observe", ["observed", "observed", "observed"]),
        ("limit", ["limited", "limited", "limited"]),
        ("block", ["blocked", "limited", "quarantined"]),
    ],
)
def test_modes(mode: str, outcomes: list[str]) -> None:
    """Each mode carries out what it says, and no more."""
    made = orders(mode=mode)
    asked = [block(), limit("203.0.113.6"), Quarantine("q", HOST, "192.168.1.10", 600, "X", "")]
    assert [take(made, order).outcome for order in asked] == outcomes
    sets = {element.set for element in made.elements}
    assert sets == {"observe": set(), "limit": {"limit4", "host4"}}.get(
        mode, {"block4", "limit4", "quarantine", "claim"}
    )


def test_logged_in_address_is_welcome_until_it_guesses() -> None:
    """A session from inside keeps its port open; password guessing there ends that."""
    made = Orders(SETTINGS)
    made.set_facts(FACTS)
    welcome = [e for e in made.elements if e.set == "session4"]
    assert [e.key for e in welcome] == ["192.168.1.10 . 22"]
    made.elements.clear()
    take(made, block("192.168.1.10"))
    assert all(e.set != "session4" for e in made.elements)
    take(made, Block("e2", "192.168.1.10", 600, "PASSWORD_GUESSING", 22))
    assert Element("session4", "192.168.1.10 . 22", 0) in made.elements
    made.elements.clear()
    made.set_facts(FACTS)
    assert made.elements == []


def test_inside_host_is_limited_with_its_mac() -> None:
    """Without proof an inside address is limited only as far as the accused MAC uses it.

    Whoever forges a neighbour's address limits himself; a MAC that no host has is one, too.
    """
    made = orders()
    answer = take(made, limit("192.168.1.10")._replace(mac="02:00:00:00:00:66"))
    assert answer.outcome == "limited"
    assert made.elements == [Element("host4", "192.168.1.10 . 02:00:00:00:00:66", 60)]
    group = limit("192.168.1.10", "g")._replace(mac="03:00:00:00:00:66")
    assert take(made, group).outcome == "limited"
    outside = limit("203.0.113.5", "o")._replace(mac="02:00:00:00:00:66")
    take(made, outside)
    assert made.elements[-1] == Element("limit4", "203.0.113.5", 60)
    made.elements.clear()
    assert made.unblock("192.168.1.10", 1)
    assert {e.key for e in made.elements} == {
        *("192.168.1.10 . 02:00:00:00:00:66", "192.168.1.10 . 03:00:00:00:00:66")
    }
    made.set_facts(FACTS._replace(gateways=frozenset({"192.168.1.10"})))
    assert take(made, limit("192.168.1.10", "g2")).outcome == "refused"


def test_inside_host_is_never_blocked_by_its_address() -> None:
    """Not even with proof: its address may be another's tomorrow; a person may."""
    made = orders()
    answer = take(made, block("192.168.1.10"))
    assert (answer.outcome, answer.seconds) == ("limited", 60)
    assert "quarantined by its MAC" in answer.reason
    assert made.block_by_hand("192.168.1.10", 60, "", 0).outcome == "blocked"


def test_false_claims_are_tried_first() -> None:
    """Accused of false claims alone, a host is asked; the verdict quarantines it, or nothing."""
    made = orders()
    claim = Quarantine("q", HOST, "192.168.1.10", 600, "MITM_ARP_ATTACK", "192.168.1.1")
    assert made.take(claim, 0) is None
    assert made.too_fast == 0
    assert made.trials == [claim]
    assert made.elements == []
    suspect = made.suspect(claim)
    assert suspect == (HOST, "192.168.1.10", "192.168.1.1", "lan", "192.168.1.1")
    assert made.conclude(claim, "it does not answer", 1).outcome == "refused"
    assert made.elements == []
    assert made.conclude(claim, "", 1).outcome == "quarantined"
    assert Element("quarantine", HOST, 600) in made.elements
    assert made.suspect(claim._replace(mac="02:00:00:00:00:02")) is None


def test_proof_with_a_forged_mac() -> None:
    """Who answers for his own address under another's MAC has that pair limited, and no more."""
    made = orders()
    other = Neighbour("192.168.1.66", "02:00:00:00:00:66", "lan")
    made.set_facts(FACTS._replace(neighbours=(*FACTS.neighbours, other)))
    made.elements.clear()
    answer = take(made, Quarantine("q", HOST, "192.168.1.66", 600, "X", ""))
    assert answer.outcome == "limited"
    assert "192.168.1.66 is not known to be" in answer.reason
    assert made.elements == [Element("host4", f"192.168.1.66 . {HOST}", 60)]


def test_quarantine_by_an_ipv6_address() -> None:
    """One that the kernel knows as that MAC's; it has no claims over ARP."""
    made = orders()
    mine = Neighbour("2001:db8:5::10", HOST, "lan")
    made.set_facts(FACTS._replace(neighbours=(*FACTS.neighbours, mine)))
    made.elements.clear()
    stranger = Quarantine("q1", HOST, "2001:db8:5::11", 600, "X", "")
    assert take(made, stranger).outcome == "limited"
    made.elements.clear()
    assert take(made, stranger._replace(evidence="q2", address=mine.address)).seconds == 600
    assert made.elements == [Element("quarantine", HOST, 600)]


def test_claims_of_the_untouchable() -> None:
    """A claim that carries a gateway's or an unknown MAC limits nobody, before or after a trial."""
    made = orders()
    for mac in (HOST, "02:00:00:00:00:02"):
        gateway = Neighbour("198.51.100.2", HOST, "lan")
        made.set_facts(FACTS._replace(neighbours=(*FACTS.neighbours, gateway)))
        made.elements.clear()
        claim = Quarantine(f"q{mac}", mac, "192.168.1.10", 600, "X", "192.168.1.1")
        assert take(made, claim).outcome == "refused"
        assert made.conclude(claim, "", 1).outcome == "refused"
        assert made.elements == []
    assert made.trials == []


def test_facts_let_go() -> None:
    """Who becomes a gateway while blocked is released; so is a quarantined MAC."""
    made = orders()
    take(made, block())
    take(made, Quarantine("q", HOST, "192.168.1.10", 600, "X", ""))
    made.elements.clear()
    made.set_facts(FACTS._replace(gateways=frozenset({"203.0.113.5", "192.168.1.10"})))
    assert set(made.elements) >= {
        Element("block4", "203.0.113.5", 0),
        Element("quarantine", HOST, 0),
        Element("claim", f"{HOST} . 192.168.1.10", 0),
    }
    assert list(made.holdings.held()) == []


def test_by_hand() -> None:
    """A person's block, its reason, and its end, which is no offence any more."""
    made = orders()
    assert made.block_by_hand("192.168.1.1", 60, "", 0).outcome == "refused"
    assert made.block_by_hand("203.0.113.5", 7 * 86400, "spam", 0).seconds == 7 * 86400
    assert made.unblock("203.0.113.5", 1)
    assert not made.unblock("203.0.113.5", 1)
    take(made, block())
    assert made.unblock("203.0.113.5", 1)
    assert take(made, block(evidence="e2"), 2).seconds == 600
    take(made, Quarantine("q", HOST, "192.168.1.10", 600, "X", ""))
    assert made.unblock(HOST, 3)
    assert "own address" in str(made.why_never("192.168.1.1"))


def test_kept_and_restored() -> None:
    """What is kept comes back with what was left of it, and offenders stay known."""
    made = orders()
    take(made, block())
    take(made, limit("203.0.113.6"))
    take(made, Quarantine("q", HOST, "192.168.1.10", 600, "X", ""))
    made.block_by_hand("203.0.113.7", 1000, "spam", 0)
    state = State(*map(tuple, made.holdings.keep(100)))  # type: ignore[arg-type]
    again = orders()
    assert again.holdings.restore(state, None, 5000) == 4
    everything = {(e.set, e.key): e.seconds for e in again.everything(5000, there=False)}
    assert everything[("block4", "203.0.113.5")] == 500
    assert everything[("block4", "203.0.113.7")] == 900
    assert everything[("quarantine", HOST)] == 500
    assert ("limit4", "203.0.113.6") not in everything
    again.holdings.expire(6000)
    assert take(again, block(evidence="e2"), 6000).seconds == 1200


def test_restart_believes_the_kernel() -> None:
    """Where tables outlived the process, they say what holds and for how long."""
    made = orders()
    take(made, block("203.0.113.5", "a"))
    take(made, block("203.0.113.6", "b"))
    state = State(*map(tuple, made.holdings.keep(0)))  # type: ignore[arg-type]
    again = orders()
    kernel = {"block4": {k: Held(k, 0, 50.0) for k in ("203.0.113.6", "203.0.113.9")}}
    assert again.holdings.restore(state, kernel, 0) == 2
    held = {hold.key: hold for _, hold in again.holdings.held()}
    assert set(held) == {"203.0.113.6", "203.0.113.9"}
    assert held["203.0.113.6"].until == 50
    assert held["203.0.113.6"].evidence == "b"


_ADDRESSES = st.sampled_from(
    "192.168.1.1 198.51.100.2 192.168.1.255 203.0.113.5 203.0.113.6 192.168.1.10 2001:db8:1:2::/64 "
    "2001:db8::5 x 0.0.0.0/0".split()
)
_TEXTS = st.sampled_from(["e1", "e2", "e3", ""])
_SECONDS = st.integers(-1, 90000)
_ORDERS = st.one_of(
    st.builds(Block, _TEXTS, _ADDRESSES, _SECONDS, _TEXTS, st.integers(0, 70000)),
    st.builds(
        *(Limit, _TEXTS, _ADDRESSES, _SECONDS, _TEXTS, _ADDRESSES, st.integers(0, 70000)),
        st.sampled_from(["tcp", "udp", "x", ""]),
        st.sampled_from([HOST, "x", ""]),
    ),
    st.builds(
        *(Quarantine, _TEXTS, st.sampled_from([HOST, "x"]), _ADDRESSES, _SECONDS, _TEXTS),
        st.sampled_from(["", "192.168.1.1"]),
    ),
)


@given(st.lists(st.tuples(_ORDERS, st.floats(0, 1000)), max_size=60))
def test_whatever_is_asked(asked: list[tuple[Order, float]]) -> None:
    """No order touches who must not be, holds longer than a day, or fills more than its table."""
    made, now = orders(), 0.0
    untouchable = {"192.168.1.1", "198.51.100.2", "192.168.1.255"}
    for order, gap in asked:
        now += gap
        made.holdings.expire(now)
        made.take(order, now)
        for name, hold in made.holdings.held():
            short = name.startswith(("limit", "host"))
            assert hold.until - now <= (60 if short else 86400) + 1e-6
            assert not untouchable & set(hold.key.split(" . ")) or name == "claim"
    assert not {e.key for e in made.elements if e.set != "claim"} & untouchable
    assert not {t.key for t in made.cut} & untouchable
