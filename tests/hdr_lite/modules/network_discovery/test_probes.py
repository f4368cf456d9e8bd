"""What single probes tell."""

from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.module import Attempts, Fate, Http
from hdr_lite.module.testing import SECOND, Harness, record
from hdr_lite.modules.network_discovery.network_discovery import NetworkDiscovery
from hdr_lite.modules.network_discovery.probes import (
    Fingerprint,
    Look,
    is_reply_or_stray,
    kind_of,
    scanner_named_by,
    source_of,
)
from tests.hdr_lite.modules.network_discovery.contacts import (
    CLIENT,
    SCANNER,
    fate,
    hosts,
    quiet,
    types,
)


@pytest.mark.parametrize(
    ("proto", "flags", "word"),
    [
        ("tcp", 0x02, "TCP SYN"),
        ("tcp", 0xC2, "TCP SYN"),
        ("tcp", 0x00, "TCP NULL"),
        ("tcp", 0x01, "TCP FIN"),
        ("tcp", 0x29, "TCP Xmas"),
        ("tcp", 0x11, "TCP Maimon"),
        ("tcp", 0x10, "TCP ACK"),
        ("tcp", 0x2B, "TCP (flags 43)"),
        ("udp", 0, "UDP"),
        ("132", 0, "SCTP"),
    ],
)
def test_kinds_of_scan_have_nmaps_names(proto: str, flags: int, word: str) -> None:
    """ECN's bits do not change the kind."""
    assert kind_of(proto, flags) == word


@pytest.mark.parametrize(
    ("proto", "flags", "sport", "dport", "stray"),
    [
        ("tcp", 0x02, 40000, 80, False),
        ("tcp", 0x12, 80, 40000, True),
        ("tcp", 0x04, 80, 40000, True),
        ("tcp", 0x14, 80, 40000, True),
        ("tcp", 0x10, 443, 40000, True),
        ("tcp", 0x10, 40000, 443, False),
        ("tcp", 0x02, 20, 40000, True),
        ("tcp", 0x00, 40000, 40001, False),
        ("udp", 0, 53, 40000, True),
        ("udp", 0, 40000, 53, False),
        ("udp", 0, 53, 161, False),
        ("132", 0, 1, 2, False),
    ],
)
def test_replies_and_strays(proto: str, flags: int, sport: int, dport: int, stray: bool) -> None:
    """Backscatter, the middle of connections and services' answers are no probes."""
    fate = record(Fate, proto=proto, flags=flags, sport=sport, dport=dport)
    assert is_reply_or_stray(fate) == stray


def test_a_sum_of_backscatter_is_stray_too() -> None:
    """Sums have no source port; their flags suffice."""
    assert is_reply_or_stray(record(Attempts, proto="tcp", flags=0x12))
    assert not is_reply_or_stray(record(Attempts, proto="tcp", flags=0x02, dport=80))


def test_fingerprints_need_two_kinds_of_odd_probe() -> None:
    """One kind may be a broken program; each kind is told once."""
    odd = Fingerprint()
    assert not odd.icmp(8, 0)
    assert not odd.icmp(13, 0)
    assert not odd.icmp(13, 0)
    assert odd.icmp(17, 0)
    assert odd.confidence == 600
    assert odd.tcp(0)
    assert odd.icmp(8, 3)
    assert odd.words == "ICMP timestamp, ICMP address mask, TCP NULL, ICMP echo with a code"
    assert odd.confidence == 900


@pytest.mark.parametrize("flags", [0x00, 0x29, 0x01, 0x2B, 0x03])
def test_odd_flags(flags: int) -> None:
    """No TCP begins without SYN, ACK and RST, nor with SYN and FIN together."""
    assert Fingerprint.is_odd(flags)


@pytest.mark.parametrize("flags", [0x02, 0xC2, 0x10, 0x11, 0x04])
def test_usual_flags(flags: int) -> None:
    """SYN with or without ECN, and what goes on in the middle of connections."""
    assert not Fingerprint.is_odd(flags)


@pytest.mark.parametrize(
    ("agent", "tool"),
    [
        ("Mozilla/5.0 (compatible; Nmap Scripting Engine)", "nmap scripting engine"),
        ("sqlmap/1.7", "sqlmap"),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", ""),
        ("", ""),
    ],
)
def test_scanners_that_name_themselves(agent: str, tool: str) -> None:
    """Case does not matter; browsers are nobody's tool."""
    assert scanner_named_by(agent) == tool


