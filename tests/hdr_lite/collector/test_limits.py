"""How often somebody may."""

from hdr_lite.collector import limits
from hdr_lite.collector.limits import Rate


def test_as_many_as_said_then_as_time_goes_by():
    """Ten at once, then one in six seconds; each has his own."""
    now = [0.0]
    rate = Rate(10, 60, lambda: now[0])
    for _ in range(10):
        assert rate.wait("a") == 0
        rate.spend("a")
    assert rate.wait("a") == 6
    assert rate.wait("b") == 0
    now[0] += 6
    assert rate.wait("a") == 0
    rate.spend("a", 20)
    assert rate.wait("a") > 100
    now[0] += 10_000
    for _ in range(10):
        rate.spend("a")
    assert rate.wait("a") == 6


def test_table_is_bounded(monkeypatch):
    """Who stays away longest is let go."""
    monkeypatch.setattr(limits, "_MOST", 3)
    rate = Rate(1, 60, lambda: 0.0)
    for who in "abcd":
        rate.spend(who)
    assert [rate.wait(who) > 0 for who in "abcd"] == [False, True, True, True]
