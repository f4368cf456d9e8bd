"""Rings for the kernel: sealed, bounded, and refused when they are none."""

import fcntl
import os

import pytest

from hdr_lite.native import Ring
from hdr_lite.ring import create_ring
from hdr_lite.ring.memory import LEAST_CAPACITY, clear


@pytest.fixture
def memory():
    """A ring of the least size."""
    ring = create_ring(LEAST_CAPACITY)
    yield ring
    ring.close()


def memfd(size, seals=fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW):
    """A memfd of that size with those seals."""
    descriptor = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def test_a_new_ring_is_empty_and_of_sealed_size(memory):
    """Nobody who has the descriptor can shrink it under the feet of the others."""
    ring = Ring(memory.memory)
    assert (ring.capacity, ring.used, ring.number, sum(ring.dropped)) == (LEAST_CAPACITY, 0, 1, 0)
    for size in (0, 4096, 1 << 30):
        with pytest.raises(PermissionError):
            os.ftruncate(memory.memory, size)


@pytest.mark.parametrize("capacity", [LEAST_CAPACITY, LEAST_CAPACITY + 1, 1 << 20])
def test_capacity_is_rounded_up(capacity):
    """A ring holds at least what was asked for, a power of two."""
    memory = create_ring(capacity)
    ring = Ring(memory.memory)
    memory.close()
    assert ring.capacity in (capacity, 2 * LEAST_CAPACITY)
    assert ring.ready()  # the mapping outlives the descriptors


def test_a_ring_too_small_for_a_burst_is_refused():
    """A ring that could never take a burst would make a waiting sensor wait for ever."""
    with pytest.raises(ValueError, match="262144 are the least"):
        create_ring(LEAST_CAPACITY - 1)


@pytest.mark.parametrize(
    ("seals", "size", "reason"),
    [
        (0, 4096 + LEAST_CAPACITY, "sealed"),
        (fcntl.F_SEAL_SHRINK, 4096 + LEAST_CAPACITY, "sealed"),
        (fcntl.F_SEAL_GROW, 4096 + LEAST_CAPACITY, "sealed"),
        (fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW, 0, "size"),
        (fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW, 4096, "size"),
        (fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW, 4096 + 8000, "size"),
    ],
)
def test_other_memory_is_refused(seals, size, reason):
    """Memory that may shrink, or whose size is no ring's, is not mapped."""
    descriptor = memfd(size, seals)
    with pytest.raises(ValueError, match=reason):
        Ring(descriptor, format=True)
    os.close(descriptor)


def test_memory_that_holds_no_ring_is_refused(memory):
    """Attaching checks what lies there; formatting makes it a ring again."""
    os.pwrite(memory.memory, b"X", 0)
    with pytest.raises(ValueError, match="holds no ring"):
        Ring(memory.memory)
    assert Ring(memory.memory, format=True).number == 1


def test_what_cannot_be_mapped_is_refused(tmp_path):
    """A file or a closed descriptor is an error, not a mapping."""
    with (tmp_path / "file").open("wb") as file, pytest.raises(ValueError, match="sealed"):
        Ring(file.fileno())
    with pytest.raises(OSError, match="Bad file descriptor"):
        Ring(-1)


def test_clear_takes_all_wake_ups(memory):
    """An eventfd is quiet after clear, whatever it had."""
    clear(memory.data)
    for _ in range(3):
        os.eventfd_write(memory.data, 1)
    clear(memory.data)
    with pytest.raises(BlockingIOError):
        os.eventfd_read(memory.data)
