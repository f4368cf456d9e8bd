"""What libc keeps of freed memory goes back to the kernel."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes
from hdr_lite.native import trim_memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20

taken = [libc.malloc(100_000) for _ in range(400)]
for place in taken:
    ctypes.memset(place, 1, 100_000)
for place in taken[:-1]:  # the last one holds the heap's end where it is
    libc.free(place)
before = resident()
trim_memory()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps that much")
def test_freed_memory_is_given_back() -> None:
    """40 MB that were freed below something that is still used."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert int(done.stdout or 0) > 30, done.stderr
