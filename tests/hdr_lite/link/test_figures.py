"""What a process says of itself."""

from mmap import PAGESIZE, mmap

from hdr_lite.link.figures import own_memory


def test_memory_of_this_process() -> None:
    """A Python that runs tests holds some megabytes; what it takes in addition counts."""
    before = own_memory()
    assert before > 1 << 20
    with mmap(-1, 64 << 20) as more:
        for page in range(0, len(more), PAGESIZE):
            more[page] = 1
        assert own_memory() - before > 32 << 20
