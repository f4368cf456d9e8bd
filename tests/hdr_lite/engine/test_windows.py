"""Numbers and borders of windows."""

from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.engine.windows import SECOND, Windows


def begun(width: float = 60, first: int = 1000 * SECOND) -> Windows:
    windows = Windows(width)
    windows.begin(first)
    return windows


def test_no_traffic_no_window() -> None:
    """Before the first traffic any moment is past the end of the present window."""
    windows = Windows(60)
    assert (windows.current, windows.end) == (0, 0)


def test_first_window_starts_with_traffic() -> None:
    """Windows are counted from 1, from the first traffic on."""
    windows = begun()
    assert windows.current == 1
    assert windows.bounds(1) == (1000 * SECOND, 1060 * SECOND)
    assert windows.end == 1060 * SECOND


def test_border_belongs_to_later_window() -> None:
    """A moment exactly on the border counts to the window that starts there."""
    windows = begun()
    assert windows.number(1060 * SECOND - 1) == 1
    assert windows.number(1060 * SECOND) == 2


def test_what_came_before_the_first_counts_to_it() -> None:
    """A flow that began before the first record was told belongs to window 1."""
    assert begun().number(5 * SECOND) == 1


def test_advance_skips_empty_windows() -> None:
    """After a silence the present window is the one that holds now."""
    windows = begun()
    windows.advance(1000 * SECOND + 10 * 60 * SECOND)
    assert windows.current == 11
    assert windows.bounds(11)[0] <= 1600 * SECOND < windows.end


@given(st.floats(1, 1e9), st.integers(0, 4 * 10**18), st.integers(0, 4 * 10**18))
def test_every_moment_is_within_its_window(width: float, first: int, at: int) -> None:
    """Whatever the width: a time not before the first lies within the bounds of its window."""
    windows = begun(width, first)
    start, end = windows.bounds(windows.number(first + at))
    assert start <= first + at < end


def test_resumed() -> None:
    """Windows go on where a run was cut off, however many have passed since; not if the clock
    was another then."""
    windows = begun(first=1130 * SECOND)
    windows.resume(0, 0)
    assert (windows.first, windows.current) == (1130 * SECOND, 1)
    windows.resume(1100 * SECOND, 2)
    assert (windows.first, windows.current) == (1130 * SECOND, 1)
    windows.resume(1000 * SECOND, 2)
    assert (windows.first, windows.current, windows.end) == (1000 * SECOND, 2, 1120 * SECOND)
    windows.advance(1130 * SECOND)
    assert windows.current == 3
