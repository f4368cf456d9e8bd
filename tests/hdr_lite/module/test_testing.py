"""The harness that module tests stand on."""

import pytest

from hdr_lite.channels import AddressMessage, UnknownChannel
from hdr_lite.module import Arp, Attempts, Dns, Flow, Module, Option, ThreatLevel
from hdr_lite.module.testing import SECOND, Harness, record


class Listener(Module):
    """Remembers when it was told what."""

    name = "listener"
    options = (Option("most", 3, "how many"),)

    def init(self) -> None:
        self.heard: list[tuple[str, int]] = []

    def pre_main(self) -> object:
        return self.option("most") == 0

    def new_flow(self, flow: Flow) -> None:
        self.heard.append(("flow", self.now()))

    def attempts(self, attempts: Attempts) -> None:
        self.heard.append(("attempts", self.now()))

    def new_profile(self, message: AddressMessage) -> None:
        self.heard.append((message.address, self.now()))


def test_records_have_zeroes_where_nothing_is_given() -> None:
    """Only what a test is about has to be said."""
    arp = record(Arp, at=1.25, sender_ip="10.0.0.1")
    assert arp.ts == 1_250_000_000
    assert (arp.sender_ip, arp.operation, arp.vlan) == ("10.0.0.1", "", 0)
    assert record(Dns).answers == ()
    assert record(Attempts, at=2, first=SECOND)[:2] == (SECOND, 2 * SECOND)


def test_the_clock_follows_the_records_and_never_goes_back() -> None:
    """A flow is told when it ends, a sum at its last attempt."""
    harness = Harness(Listener)
    harness.feed(
        record(Flow, at=1, duration=3 * SECOND), record(Attempts, at=2), record(Attempts, at=9)
    )
    assert [second // SECOND for _, second in harness.module.heard] == [4, 4, 9]


def test_a_channel_may_be_named() -> None:
    """Two channels carry AddressMessage: `on` says which one is meant."""
    harness = Harness(Listener)
    harness.feed(AddressMessage(5, "10.0.0.1"))
    harness.feed(AddressMessage(5, "10.0.0.2"), on="new_profile")
    assert harness.module.heard == [("10.0.0.2", 5)]


class Reader(Module):
    """Reads by hand, two kinds of messages, and stops reading at a domain."""

    name = "reader"

    def init(self) -> None:
        self.subscribe("new_flow")
        self.read: list[str] = []

    def main(self) -> object:
        if self.read[-1:] == ["C2"]:
            return None
        message = self.get_msg("new_flow")
        if message is not None:
            self.read.append(message["data"].uid)
            self.print(message["channel"])
        return len(self.read) > 9


def test_reading_by_hand() -> None:
    """main() is called while it takes messages; what it leaves stays in the queue."""
    harness = Harness(Reader)
    harness.feed(*(record(Flow, uid=uid) for uid in ("C1", "C2", "C3", "C4")))
    assert harness.module.read == ["C1", "C2"]
    assert harness.context.log_lines == ["new_flow", "new_flow"]
    assert [m["data"].uid for m in harness.context.queues["new_flow"]] == ["C3", "C4"]
    assert harness.context.get_msg(harness.module, "new_dns") is None


def test_findings_and_published_messages_are_kept() -> None:
    """In order; the id of evidence is its number."""
    harness = Harness(Listener)
    told = {"attacker": "10.0.0.1", "threat_level": ThreatLevel.LOW, "description": "d"}
    assert harness.module.set_evidence("ARP_SCAN", confidence=1, **told) == "listener-1"
    assert harness.module.set_evidence("ARP_SCAN", confidence=1, **told) == "listener-2"
    harness.module.publish("finished_modules", "listener")
    assert len(harness.findings) == 2
    assert harness.context.published == [("finished_modules", "listener")]


def test_mistakes_of_a_test_are_told() -> None:
    """No channel for a message, an unknown channel, an option that is not declared."""
    harness = Harness(Listener)
    with pytest.raises(TypeError, match="no channel carries int"):
        harness.feed(7)
    with pytest.raises(UnknownChannel):
        harness.context.subscribe(harness.module, "new_flows")
    with pytest.raises(ValueError, match="declares no option 'least'"):
        Harness(Listener, least=1)


def test_options_and_pre_main() -> None:
    """Declared defaults hold unless given; a true pre_main ends the module."""
    assert Harness(Listener).module.option("most") == 3
    assert not Harness(Listener).ended
    assert Harness(Listener, most=0).ended


def test_windows_and_home_networks() -> None:
    """The context counts windows of an hour from 1 and knows the home it is given."""
    context = Harness(Listener, home=("198.51.100.0/24",)).context
    assert (context.window(0), context.window(3600 * SECOND)) == (1, 2)
    assert context.is_inside("198.51.100.9")
    assert not context.is_inside("10.0.0.1")


def test_held_counts_the_state_of_the_module() -> None:
    """What a module keeps is counted once, its code and context not at all."""
    harness = Harness(Listener)
    empty = harness.held()
    big = bytes(10_000)
    harness.module.heard += [big, big]
    assert empty + 10_000 < harness.held() < empty + 11_000
