"""What may be named in an order."""

import pytest

from hdr_lite.enforcer.target import Target, TargetError, parse_mac, parse_target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("203.0.113.5", Target("4", "203.0.113.5")),
        ("203.0.113.5/32", Target("4", "203.0.113.5")),
        ("2001:DB8::0:5", Target("6", "2001:db8::5")),
        ("2001:db8::5/128", Target("6", "2001:db8::5")),
        ("2001:db8:1:2::/64", Target("64", "2001:db8:1:2::")),
        ("::ffff:203.0.113.5", Target("4", "203.0.113.5")),
    ],
)
def test_canonical(text: str, target: Target) -> None:
    """Each way to write a host or /64 gives one target."""
    assert parse_target(text) == target
    assert parse_target(target.text) == target


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("203.0.113.0/24", "wider than a host"),
        ("2001:db8::/48", "wider than a host"),
        ("2001:db8::/65", "wider than a host"),
        ("2001:db8::1/64", "is no address"),
        ("0.0.0.0/0", "wider than a host"),
        ("127.0.0.1", "no host's address"),
        ("::1", "no host's address"),
        ("::ffff:127.0.0.1", "no host's address"),
        ("0.0.0.0", "no host's address"),
        ("255.255.255.255", "no host's address"),
        ("ff02::1", "no host's address"),
        ("ff02::/64", "no host's address"),
        ("fe80::1%eth0", "is no address"),
        ("fe80::1%x }; flush ruleset", "is no address"),
        ("example.org", "is no address"),
        ("203.0.113.5 }", "is no address"),
        ("", "is no address"),
    ],
)
def test_refused(text: str, why: str) -> None:
    """Networks, groups, this host and whatever could slip into a transaction are refused."""
    with pytest.raises(TargetError, match=why):
        parse_target(text)


def test_macs() -> None:
    """A MAC is written small; groups and nonsense are refused."""
    assert parse_mac("02:AB:00:00:00:01") == "02:ab:00:00:00:01"
    for text in ("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:00:00:00:00", "02:ab", "", "x"):
        with pytest.raises(TargetError):
            parse_mac(text)
    with pytest.raises(TargetError):
        parse_mac("02:ab:00:00:00:01\n")
