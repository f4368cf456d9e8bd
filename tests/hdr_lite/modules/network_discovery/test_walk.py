"""The sequential test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.modules.network_discovery.walk import ACCUSED, AGAIN, HIGHEST, LOWEST, STEP, Walk

HOUR = 3600 * 10**9


def walked(outcomes: str) -> Walk:
    """A walk over new contacts: ``f`` failed, ``s`` succeeded."""
    walk = Walk()
    for i, outcome in enumerate(outcomes):
        walk.contact(i + 1, f"10.0.7.{i}", STEP if outcome == "f" else -STEP)
    return walk


@pytest.mark.parametrize(
    ("outcomes", "accused"),
    [("fff", False), ("ffff", True), ("sffff", False), ("ffsfff", True), ("fsfsfsfs", False)],
)
def test_four_failures_more_than_successes_decide(outcomes: str, accused: bool) -> None:
    """That is ln 99 in steps of ln 4."""
    assert walked(outcomes).accused == accused


def test_a_repeated_contact_does_not_count() -> None:
    """Retries of one server are one contact."""
    walk = Walk()
    assert walk.contact(1, "a", STEP)
    assert not any(walk.contact(2, "a", STEP) for _ in range(50))
    assert (walk.failures, walk.score) == (1, STEP)


@given(st.text("fs", max_size=80))
def test_the_walk_stays_within_its_bounds(outcomes: str) -> None:
    """So the past, however long, can be outweighed."""
    walk = walked(outcomes)
    assert LOWEST <= walk.score <= HIGHEST
    assert walk.failures <= outcomes.count("f")


def test_a_long_good_past_is_outweighed() -> None:
    """A hundred successes, then seven or eight failures."""
    assert not walked("s" * 100 + "f" * 6).accused
    assert walked("s" * 100 + "f" * 8).accused


def test_reports_are_due_by_orders() -> None:
    """At the decision, at ten, at a hundred: not at each failure."""
    walk, due = Walk(), []
    for i in range(150):
        walk.contact(i + 1, f"10.0.7.{i}", STEP)
        if walk.is_news(i + 1, HOUR):
            due.append(walk.failures)
    assert due == [4, 10, 100]


def test_a_scan_that_goes_on_is_told_again_after_the_interval() -> None:
    """Only if ten more have failed since."""
    walk = walked("f" * 12)
    assert walk.is_news(1, HOUR)
    assert not walk.is_news(HOUR + 2, HOUR)
    for i in range(10):
        walk.contact(HOUR, f"further {i}", STEP)
    assert not walk.is_news(HOUR, HOUR)
    assert walk.is_news(HOUR + 2, HOUR)


def test_a_sum_keeps_the_larger_number() -> None:
    """The same targets may be in the sum and among the single ones."""
    walk = walked("ff")
    walk.total(9, 30, 12, STEP)
    assert (walk.failures, walk.refused) == (30, 12)
    walk.total(9, 20, 20, STEP)
    assert (walk.failures, walk.refused) == (30, 20)
    assert walk.score == HIGHEST
    assert walk.accused
    assert ACCUSED < HIGHEST


def test_examples_are_the_first_five_failures() -> None:
    """A person wants to see some of the targets."""
    assert walked("sf" * 9).examples == tuple(f"10.0.7.{i}" for i in (1, 3, 5, 7, 9))


def test_certainty_is_told_once() -> None:
    """When the walk is past twice the threshold on ten contacts, or at the next report."""
    walk = walked("fffsfsfsfsfsfsff")
    assert walk.accused
    assert not walk.certain
    assert walk.is_news(1, HOUR)
    for i in range(6):
        walk.contact(2, f"10.9.9.{i}", STEP)
    assert walk.certain
    assert walk.is_news(2, HOUR)
    assert not walk.is_news(3, HOUR)


def test_doubtful_failures_are_never_certain() -> None:
    """When most of them happened while nobody answered anybody."""
    walk = walked("f" * 20)
    assert walk.certain
    walk.doubtful = 11
    assert not walk.certain


@pytest.mark.parametrize(
    ("refused", "words"),
    [(0, "none answered"), (4, "all refused"), (3, "3 refused, 1 did not answer")],
)
def test_outcomes_in_words(refused: int, words: str) -> None:
    """As a person reads them in an alert."""
    walk = walked("ffff")
    walk.refused = refused
    assert walk.outcomes == words


def test_an_abandoned_contact_fails_after_all() -> None:
    """Once; what its answer took away comes back, but not more."""
    walk = walked("f")
    walk.contact(1, "open", -STEP)
    assert walk.abandon(1, "open", STEP)
    assert not walk.abandon(2, "open", STEP)
    assert (walk.score, walk.failures, walk.abandoned) == (2 * STEP, 2, 1)
    assert walk.outcomes == "1 did not answer, 1 were given up as soon as they answered"
    busy = walked("s" * 40)
    busy.abandon(1, "10.0.0.1", STEP)
    assert busy.score == -ACCUSED + STEP


def test_what_is_foreseen_is_taken_if_it_makes_certain() -> None:
    """Ten failures of full weight do, nine and light ones do not; nor where answers prevail."""
    assert not Walk().foresee(1, 9, STEP, "x")
    assert not Walk().foresee(1, 12, STEP // 2, "x")
    assert not walked("ss" + "f").foresee(1, 12, STEP, "x")
    walk = Walk()
    assert walk.foresee(1, 10, STEP, "x")
    assert (walk.failures, walk.examples, walk.certain) == (10, ("x",), True)


def test_fates_that_were_foreseen_count_once() -> None:
    """A failure confirms, a success takes back what was foreseen and counts as well."""
    walk = walked("f")
    walk.foresee(1, 11, STEP, "x")
    for i in range(10):
        walk.contact(2, f"further {i}", STEP, refused=True)
    assert (walk.failures, walk.refused, walk.score) == (11, 10, 11 * STEP)
    walk.contact(2, "another", STEP)
    assert (walk.failures, walk.score) == (12, 12 * STEP)
    walk = Walk()
    walk.foresee(1, 10, STEP, "x")
    walk.contact(2, "open", -STEP)
    assert (walk.failures, walk.score) == (9, 8 * STEP)


def test_who_goes_on_after_a_pause_is_news() -> None:
    """Though nothing that was not known is tried."""
    walk = Walk()
    walk.foresee(1, 10, STEP, "x")
    assert walk.is_news(1, AGAIN)
    for now in (2, AGAIN):
        walk.foresee(now, 10, STEP, "x")
        assert not walk.is_news(now, AGAIN)
    assert walk.is_news(1 + AGAIN, AGAIN)
    assert not walk.is_news(1 + 2 * AGAIN, AGAIN)
