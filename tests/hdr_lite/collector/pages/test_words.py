"""How numbers, times and hostile text are shown."""

import pytest
from markupsafe import Markup

from hdr_lite.collector.pages import words
from hdr_lite.records.evidence import FAMILIES

DAY = 86_400_000
NOW = 1_795_530_000_000  # 2026-11-24 14:20 UTC


def test_text_that_turns_others_around_is_shown_as_such():
    """No bidirectional or other control character reaches the page; a line break does."""
    assert words.clean("a\u202egnp.exe\x1b[1m\u200b\nb") == "a\ufffdgnp.exe\ufffd[1m\ufffd\nb"


def test_text_is_bounded():
    """However long a name is, a page stays a page."""
    assert words.clean("x" * 10_000) == "x" * 2000 + "…"


@pytest.mark.parametrize("value", [7, 1.5, Markup("<b>\u202e</b>")])
def test_other_values_stay_what_they_are(value: object):
    """Numbers and markup that was made here pass."""
    assert words.clean(value) is value


def test_nothing_is_shown_for_none():
    """As a person expects."""
    assert words.clean(None) == ""


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (36_000_000, "36 MB"),
        (5 * 10**15, "5000.0 TB"),
    ],
)
def test_size(number: int, text: str):
    """Bytes by their unit."""
    assert words.size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (-5, "0 s"), (61, "1 min 1 s"), (3600, "1 h"), (3605, "1 h"), (90_061, "1 d 1 h")],
)
def test_span(seconds: int, text: str):
    """At most two units, next to each other."""
    assert words.span(seconds) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0, "just now"), (60_000, "1 min ago"), (3 * DAY, "3 d ago"), (-3_600_000, "in 1 h")],
)
def test_ago(ms: int, text: str):
    """Past and future, by the largest unit."""
    assert words.ago(NOW - ms, NOW) == text


def test_times():
    """In UTC, with the date where it is another day's."""
    assert words.moment(NOW) == "2026-11-24 14:20:00 UTC"
    assert words.iso(NOW) == "2026-11-24T14:20:00Z"
    assert words.clock(NOW) == "14:20:00"
    assert words.short(NOW - 60_000, NOW) == "14:19:00"
    assert words.short(NOW - DAY, NOW) == "23 Nov 14:20"


@pytest.mark.parametrize("ms", [-1, 1 << 62])
def test_clocks_of_devices_may_say_anything(ms: int):
    """Times that no calendar has are shown as its ends."""
    assert words.moment(ms)[:4] in {"1970", "9999"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VERTICAL_PORT_SCAN", "Vertical port scan"),
        ("MITM_ARP_ATTACK", "MITM ARP attack"),
        ("ARP_SCAN", "ARP scan"),
        ("ConnectionToLocalDevice", "ConnectionToLocalDevice"),
        ("", ""),
    ],
)
def test_kind(name: str, text: str):
    """Types as a person says them; names that are written otherwise stay."""
    assert words.kind(name) == text


def test_families_have_words():
    """Every family of ours; another's stays as it is."""
    assert set(words.FAMILIES) == FAMILIES
    assert words.family("bruteforce") == "Password guessing"
    assert words.family("odd") == "odd"


def test_amount():
    """Thousands apart."""
    assert words.amount(1234567) == "1,234,567"
