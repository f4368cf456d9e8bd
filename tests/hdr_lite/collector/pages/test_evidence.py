"""The evidence behind an alert, gathered from its messages."""

import msgpack

from hdr_lite.collector import clock
from hdr_lite.collector.pages.evidence import case_of
from hdr_lite.collector.store import Alert, Payload
from tests.collector.sample import TRICKS, payload

GUESSING = next(trick for trick in TRICKS if trick.type == "PASSWORD_GUESSING")
SCAN = next(trick for trick in TRICKS if trick.type == "VERTICAL_PORT_SCAN")
TOLD = clock.now()


def found(own: bytes, *earlier: bytes) -> Payload:
    alert = Alert(
        1, "d", "i", 0, 0, 0, "", "203.0.113.5", "", "", 0, "", [], [], "high", 0, 0, "", 1, ""
    )
    return Payload(alert, own, list(earlier))


def split(body: bytes, keep: int) -> tuple[bytes, bytes]:
    """The alert with its last ``keep`` evidence, and an earlier message with the others."""
    content = msgpack.unpackb(body)
    first = {**content, "evidence": content["evidence"][:-keep]}
    return msgpack.packb({**content, "evidence": content["evidence"][-keep:]}), msgpack.packb(first)


def test_evidence_in_words():
    """What was found, by whom at whom, how sure, and what it may do."""
    case = case_of(found(payload("203.0.113.5", "192.168.7.30", GUESSING, TOLD, 1)))

    (shown,) = case.shown
    assert shown.description.startswith("12 ssh passwords refused at 192.168.7.30")
    assert (shown.source, shown.target) == ("203.0.113.5", "192.168.7.30 port 22")
    assert (shown.level, shown.confidence, shown.module) == ("critical", 96, "bruteforce")
    assert "not forged" in shown.proof
    assert (case.more, case.missing) == (0, 0)


def test_without_proof_it_says_that_the_address_may_be_forged():
    """Whoever reads it knows why nobody was blocked."""
    (shown,) = case_of(found(payload("203.0.113.5", "192.168.7.30", SCAN, TOLD, 1))).shown
    assert "may be forged" in shown.proof


def test_evidence_that_was_sent_before_is_found_there():
    """In order of time; what no message has is counted as missing."""
    own, earlier = split(payload("203.0.113.5", "192.168.7.30", SCAN, TOLD, 4), 1)

    case = case_of(found(own, earlier))
    assert [item.time for item in case.shown] == sorted(item.time for item in case.shown)
    assert (len(case.shown), case.missing) == (4, 0)

    case = case_of(found(own))
    assert (len(case.shown), case.missing) == (1, 3)


def test_other_evidence_of_an_earlier_message_is_left_out():
    """It is another alert's."""
    own = payload("203.0.113.5", "192.168.7.30", SCAN, TOLD, 2)
    other = payload("203.0.113.5", "192.168.7.41", GUESSING, TOLD, 2)
    half, _ = split(own, 1)
    assert {item.type for item in case_of(found(half, other)).shown} == {SCAN.type}


def test_there_is_a_most():
    """A page does not hold a thousand."""
    case = case_of(found(payload("203.0.113.5", "192.168.7.30", SCAN, TOLD, 230)))
    assert (len(case.shown), case.more) == (200, 30)


def test_message_that_cannot_be_read_shows_nothing():
    """Of an older release, say: the alert's page comes all the same."""
    case = case_of(found(b"\xc1"))
    assert (case.shown, case.more, case.missing) == ([], 0, 0)
