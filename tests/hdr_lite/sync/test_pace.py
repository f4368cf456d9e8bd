"""When rounds begin; the tests own the clock and the dice."""

import pytest

from hdr_lite.sync import pace
from hdr_lite.sync.pace import Pace


def steady(value: float = 0.0) -> "Pace":
    made = Pace(100.0, lambda: value)
    made.went_well(100.0, health=True)
    return made


def test_the_first_round_begins_at_once() -> None:
    """What waits from before is sent after a moment, which is not the same for all."""
    assert Pace(100.0, lambda: 0.0).due == 100.0 + pace.GATHER
    assert Pace(100.0, lambda: 0.5).due > Pace(100.0, lambda: 0.0).due


def test_silence_ends_after_an_hour() -> None:
    """More or less: a fleet does not speak in one voice."""
    assert steady(0.0).due == 100.0 + 0.9 * pace.LONELY
    assert steady(0.5).due == 100.0 + pace.LONELY


def test_an_alert_is_sent_after_a_second() -> None:
    """Later ones do not put it off; two rounds are some seconds apart."""
    made = steady()
    made.woken(200.0)
    made.woken(200.9)
    assert made.due == 200.0 + pace.GATHER
    made.went_well(201.5, health=False)
    made.woken(201.6)
    assert made.due == 201.5 + pace.LEAST


def test_what_comes_during_a_round_is_not_forgotten() -> None:
    """It may have come after the round had looked: another one follows."""
    made = steady()
    made.woken(200.0)
    made.begun()
    made.woken(201.1)
    made.went_well(201.5, health=False)
    assert made.due == 201.5 + pace.LEAST
    made.begun()
    made.went_well(207.0, health=False)
    assert made.due > 3000.0


def test_failures_wait_longer_and_longer() -> None:
    """Twice as long each time, up to a quarter of an hour; alerts do not shorten that."""
    made, now, pauses = steady(0.999999), 200.0, []
    for _ in range(12):
        made.failed(now, None)
        made.woken(now)
        pauses.append(made.due - now)
        now = made.due
    assert pauses[:4] == pytest.approx([2, 4, 8, 16], rel=1e-5)
    assert pauses[-1] == pytest.approx(pace.LONGEST, rel=1e-5)
    made.went_well(now, health=False)
    made.failed(now, None)
    assert made.due - now == pytest.approx(2, rel=1e-5)


def test_half_of_a_pause_is_chance() -> None:
    """Those who failed together come back apart."""
    pauses = []
    for value in (0.0, 0.5, 0.999):
        made = steady(value)
        made.failed(100.0, None)
        pauses.append(made.due - 100.0)
    assert pauses == pytest.approx([1.0, 1.5, 1.999])


def test_what_the_collector_asks_for_is_kept() -> None:
    """Not before, a little later by chance; a longer pause of our own stays."""
    made = steady(0.0)
    made.failed(100.0, 60.0)
    assert made.due == 160.0
    for _ in range(20):
        made.failed(100.0, 1.0)
    assert made.due == 100.0 + 0.5 * pace.LONGEST
    chance = steady(0.5)
    chance.failed(100.0, 60.0)
    assert chance.due == pytest.approx(166.0)


def test_where_we_are_not_wanted_we_ask_seldom() -> None:
    """Within the hour, at half of it at the earliest."""
    made = steady(0.0)
    made.failed(100.0, None, lasting=True)
    assert made.due == 100.0 + pace.UNWANTED / 2


def test_health() -> None:
    """At first, then every five minutes; one that did not arrive is reported again."""
    made = Pace(100.0, lambda: 0.0)
    assert made.wants_health(101.0)
    made.failed(101.0, None)
    assert made.wants_health(103.0)
    made.went_well(110.0, health=True)
    assert not made.wants_health(110.0 + pace.HEALTH - 1)
    made.went_well(300.0, health=False)
    assert made.wants_health(110.0 + pace.HEALTH)
