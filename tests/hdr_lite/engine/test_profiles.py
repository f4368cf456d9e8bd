"""Who is who, and how many are remembered."""

import pytest

from hdr_lite.config import DetectionConfig
from hdr_lite.engine.profiles import Home, Profile, Profiles

HOME = Home(DetectionConfig().home)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.168.1.7", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("8.8.8.8", False),
        ("fd00::1", True),
        ("fe80::1", True),
        ("2001:db8::1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_inside(address: str, inside: bool) -> None:
    """Inside is what a home network holds; what is no address is not inside."""
    assert HOME.is_inside(address) is inside


def test_outside_ipv6_is_its_64() -> None:
    """Addresses of one outside /64 are one profile, since they rotate."""
    names = {HOME.profile_of(f"2001:db8:1:2::{n:x}") for n in range(1, 50)}
    assert names == {"2001:db8:1:2::/64"}


def test_inside_ipv6_is_itself() -> None:
    """An inside address keeps its own profile."""
    assert HOME.profile_of("fd00::1") == "fd00::1"


def test_ipv4_is_itself() -> None:
    """An IPv4 address is its own profile, wherever it is."""
    assert HOME.profile_of("8.8.8.8") == "8.8.8.8"


def test_home_is_the_operators() -> None:
    """Only the networks given are inside; host bits in them do not matter."""
    home = Home(["203.0.113.9/24"])
    assert home.is_inside("203.0.113.200")
    assert not home.is_inside("192.168.1.1")


def test_longest_unused_leaves() -> None:
    """A full table lets the profile go that was used longest ago, and tells whom."""
    left: list[Profile] = []
    profiles = Profiles(3, left.append)
    for name in "abc":
        profiles.use(name)
    profiles.use("a")
    profiles.use("d")
    assert [profile.name for profile in left] == ["b"]
    assert len(profiles) == 3
    assert (profiles.made, profiles.evicted) == (4, 1)
    assert [profile.name for profile in profiles.all()] == ["c", "a", "d"]


def test_same_profile_is_found_again() -> None:
    """A name leads to the same profile each time."""
    profiles = Profiles(3, lambda profile: None)
    assert profiles.use("a") is profiles.use("a")
    assert profiles.made == 1
