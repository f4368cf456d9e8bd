"""Who holds an address, and claims that contradict it."""

from collections.abc import Sequence

import pytest

from hdr_lite.module import Arp
from hdr_lite.module.testing import SECOND, record
from hdr_lite.modules.arp.holders import Holders, Suspicion

ALL = "ff:ff:ff:ff:ff:ff"
NONE = "00:00:00:00:00:00"
ROUTER, VICTIM, EVIL, OTHER = (f"02:00:00:00:00:{n:02x}" for n in (1, 2, 66, 9))
R, V, E, O = "10.0.0.1", "10.0.0.2", "10.0.0.66", "10.0.0.9"  # noqa: E741


def ask(at: float, mac: str, ip: str, target: str, dmac: str = ALL) -> Arp:
    return record(
        Arp, at=at, operation="request", sender_mac=mac, sender_ip=ip, target_mac=NONE,
        target_ip=target, smac=mac, dmac=dmac,
    )  # fmt: skip


def tell(at: float, mac: str, ip: str, to_mac: str, to_ip: str) -> Arp:
    return record(
        Arp, at=at, operation="reply", sender_mac=mac, sender_ip=ip, target_mac=to_mac,
        target_ip=to_ip, smac=mac, dmac=to_mac,
    )  # fmt: skip


def announce(at: float, mac: str, ip: str) -> Arp:
    return ask(at, mac, ip, ip)


def judge(messages: Sequence[Arp]) -> list[Suspicion]:
    """All that a fresh table comes to suspect."""
    holders = Holders()
    found = (holders.claim(arp.ts, arp) for arp in messages)
    return [suspicion for suspicion in found if suspicion]


#: Everybody has spoken once.
KNOWN = [announce(0, ROUTER, R), announce(1, VICTIM, V), announce(2, EVIL, E)]


def test_crossed_claims_are_a_man_in_the_middle() -> None:
    """At once suspected, and with each further pair more."""
    attack = []
    for i in range(10):
        attack += [
            tell(10 + 2 * i, EVIL, R, VICTIM, V),
            tell(10.1 + 2 * i, EVIL, V, ROUTER, R),
        ]
    found = judge(KNOWN + attack)
    assert [s.confidence for s in found] == [500, 900, 950, 950]
    assert all(s.own_ip == E for s in found)
    assert {s.claimed for s in found} <= {R, V}


def test_crossed_claims_suffice_when_nobody_was_known() -> None:
    """The capture may begin in the middle of the attack."""
    found = judge([tell(10, EVIL, R, VICTIM, V), tell(11, EVIL, V, ROUTER, R)])
    assert [s.reason for s in found] == ["it tells each of two hosts that it is the other"]


def test_repeated_unasked_replies_for_anothers_address() -> None:
    """One victim only: the second makes it a suspicion."""
    found = judge(KNOWN + [tell(10 + i, EVIL, R, VICTIM, V) for i in range(8)])
    assert [s.confidence for s in found] == [400, 600, 950]
    assert found[0].reason == f"{ROUTER} has it"


def test_one_unasked_reply_is_not_enough() -> None:
    """A single strike may be a mistake."""
    assert not judge([*KNOWN, tell(10, EVIL, R, VICTIM, V)])


def test_contested_claims_count_without_an_own_address() -> None:
    """The holder keeps saying that the address is its own."""
    messages = [announce(0, ROUTER, R)]
    for i in range(6):
        messages += [tell(10 + 2 * i, EVIL, R, VICTIM, V), announce(11 + 2 * i, ROUTER, R)]
    found = judge(messages)
    assert found
    assert found[0].own_ip == ""
    assert "still says so" in found[0].reason


def test_asking_for_what_one_claims_to_have() -> None:
    """Nobody asks for an address of his own; it counts once however often it happens."""
    messages = [ask(10, EVIL, R, V, dmac=VICTIM), tell(10.1, EVIL, R, VICTIM, V)]
    messages += [ask(14 + i, EVIL, E, R) for i in range(5)]
    (found,) = judge(messages)
    assert (found.own_ip, found.claimed, found.confidence) == (E, R, 400)


@pytest.mark.parametrize(
    "messages",
    [
        [ask(0, "02::", "0.0.0.0", R)] * 5,  # probes
        [announce(i, mac, R) for i, mac in enumerate([ROUTER, OTHER] * 3)],  # failover, and back
        [announce(0, VICTIM, V), *(ask(400 + i, OTHER, V, R) for i in range(9))],  # a new lease
        [announce(0, VICTIM, V), *(ask(20 + i, OTHER, V, R) for i in range(9))],  # a quick one
        [announce(0, VICTIM, V), *(announce(20 + i, OTHER, V) for i in range(9))],  # a takeover
        [announce(i, "00:00:5e:00:01:0a", R) for i in range(9)],
    ],
    ids=["probes", "failover", "lease", "quick lease", "takeover", "vrrp"],
)
def test_what_moves_addresses_honestly(messages: list[Arp]) -> None:
    """Probes, announcements, leases and failovers are no claims against anybody."""
    assert not judge(messages)