@given(st.integers(0, 2**128 - 1) | st.integers(0, 2**64), st.integers(0, 2**64 - 1))
def test_an_ipv6_source_is_its_64_and_hardware(number: int, other_half: int) -> None:
    """Whatever the lower half, and however the text abbreviates its zeroes."""
    address = IPv6Address(number)
    rotated = IPv6Address(number >> 64 << 64 | other_half)
    source = source_of(str(address), "02::")
    assert source == source_of(str(rotated), "02::")
    prefix, _, mac = source.partition("/64 ")
    assert IPv6Network(f"{prefix}::/64") == IPv6Network((number >> 64 << 64, 64))
    assert mac == "02::"


def test_an_ipv4_source_is_its_address() -> None:
    """Its hardware address may be the router's."""
    assert source_of("192.0.2.7", "02::") == "192.0.2.7"


@pytest.mark.parametrize(("sport", "dport", "stray"), [
    (3478, 50000, True), (27015, 33000, True), (53, 1024, True),
    (40123, 50000, False), (3478, 500, False), (3478, 20000, False), (0, 50000, False),
])  # fmt: skip
def test_answers_of_services_by_their_ports(sport: int, dport: int, stray: bool) -> None:
    """From a registered port to one such as systems give their clients."""
    seen = record(Fate, proto="udp", sport=sport, dport=dport)
    assert is_reply_or_stray(seen) is stray


def test_a_look_needs_two_ports_in_a_minute() -> None:
    """And is told once."""
    look = Look()
    assert not look.port(100 * SECOND, 80)
    assert not look.port(101 * SECOND, 80)
    assert not look.port(200 * SECOND, 443)
    assert look.port(201 * SECOND, 80)
    assert (look.words, look.is_news(), look.is_news()) == ("443 and 80", True, False)


def test_fingerprinting() -> None:
    """nmap -O and xprobe send what no program does."""
    harness = Harness(NetworkDiscovery)
    harness.feed(fate(1, SCANNER, "10.0.1.1", 22, "unanswered", flags=0))
    harness.feed(fate(2, SCANNER, "10.0.1.1", 22, "answered", flags=0x2B))
    harness.feed(fate(3, SCANNER, "10.0.1.1", 0, "answered", proto="icmp", sport=13))
    assert [f.type for f in harness.findings] == ["OS_FINGERPRINTING"] * 2
    assert [f.confidence for f in harness.findings] == [600, 750]


def test_a_scanner_that_names_itself_is_told_once_for_a_host() -> None:
    """By its User-Agent."""
    harness = Harness(NetworkDiscovery)
    for _ in range(5):
        harness.feed(record(Http, saddr=SCANNER, daddr="10.0.1.1", user_agent="Nikto/2.5"))
    harness.feed(record(Http, saddr=CLIENT, daddr="10.0.1.1", user_agent="curl/8"))
    assert [f.type for f in harness.findings] == ["SERVICE_SCAN"]


def test_rotating_ipv6_addresses_are_one_source() -> None:
    """Each probe from a new address of the same /64 and hardware."""
    harness = Harness(NetworkDiscovery)
    for i in range(12):
        source = f"2001:db8:0:7::{i + 1:x}"
        harness.feed(fate(i, source, f"fd00::{i + 1:x}", 22, "refused", smac="02:00:00:00:00:66"))
    assert types(harness.findings) == {"HORIZONTAL_PORT_SCAN"}
    assert harness.findings[0].attacker == "2001:db8:0:7::4"
    assert harness.findings[0].attacker_mac == "02:00:00:00:00:66"


def test_hosts_of_one_lan_are_not_one_source() -> None:
    """They share the /64 but not the hardware."""
    harness = Harness(NetworkDiscovery)
    for i in range(12):
        smac = f"02:00:00:00:00:{i:02x}"
        harness.feed(fate(i, f"fd00::{i + 1:x}", f"fd00::ff:{i:x}", 22, "refused", smac=smac))
    assert not harness.findings


@pytest.mark.parametrize("flags", [0x12, 0x04, 0x14])
def test_backscatter_is_nobodys_scan(flags: int) -> None:
    """SYN-ACKs and RSTs of a victim whose attacker forged our addresses."""
    assert quiet(*(
        fate(i, "93.184.1.1", host, 30000 + i, "unanswered", flags=flags, sport=80)
        for i, host in enumerate(hosts(100))
    ))  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"sport": 53, "proto": "udp", "flags": 0},  # a resolver's late answers
        {"sport": 443, "flags": 0x10},  # a server whose client has gone
        {"sport": 20, "flags": 2},  # active FTP
    ],
)
def test_services_that_answer_are_not_scanning_their_client(fields: dict[str, Any]) -> None:
    """Many high ports of one client are refused."""
    assert quiet(*(fate(i, "10.0.0.1", CLIENT, 40000 + i, "refused", **fields) for i in range(60)))
