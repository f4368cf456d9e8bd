"""Connections of the blocked are deleted from conntrack, and only theirs."""

import os

import pytest

from hdr_lite.enforcer.cut import ConntrackCutter
from hdr_lite.enforcer.target import parse_target
from tests.netns.bed import ATTACKER, ATTACKER6, FRIEND, LAN_HOST, LAN_HOST6, bed, opened, within

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]


def test_cut() -> None:
    """By address, by /64, in either direction; what is not theirs stays."""
    with bed() as net:
        net.router.run("nft", "add table inet x; add chain inet x c { type filter hook forward "
                       "priority 0; }; add rule inet x c ct state established accept")  # fmt: skip
        cutter = ConntrackCutter()

        def cut(*names: str) -> int:
            return within(net.router, lambda: cutter.cut([parse_target(name) for name in names]))

        assert cut(LAN_HOST, "2001:db8:bad::/64") >= 0  # what the bed itself opened
        with (
            opened(net.world, ATTACKER, LAN_HOST),
            opened(net.world, ATTACKER, LAN_HOST),
            opened(net.world, FRIEND, LAN_HOST),
            opened(net.lan, LAN_HOST, "203.0.113.7"),
            opened(net.world, ATTACKER6, LAN_HOST6),
            opened(net.world, "2001:db8:c::6", LAN_HOST6),
        ):
            assert cut("198.51.100.1") == 0
            assert cut(ATTACKER, "203.0.113.7") == 3
            assert cut("2001:db8:bad::/64") == 1
            assert cut("2001:db8:bad::/64", ATTACKER) == 0
            assert cut(FRIEND) == 1
            assert cut("2001:db8:c::6") == 1
