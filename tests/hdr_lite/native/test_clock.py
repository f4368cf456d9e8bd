"""Whether the kernel's clock is kept right: its own word."""

import ctypes
import struct

from hdr_lite.native import is_clock_synchronised

STA_UNSYNC = 0x40
#: struct timex: modes, then offset, freq, maxerror and esterror, which are longs, then status.
_TIMEX = struct.Struct("@i4li")


def test_it_says_what_the_kernel_says() -> None:
    """As adjtimex answers without being told anything."""
    buffer = ctypes.create_string_buffer(512)
    state = ctypes.CDLL(None).adjtimex(buffer)
    *_, status = _TIMEX.unpack_from(buffer.raw)
    assert is_clock_synchronised() == (state >= 0 and not status & STA_UNSYNC)
