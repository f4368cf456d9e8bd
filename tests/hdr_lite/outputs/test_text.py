"""Times, numbers and lines as people and programs read them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.outputs.text import iso_time, log_time, one_line, points, seconds, seed_time
from tests.hdr_lite.outputs.samples import MOMENT


def test_times() -> None:
    """The seed's format, RFC 3339 and the logs', all UTC."""
    assert seed_time(MOMENT) == "2022/06/02-16:51:57"
    assert iso_time(MOMENT) == "2022-06-02T16:51:57.123456Z"
    assert log_time(MOMENT) == "2022/06/02-16:51:57"
    assert log_time(0) == "-"


def test_times_that_no_calendar_holds() -> None:
    """A capture may claim any time; writing it stops nothing."""
    assert seed_time(2**64 - 1) == "2554/07/21-23:34:33"
    assert seed_time(10**23).startswith("9999/12/31")


@given(st.integers(0, 4 * 10**18))
def test_seconds_print_as_the_decimal_they_stand_for(ns: int) -> None:
    """Seconds as JSON read back to exactly the microsecond."""
    text = json.dumps(seconds(ns))
    assert round(float(text) * 1_000_000) == ns // 1000


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (15000, "15"), (15360, "15.36"), (1, "0.001"), (100, "0.1")]
)
def test_points(value: int, text: str) -> None:
    """Thousandths without needless zeros."""
    assert points(value) == text


@given(st.text())
def test_one_line_is_one_harmless_line(text: str) -> None:
    """Whatever a text holds, it cannot end the line, move the cursor or fail to be encoded."""
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line.isprintable()
    line.encode()


def test_printable_text_stays() -> None:
    """What is printable is not changed."""
    assert one_line("Žluťoučký kůň: 100 %") == "Žluťoučký kůň: 100 %"
