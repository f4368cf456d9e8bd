"""Who may not be touched, fact by fact; as an attacker would try to have them blocked."""

from ipaddress import ip_network

import pytest

from hdr_lite.enforcer.never_block import Connected, Facts, Neighbour, NeverBlock, parse_allow
from hdr_lite.enforcer.target import parse_target

HOST, AP, GATEWAY = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"
FACTS = Facts(
    own=frozenset({"192.168.1.1", "198.51.100.1", "2001:db8:1::1"}),
    own_macs=frozenset({"02:00:00:00:00:ff"}),
    connected=(
        Connected("lan", ip_network("192.168.1.0/24")),
        Connected("lan", ip_network("2001:db8:1::/64")),
        Connected("wan", ip_network("198.51.100.0/29")),
        Connected("mgmt", ip_network("10.9.0.0/24")),
    ),
    gateways=frozenset({"198.51.100.2", "fe80::1"}),
    outside=frozenset({"wan"}),
    servers={"9.9.9.9": "DNS server", "192.168.1.53": "DNS server", "192.0.2.123": "NTP server"},
    neighbours=(
        Neighbour("192.168.1.10", HOST, "lan"),
        Neighbour("fe80::10", HOST, "lan"),
        *(Neighbour(f"192.168.1.{n}", AP, "lan") for n in range(20, 25)),
        Neighbour("198.51.100.2", GATEWAY, "wan"),
        Neighbour("192.168.1.53", "02:00:00:00:00:53", "lan"),
        Neighbour("192.168.1.60", "02:00:00:00:00:60", "lan"),
        Neighbour("198.51.100.3", "02:00:00:00:00:61", "wan"),
    ),
    ports={"02:00:00:00:00:60": frozenset({"port1", "port2"})},
    domains={"updates.example": tuple(f"203.0.113.{n}" for n in range(1, 30))},
)
ALLOW = parse_allow(["192.0.2.0/28", "2001:db8:f00d::/48", "02:00:00:00:00:60", "updates.example"])


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("192.168.1.1", "this device's own"),
        ("198.51.100.2", "a gateway"),
        ("fe80::1", "a gateway"),
        ("9.9.9.9", "a DNS server of this device"),
        ("192.0.2.123", "a NTP server of this device"),
        ("192.0.2.5", "is on the allow list"),
        ("2001:db8:f00d:5::9", "is on the allow list"),
        ("2001:db8:f00d:5::/64", "is on the allow list"),
        ("2001:db8:1::/64", "holds 2001:db8:1::1"),
        ("fe80::/64", "holds fe80::1"),
        ("10.9.0.77", "management interface mgmt"),
        ("192.168.1.255", "a broadcast address"),
        ("203.0.113.16", "an address of updates.example"),
        ("192.168.1.60", "has the MAC 02:00:00:00:00:60"),
    ],
)
def test_untouchable(address: str, words: str) -> None:
    """Each is refused with its reason."""
    reason = NeverBlock(FACTS, ALLOW, "mgmt").reason(parse_target(address))
    assert reason is not None
    assert words in reason


@pytest.mark.parametrize(
    "address",
    ["192.168.1.10", "203.0.113.17", "8.8.8.8", "2001:db8:2::/64", "10.9.1.1", "192.0.2.16"],
)
def test_touchable(address: str) -> None:
    """Neighbours of them are not; a domain's seventeenth address is not believed."""
    assert NeverBlock(FACTS, ALLOW, "mgmt").reason(parse_target(address)) is None


@pytest.mark.parametrize(
    ("mac", "untouchable", "doubt"),
    [
        (HOST, None, None),
        (AP, None, "more than 4 addresses"),
        (GATEWAY, "198.51.100.2, which is a gateway", "learnt on an outside interface"),
        ("02:00:00:00:00:ff", "this device's own", "no neighbour"),
        ("02:00:00:00:00:53", "which is a DNS server", None),
        ("02:00:00:00:00:60", "on the allow list", "seen on 2 ports"),
        ("02:00:00:00:00:61", None, "learnt on an outside interface"),
        ("02:00:00:00:00:99", None, "no neighbour of ours"),
    ],
)
def test_macs(mac: str, untouchable: str | None, doubt: str | None) -> None:
    """A MAC is quarantined only if it is one inside host's and nobody's we need."""
    never = NeverBlock(FACTS, ALLOW)
    for said, words in ((never.reason_of_mac(mac), untouchable), (never.doubt_of_mac(mac), doubt)):
        assert (said is None) == (words is None)
        assert words is None or words in str(said)


def test_allow_list() -> None:
    """Addresses, networks, MACs and names are told apart."""
    allow = parse_allow(["10.0.0.1", "10.1.2.3/16", "02:AA:00:00:00:01", "Example.ORG."])
    assert [str(n) for n in allow.networks] == ["10.0.0.1/32", "10.1.0.0/16"]
    assert allow.macs == {"02:aa:00:00:00:01"}
    assert allow.domains == ("example.org",)
