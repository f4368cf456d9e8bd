"""Netlink's bytes, and real questions to the kernel."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.enforcer.netlink import (
    NETLINK_ROUTE,
    NetlinkError,
    ask,
    attribute,
    attributes,
    dump,
    listed,
    messages,
    open_netlink,
    request,
)


@given(st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=20), max_size=5))
def test_attributes_round_trip(wanted: dict[int, bytes]) -> None:
    """What was put together comes apart again, nested or not."""
    for nested in (False, True):
        data = b"".join(attribute(n, value, nested=nested) for n, value in wanted.items())
        assert attributes(data) == wanted
        assert list(listed(data)) == list(wanted.values())


@given(st.binary(max_size=100))
def test_nonsense_ends(data: bytes) -> None:
    """Any bytes come to an end, and give nothing that was not in them."""
    for value in (*attributes(data).values(), *listed(data), *(m.body for m in messages(data))):
        assert value in data


def test_messages() -> None:
    """Messages of one datagram, each with its type, sender and body."""
    first = struct.pack("=IHHII", 20, 24, 0, 1, 77) + b"abcd"
    found = list(messages(first + request(5, 0, b"xyz")))
    assert [(m.type, m.port, m.body) for m in found] == [(24, 77, b"abcd"), (5, 0, b"xyz")]


def test_dump_of_links() -> None:
    """The kernel lists its interfaces, the loopback among them."""
    names = [attributes(m.body[16:]).get(3, b"") for m in dump(NETLINK_ROUTE, 18, bytes(16))]
    assert b"lo\0" in names


def test_errors() -> None:
    """What the kernel refuses is an error with its number."""
    with open_netlink(NETLINK_ROUTE) as sock, pytest.raises(NetlinkError) as caught:
        ask(sock, 19, 0, struct.pack("=BBHiII", 0, 0, 0, 2**30, 0, 0))
    assert caught.value.errno == 19  # ENODEV
