"""Slips' words, translated to the typed API."""

from typing import Any

import pytest

from hdr_lite.compat import legacy
from hdr_lite.compat.legacy import Module
from hdr_lite.module import Flow
from hdr_lite.module.testing import Harness, record


class Echo(Module):
    """Keeps what it reads; ends at the second message."""

    name = "echo"

    def init(self) -> None:
        self.channels = {"flows": self.db.subscribe("new_flow")}
        self.read: list[dict[str, Any]] = []

    def main(self) -> object:
        if message := self.get_msg("flows"):
            self.read.append(message)
            self.print("some text", 1, 0)
        return int(len(self.read) == 2)


def evidence(harness: Harness, **changed: Any) -> Any:
    """The finding that setEvidence makes of usual arguments with some changed."""
    given: dict[str, Any] = {
        "evidence_type": "Something",
        "attacker_direction": "srcip",
        "attacker": "10.0.0.1",
        "threat_level": "medium",
        "confidence": 0.5,
        "description": "d",
        "timestamp": "2022/06/02-16:51:57",
        "category": "Recon.Scanning",
        "profileid": "profile_10.0.0.1",
        "twid": "timewindow1",
    }
    harness.module.db.setEvidence(**(given | changed))
    return harness.findings[-1]


def fed() -> Harness:
    harness = Harness(Echo)
    harness.feed(record(Flow, at=9, uid="C1", saddr="10.0.0.1", daddr="10.0.0.2", proto="udp"))
    return harness


def test_messages_come_under_the_modules_own_key() -> None:
    """get_msg takes the key of self.channels; main() returning 1 ends the module."""
    harness = fed()
    assert harness.module.read[0]["channel"] == "new_flow"
    assert isinstance(harness.module.read[0]["data"], str)
    harness.feed(record(Flow, uid="C2"), record(Flow, uid="C3"))
    assert len(harness.module.read) == 2
    assert harness.ended
    assert harness.context.log_lines == ["some text"] * 2


def test_an_unasked_channel_is_empty() -> None:
    """get_msg without a message is None."""
    assert Harness(Echo).module.get_msg("flows") is None


def test_the_text_is_made_once_for_all_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two legacy modules that are given the same dict share the translation."""
    made: list[object] = []
    monkeypatch.setattr(legacy, "translate", lambda data, window: made.append(data) or "text")
    shared = {"channel": "new_flow", "data": record(Flow, uid="C1")}
    readers = [Harness(Echo), Harness(Echo)]
    for harness in readers:
        harness.context.queues["new_flow"].append(shared)
        assert harness.module.get_msg("flows")["data"] == "text"
    assert len(made) == 1
    assert isinstance(shared["data"], Flow)


def test_evidence_has_the_flows_time_and_other_end() -> None:
    """The time given is ignored; victim, uid and protocol are the last flow's."""
    found = evidence(fed())
    assert (found.ts, found.victim, found.uids, found.proto) == (
        9 * 10**9,
        "10.0.0.2",
        ("C1",),
        "udp",
    )
    assert (found.threat_level, found.confidence) == (500, 500)
    assert not found.blocking


def test_the_destination_may_be_the_attacker() -> None:
    """Then the source is the victim."""
    found = evidence(fed(), attacker_direction="dstip", attacker="10.0.0.2")
    assert (found.direction, found.attacker, found.victim) == ("dstip", "10.0.0.2", "10.0.0.1")


def test_a_domain_is_a_victim_and_the_profile_accused() -> None:
    """An attacker that is no address cannot have a profile."""
    found = evidence(fed(), attacker_direction="dstdomain", attacker="bad.example")
    assert (found.attacker, found.victim) == ("10.0.0.1", "bad.example")


@pytest.mark.parametrize(
    ("type", "category", "family"),
    [
        ("ARP_SCAN", "Anomaly.Connection", "scan"),
        ("Own", "Recon.Scanning", "scan"),
        ("Own", "Attempt.Login", "bruteforce"),
        ("Own", "Anomaly.Traffic", "anomaly"),
        ("Own", "", "anomaly"),
    ],
)
def test_families_follow_from_type_or_category(type: str, category: str, family: str) -> None:
    """A type we know decides, else the first word of the IDEA category."""
    assert evidence(fed(), evidence_type=type, category=category).family == family


def test_an_unknown_level_is_an_error_that_names_the_levels() -> None:
    """So that errors.log tells the author what to write."""
    with pytest.raises(ValueError, match="'severe' is none of info, low, medium, high, critical"):
        evidence(fed(), threat_level="severe")


def test_before_any_message_evidence_has_no_time_of_its_own() -> None:
    """The engine then stamps it with the time of the report."""
    found = evidence(Harness(Echo))
    assert (found.ts, found.uids, found.victim) == (0, (), "")


def test_db_publishes() -> None:
    """As shutdown_gracefully does."""
    harness = Harness(Echo)
    harness.module.db.publish("finished_modules", "echo")
    assert harness.context.published == [("finished_modules", "echo")]


def test_dropping_privileges_does_nothing() -> None:
    """The word is there and harmless."""
    assert legacy.utils.drop_root_privs() is None
