"""Who keeps the way in."""

from ipaddress import ip_network

from hdr_lite.enforcer.never_block import Connected, Facts
from hdr_lite.enforcer.ruleset import FOREVER, Element
from hdr_lite.enforcer.welcome import Welcome, is_inside

FACTS = Facts(
    connected=(
        Connected("lan", ip_network("192.168.1.0/24")),
        Connected("lan", ip_network("fd00:1::/64")),
        Connected("wan", ip_network("198.51.100.0/29")),
    ),
    outside=frozenset({"wan"}),
    sessions=frozenset({("192.168.1.10", 22), ("fd00:1::10", 22), ("198.51.100.3", 22)}),
)


def test_inside() -> None:
    """In a network of an interface that no default route leaves by."""
    assert is_inside(FACTS, "192.168.1.10")
    assert is_inside(FACTS, "fd00:1::10")
    assert not is_inside(FACTS, "198.51.100.3")
    assert not is_inside(FACTS, "10.0.0.1")


def test_sessions_come_and_go() -> None:
    """Inside ones are spared at their port as long as they last."""
    welcome = Welcome()
    both = {("session4", "192.168.1.10 . 22"), ("session6", "fd00:1::10 . 22")}
    made = welcome.update(FACTS)
    assert {(e.set, e.key) for e in made} == both
    assert {e.seconds for e in made} == {FOREVER}
    assert welcome.ports_of("192.168.1.10") == (22,)
    assert welcome.ports_of("192.168.1.11") == ()
    assert welcome.update(FACTS) == []
    assert {(e.set, e.key) for e in welcome.everything()} == both
    gone = welcome.update(FACTS._replace(sessions=frozenset()))
    assert {(e.set, e.key, e.seconds) for e in gone} == {(*place, 0) for place in both}


def test_guessing_ends_it_for_good() -> None:
    """Whoever guesses passwords at a port is not spared there, logged in before or after."""
    welcome = Welcome()
    welcome.update(FACTS)
    assert welcome.end("192.168.1.10", 22) == [Element("session4", "192.168.1.10 . 22", 0)]
    assert welcome.end("192.168.1.10", 22) == []
    assert welcome.end("192.168.1.11", 22) == []
    assert welcome.update(FACTS) == []
    assert welcome.ports_of("192.168.1.10") == ()
