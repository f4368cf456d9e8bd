"""The collector's clock: the one place of it that asks the time of day."""

import time


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - of arrivals and logins, not of detection
