"""Walks under way, and which of them are forgotten first."""

from hdr_lite.modules.network_discovery.walk import STEP
from hdr_lite.modules.network_discovery.walks import Key, Walks


def key_of(source: int) -> Key:
    """The walk of one of many sources over the hosts of a port."""
    return ("h", f"10.{source >> 8}.{source & 255}.1", "22", "tcp")


def fail(walks: Walks, key: Key, host: str) -> None:
    """One more host has not answered."""
    walk = walks.use(key)
    walk.contact(0, host, STEP)
    walks.grow(key, walk)


def test_a_success_begins_no_walk() -> None:
    """It moves only one that is known."""
    walks, key = Walks(), key_of(1)
    assert key not in walks
    assert walks.known(key) is None
    assert walks.get(key) is None
    walk = walks.use(key)
    assert key in walks
    assert walks.known(key) is walk
    assert walks.get(key) is walk


def test_forged_sources_do_not_displace_who_failed_twice() -> None:
    """One failure each pushes out others that failed once."""
    walks, once, twice = Walks(), key_of(1), key_of(2)
    fail(walks, once, "a")
    fail(walks, twice, "a")
    fail(walks, twice, "b")
    for source in range(100, 1100):
        fail(walks, key_of(source), "a")
    assert once not in walks
    walk = walks.get(twice)
    assert walk is not None
    assert walk.failures == 2


def test_a_walk_keeps_what_it_knows_when_it_moves() -> None:
    """There is one walk for a key, before and after its second failure."""
    walks, key = Walks(), key_of(1)
    fail(walks, key, "a")
    before = walks.use(key)
    fail(walks, key, "b")
    assert walks.use(key) is before
