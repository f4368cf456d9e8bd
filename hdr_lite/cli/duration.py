"""Times as people write them: ``90s``, ``10m``, ``2h``, ``7d``."""

import argparse
import re

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> int:
    """A type of argparse: a number with its unit, seconds where there is none."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text}: a time is a number with s, m, h or d")
    return int(match[1]) * _UNITS[match[2]]