def test_answers_to_questions_are_not_false() -> None:
    """Proxy ARP answers for addresses that others hold."""
    messages = [*KNOWN]
    for i in range(20):
        messages += [ask(10 + i, VICTIM, V, O), tell(10.1 + i, ROUTER, O, VICTIM, V)]
        messages += [tell(10.2 + i, OTHER, O, VICTIM, V)]
    assert not judge(messages)


def test_a_host_that_moves_behind_a_repeater() -> None:
    """The repeater, which has an address of its own, lends it its hardware address."""
    moved = [ask(10 + 20 * i, EVIL, V, R, dmac=ROUTER) for i in range(12)]
    assert not judge(KNOWN + moved)


def test_glbp_members_share_an_address() -> None:
    """Several virtual hardware addresses for one address are its purpose."""
    members = ["00:07:b4:00:01:01", "00:07:b4:00:01:02"]
    messages = [tell(i, members[i % 2], R, VICTIM, V) for i in range(20)]
    assert not judge([*messages, announce(30, ROUTER, R)])


def test_a_silent_holder_is_followed() -> None:
    """After five minutes the newcomer holds the address; replies of it are then honest."""
    messages = [announce(0, ROUTER, R), announce(1, OTHER, O)]
    messages += [tell(400 + 70 * i, OTHER, R, VICTIM, V) for i in range(6)]
    assert not judge(messages)


def test_strikes_are_forgotten_after_an_hour() -> None:
    """A mistake a day never adds up."""
    messages = []
    for day in range(6):
        start = day * 86400
        messages += [announce(start, ROUTER, R), announce(start, EVIL, E)]
        messages += [tell(start + 9, EVIL, R, VICTIM, V)]
    assert not judge(messages)


def test_a_claimant_of_many_addresses_is_remembered_by_the_last_eight() -> None:
    """A router answers for a hundred; none of them is false, and memory stays small."""
    messages = [announce(i, ROUTER, f"10.0.1.{i}") for i in range(100)]
    assert not judge([*messages, announce(200, EVIL, E), tell(201, EVIL, R, VICTIM, V)])


def test_links_do_not_know_each_other() -> None:
    """The same private addresses are used on every VLAN."""
    messages = [*KNOWN, *(tell(10 + i, EVIL, R, VICTIM, V)._replace(vlan=7) for i in range(3))]
    assert not judge(messages)


def test_a_claim_late_in_an_attack_is_still_false() -> None:
    """The victim's own words keep it the holder."""
    messages = [*KNOWN]
    for i in range(30):
        at = 10.0 + 30 * i
        messages += [announce(at, ROUTER, R), tell(at + 1, EVIL, R, VICTIM, V)]
    assert judge(messages)[-1].confidence == 950
    assert messages[-1].ts > 800 * SECOND


def test_the_same_unasked_reply_again_and_again() -> None:
    """Nobody else is seen; never more than a suspicion, and slower ones are renewals."""
    found = judge([tell(2 * i, EVIL, R, VICTIM, V) for i in range(40)])
    assert [s.confidence for s in found] == [300, 300, 300]
    assert {(s.own_ip, s.reason) for s in found} == {
        ("", "it says so again and again, and nobody asks")
    }
    assert not judge([tell(20 * i, EVIL, R, VICTIM, V) for i in range(40)])


def test_a_question_explains_the_same_reply() -> None:
    """A host that asks each second is answered each second."""
    messages = []
    for i in range(20):
        messages += [ask(i, VICTIM, V, R, ROUTER), tell(i + 0.1, ROUTER, R, VICTIM, V)]
    assert not judge(messages)


def test_disputed_announcements() -> None:
    """The holder speaks between them, and the claimant has an address of its own."""
    dispute = []
    for i in range(6):
        dispute += [announce(10 + 2 * i, EVIL, R), ask(11 + 2 * i, ROUTER, R, V)]
    assert judge(KNOWN + dispute)[0].reason == f"{ROUTER} has it and still says so"
    assert not judge([announce(0, ROUTER, R), *dispute])  # two hosts with one address
    slow = [m._replace(ts=m.ts * 40) for m in dispute]
    assert not judge(KNOWN + slow)  # takeovers


def test_a_second_answer() -> None:
    """The holder has answered just before; a proxy that answers alone is none."""
    race, proxy = [], []
    for i in range(6):
        question = ask(10 + i, VICTIM, V, R)
        proxy += [question, tell(10.2 + i, EVIL, R, VICTIM, V)]
        race += [question, tell(10.1 + i, ROUTER, R, VICTIM, V), proxy[-1]]
    found = judge(KNOWN + race)
    assert {s.reason for s in found} == {"its holder has given the same answer just before"}
    assert found[-1].confidence == 600
    assert not judge(KNOWN + proxy)


def test_cooked_captures_do_not_tell_to_whom() -> None:
    """Without a destination a question is taken for one to all."""
    messages = [*KNOWN]
    for i in range(10):
        messages += [ask(10 + i, EVIL, R, V, NONE), ask(10.5 + i, ROUTER, R, V, NONE)]
    assert not judge(messages)
