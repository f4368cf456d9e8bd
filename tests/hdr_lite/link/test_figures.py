"""What a process says of itself."""

from hdr_lite.link.figures import own_memory


def test_memory_of_this_process() -> None:
    """A Python that runs tests holds some megabytes; what it takes in addition counts."""
    before = own_memory()
    assert before > 1 << 20
    more = bytearray(16 << 20)
    more[::4096] = b"x" * len(more[::4096])
    assert own_memory() - before > 12 << 20
