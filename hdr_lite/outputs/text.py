"""How times and numbers are spelt. All are integers inside (ns, thousandths); UTC outside."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(ts: int) -> datetime:
    """The second that holds a time in ns; what no calendar holds is the year 9999."""
    try:
        return _EPOCH + timedelta(seconds=ts // 1_000_000_000)
    except OverflowError:
        return datetime.max.replace(microsecond=0, tzinfo=UTC)


def seed_time(ts: int) -> str:
    """``2022/06/02-16:51:57``, as the seed writes it."""
    moment = _moment(ts)  # strftime's %Y does not pad the year everywhere
    return f"{moment.year:04}/{moment:%m/%d-%H:%M:%S}"


def log_time(ts: int) -> str:
    """The same for logs; ``-`` before there was any traffic."""
    return seed_time(ts) if ts else "-"


def iso_time(ts: int) -> str:
    """``2022-06-02T16:51:57.123456Z`` (RFC 3339)."""
    moment = _moment(ts)
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}.{ts // 1000 % 1_000_000:06}Z"


def seconds(ns: int) -> float:
    """Seconds with microseconds. The nearest double prints as the decimal it stands for."""
    return ns // 1000 / 1_000_000


def points(thousandths: int) -> str:
    """``15.2`` from 15200."""
    whole, part = divmod(thousandths, 1000)
    return f"{whole}.{part:03}".rstrip("0").rstrip(".")


def one_line(text: str) -> str:
    """Text that may hold anything, fit for a line that a person sees on a terminal.

    What is not printable (line ends, escapes, marks that reverse the direction) is escaped.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
