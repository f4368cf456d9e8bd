"""What the kernel tells of nftables: who took what away, and what a set holds."""

import os
from collections.abc import Iterator

import pytest

from hdr_lite.config import Config, EnforcerConfig
from hdr_lite.enforcer.monitor import Monitor, held
from hdr_lite.enforcer.netlink import NetlinkError
from hdr_lite.enforcer.nft import Nft
from hdr_lite.enforcer.ruleset import Element, skeleton, transactions
from tests.netns.bed import namespace, within
from tests.netns.network import Namespace

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]


@pytest.fixture
def inside() -> Iterator[Namespace]:
    """A namespace with our table in it."""
    with namespace("nft") as made:
        yield made


def test_who_did_it(inside: Namespace) -> None:
    """What others delete is heard, once; our own deletions and others' tables are not."""
    nft, monitor = within(inside, Nft), within(inside, lambda: Monitor("hdr_lite"))
    nft.run(skeleton("inet", "hdr_lite", Config()))
    monitor.learn()
    assert not monitor.harmed()
    nft.run("delete table inet hdr_lite\n" + skeleton("inet", "hdr_lite", Config()))
    assert not monitor.harmed()
    inside.run("nft", "add table inet hdr_lite2; delete table inet hdr_lite2")
    inside.run("nft", "add element inet hdr_lite block4 { 10.0.0.1 }")
    assert not monitor.harmed()
    inside.run("nft", "delete element inet hdr_lite block4 { 10.0.0.1 }")
    assert monitor.harmed()
    assert not monitor.harmed()
    inside.run("nft", "flush", "ruleset")
    assert monitor.harmed()
    monitor.learn()  # later ones teach nothing
    nft.run(skeleton("inet", "hdr_lite", Config()))
    inside.run("nft", "flush", "ruleset")
    assert monitor.harmed()
    monitor.close()


def test_lost_news_count_as_harm(inside: Namespace) -> None:
    """When more was told than the buffer holds, the tables are looked after."""
    nft, monitor = within(inside, Nft), within(inside, lambda: Monitor("hdr_lite"))
    nft.run(skeleton("inet", "hdr_lite", Config(enforcer=EnforcerConfig(blocks=5000))))
    monitor.learn()
    for _ in range(20):
        many = [Element("block4", f"10.0.{n >> 8}.{n & 255}", 60) for n in range(5000)]
        for text in transactions("hdr_lite", ("inet",), many):
            nft.run(text)
        nft.run("flush set inet hdr_lite block4\n")
    assert monitor.harmed()
    monitor.close()


def test_held(inside: Namespace) -> None:
    """Addresses, prefixes and MACs with their counters and what is left of their time."""
    nft = within(inside, Nft)
    nft.run(skeleton("inet", "hdr_lite", Config()))
    elements = {
        "block4": "203.0.113.5",
        "block64": "2001:db8:1:2::",
        "quarantine": "02:00:00:00:00:01",
    }
    for text in transactions("hdr_lite", ("inet",), [Element(*e, 60) for e in elements.items()]):
        nft.run(text)
    for name, key in elements.items():
        (found,) = within(inside, lambda n=name: list(held("hdr_lite", n)))  # type: ignore[misc]
        assert (found.key, found.packets) == (key, 0)
        assert 50 < found.seconds <= 60
    with pytest.raises(NetlinkError):
        within(inside, lambda: list(held("hdr_lite", "nosuch")))


def test_held_in_thousands(inside: Namespace) -> None:
    """A dump of many messages is whole."""
    nft = within(inside, Nft)
    nft.run(skeleton("inet", "hdr_lite", Config(enforcer=EnforcerConfig(blocks=5000))))
    wanted = {f"10.0.{n >> 8}.{n & 255}" for n in range(5000)}
    for text in transactions("hdr_lite", ("inet",), [Element("block4", k, 60) for k in wanted]):
        nft.run(text)
    assert {e.key for e in within(inside, lambda: list(held("hdr_lite", "block4")))} == wanted
