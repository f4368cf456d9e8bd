"""Times on the command line."""

import argparse

import pytest

from hdr_lite.cli.duration import seconds


def test_times() -> None:
    """A number with its unit; anything else is a mistake."""
    assert [seconds(t) for t in ("90", "90s", "10m", "2h", "7d")] == [90, 90, 600, 7200, 604800]
    for text in ("", "m", "1w", "-1", "1.5h"):
        with pytest.raises(argparse.ArgumentTypeError):
            seconds(text)
