"""A file that is no capture."""


def capture() -> bytes:
    """A letter."""
    return b"Dear reader,\nthis is not a capture file.\n" * 10
