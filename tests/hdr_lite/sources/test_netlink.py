"""Netlink requests: their bytes, and answers that lie."""

import errno
import struct

import pytest

from hdr_lite.sources.base import SourceError
from hdr_lite.sources.netlink import (
    ACK,
    NLMSG_ERROR,
    attribute,
    error_of,
    explain,
    message,
    messages,
)


def test_what_is_written_can_be_read() -> None:
    """Messages come back; an attribute is padded, and its length leaves that out."""
    first = message(0x401, attribute(1, b"abc"), flags=ACK, sequence=7)
    second = message(0x101, family=2, resource=5)
    (one, two) = messages(first + second)
    assert one[:2] == (0x401, 7)
    assert two == (0x101, 0, b"\x02\x00\x00\x05")
    assert one[2][4:] == b"\x07\0\x01\0abc\0"


def test_requests_are_as_the_kernel_wants_them() -> None:
    """Length, type, flags and alignment of a request."""
    request = message(0x401, attribute(1, b"abc"), flags=ACK, resource=0x1234)
    assert len(request) % 4 == 0
    assert struct.unpack_from("=IHH", request) == (28, 0x401, 5)
    assert request[16:20] == b"\x00\x00\x12\x34"


@pytest.mark.parametrize("length", [0, 15, 17, 2**32 - 1])
def test_a_message_that_lies(length: int) -> None:
    """A wrong length is a ValueError."""
    with pytest.raises(ValueError, match="length"):
        list(messages(struct.pack("=IHHII", length, 0, 0, 0, 0)))


def test_a_message_that_is_cut() -> None:
    """Less than a header is a ValueError."""
    with pytest.raises(ValueError, match="cut"):
        list(messages(bytes(15)))


def test_errors() -> None:
    """An errno comes out positive; an acknowledgement is 0; nothing is a bad message."""
    assert error_of(struct.pack("=i", -errno.EPERM)) == errno.EPERM
    assert error_of(struct.pack("=i", 0)) == 0
    assert error_of(b"") == errno.EBADMSG
    assert NLMSG_ERROR == 2


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.EPERM, "x: not permitted: it needs root or CAP_NET_ADMIN"),
        (errno.EPROTONOSUPPORT, "x: the kernel lacks nf_thing"),
        (errno.EINVAL, "x: the kernel lacks nf_thing"),
        (errno.ENOMEM, "x: cannot allocate memory"),
    ],
)
def test_sentences(code: int, sentence: str) -> None:
    """Each reason is a sentence for the user."""
    error = explain(OSError(code, ""), "x", "nf_thing")
    assert isinstance(error, SourceError)
    assert str(error) == sentence
