"""The base class of modules."""

import pytest

from hdr_lite.channels import UnknownChannel
from hdr_lite.module import Flow, Module, Option, ThreatLevel
from hdr_lite.module.testing import Harness, record


class Reporter(Module):
    """Reports each flow."""

    name = "reporter"
    options = (Option("level", 0.5, "confidence"),)

    def new_flow(self, flow: Flow) -> None:
        self.set_evidence(
            "ARP_SCAN",
            attacker=flow.saddr,
            threat_level=ThreatLevel.LOW,
            confidence=self.option("level"),
            description="d",
        )


class Misspelt(Module):
    """Has a method for a channel that does not exist."""

    name = "misspelt"

    def new_flows(self, flow: Flow) -> None:
        raise AssertionError


class Reader(Module):
    """Reads in the seed's way."""

    name = "reader"

    def init(self) -> None:
        self.subscribe("new_flow")
        self.seen: list[str] = []

    def main(self) -> object:
        if message := self.get_msg("new_flow"):
            self.seen.append(message["data"].uid)
            self.publish("finished_modules", self.name)
            self.print(message["data"].uid, 2)
        return len(self.seen) == 2


def test_methods_named_after_channels_are_the_subscription() -> None:
    """A class is subscribed to the channels that it has a method for, and to no others."""
    assert Reporter.handled() == ("new_flow",)
    assert Reader.handled() == ()


def test_a_misspelt_channel_is_told() -> None:
    """A method that looks like a channel's and is none names the nearest one."""
    with pytest.raises(UnknownChannel, match="the nearest is 'new_flow'"):
        Misspelt.handled()


@pytest.mark.parametrize(("given", "thousandths"), [(0.5, 500), (1.7, 1000), (-1, 0), (0.3, 300)])
def test_confidence_is_kept_in_thousandths(given: float, thousandths: int) -> None:
    """Confidence is clamped to 0..1 and exact."""
    harness = Harness(Reporter, level=given)
    harness.feed(record(Flow, saddr="10.0.0.1"))
    assert harness.findings[0].confidence == thousandths


def test_the_family_follows_from_the_type() -> None:
    """A known type needs no family; an unknown one without a family is an error."""
    harness = Harness(Reporter)
    harness.feed(record(Flow, saddr="10.0.0.1"))
    assert harness.findings[0].family == "scan"
    with pytest.raises(KeyError, match="NOT_KNOWN"):
        harness.module.set_evidence(
            "NOT_KNOWN",
            attacker="10.0.0.1",
            threat_level=ThreatLevel.LOW,
            confidence=1,
            description="",
        )


def test_a_module_may_read_with_get_msg() -> None:
    """main() is called while it takes messages and ends the module with a true value."""
    harness = Harness(Reader)
    harness.feed(*(record(Flow, uid=uid) for uid in "abc"))
    assert harness.module.seen == ["a", "b"]
    assert harness.ended
    assert harness.context.published == [("finished_modules", "reader")] * 2
    assert harness.context.log_lines == ["a", "b"]


def test_what_an_author_leaves_out_does_nothing() -> None:
    """No main, nothing at the end: the module goes on and stops quietly."""
    module = Harness(Reporter).module
    assert module.main() is None
    assert module.pre_main() is None
    module.shutdown_gracefully()


def test_is_inside_and_now_come_from_the_context() -> None:
    """A module knows the home networks and traffic time through its context only."""
    harness = Harness(Reporter)
    harness.feed(record(Flow, at=2.5, saddr="10.0.0.1"))
    assert harness.module.now() == 2_500_000_000
    assert harness.module.is_inside("192.168.7.1")
    assert not harness.module.is_inside("8.8.8.8")
