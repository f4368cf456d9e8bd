"""Community ids against those that the specification and Zeek's tests publish."""

import pytest

from hdr_lite.cli.community_id import community_id, zeek_ports

PUBLISHED = [
    ("128.232.110.120", 34855, "66.35.250.204", 80, "tcp", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    ("192.168.1.52", 54585, "8.8.8.8", 53, "udp", "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    ("192.168.0.89", 8, "192.168.0.1", 0, "icmp", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (
        "fe80::200:86ff:fe05:80da",
        135,
        "fe80::260:97ff:fe07:69ea",
        0,
        "icmp6",
        "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
    ),
]


@pytest.mark.parametrize(("saddr", "sport", "daddr", "dport", "proto", "expected"), PUBLISHED)
def test_published(
    saddr: str, sport: int, daddr: str, dport: int, proto: str, expected: str
) -> None:
    """The ids are the published ones."""
    assert community_id(saddr, sport, daddr, dport, proto) == expected


def test_direction_does_not_matter() -> None:
    """Both directions have one id, for ICMP by the types that answer each other."""
    there = community_id("10.0.0.1", 40000, "10.0.0.2", 80, "tcp")
    assert there == community_id("10.0.0.2", 80, "10.0.0.1", 40000, "tcp")
    question = community_id("10.0.0.1", 13, "10.0.0.2", 0, "icmp")
    assert question == community_id("10.0.0.2", 14, "10.0.0.1", 0, "icmp")


def test_what_goes_one_way_only_keeps_its_direction() -> None:
    """An ICMP message that nothing answers is told from the same one sent back."""
    there = community_id("10.0.0.1", 5, "10.0.0.2", 1, "icmp")
    assert there != community_id("10.0.0.2", 5, "10.0.0.1", 1, "icmp")


def test_a_protocol_without_ports() -> None:
    """Ports count only where the protocol has them."""
    assert community_id("10.0.0.1", 0, "10.0.0.2", 0, "50") == community_id(
        "10.0.0.1", 7, "10.0.0.2", 0, "50"
    )
    assert community_id("10.0.0.1", 0, "10.0.0.2", 0, "132") != community_id(
        "10.0.0.1", 7, "10.0.0.2", 0, "132"
    )


def test_zeeks_ports() -> None:
    """Zeek writes the counterpart's type as port, or the code where there is none."""
    assert zeek_ports("icmp", 8, 0) == (8, 0)
    assert zeek_ports("icmp6", 128, 0) == (128, 129)
    assert zeek_ports("icmp", 5, 1) == (5, 1)
    assert zeek_ports("tcp", 8, 1) == (8, 1)
