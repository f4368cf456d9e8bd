"""The link's messages: round trip, and every way in which bytes can be none."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.link.codec import (
    LIMIT,
    MESSAGES,
    Answer,
    Ask,
    Decoder,
    Digest,
    Done,
    Failed,
    Finish,
    LinkError,
    Message,
    Notice,
    Opened,
    Progress,
    Raised,
    Reload,
    Request,
    encode,
)
from hdr_lite.records.verb import Block, Enforced, Limit, Quarantine, Ready

_COUNT = st.integers(0, 2**64 - 1)
_TEXT = st.text(max_size=50)
_ANY = st.one_of(
    st.builds(Opened, _TEXT),
    st.builds(Progress, _COUNT, _COUNT, _COUNT, _COUNT),
    st.builds(Notice, _TEXT),
    st.builds(Failed, _TEXT, st.integers(0, 255)),
    st.builds(Raised, _TEXT),
    st.builds(Done, _COUNT, _COUNT, _COUNT, _COUNT),
    st.builds(Digest, _TEXT),
    st.builds(Finish, _TEXT),
    st.builds(Request, _COUNT, _TEXT),
    st.builds(Answer, _COUNT, _TEXT),
    st.builds(Reload, _TEXT),
    st.builds(Block, _TEXT, _TEXT, _COUNT, _TEXT, _COUNT),
    st.builds(Limit, _TEXT, _TEXT, _COUNT, _TEXT, _TEXT, _COUNT, _TEXT),
    st.builds(Quarantine, _TEXT, _TEXT, _TEXT, _COUNT, _TEXT),
    st.builds(Enforced, _TEXT, _TEXT, _TEXT, _COUNT, _TEXT),
    st.builds(Ready, _TEXT),
    st.builds(Ask, _TEXT, st.binary(max_size=50)),
)


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@given(st.lists(_ANY, max_size=5), st.integers(1, 40))
def test_round_trip_in_pieces_of_any_size(messages: list[Message], piece: int) -> None:
    """However the bytes are cut, the same messages come out in order, and nothing else."""
    stream = b"".join(map(encode, messages))
    decoder, out = Decoder(), []
    for start in range(0, len(stream), piece):
        decoder.feed(stream[start : start + piece])
        while (message := decoder.next()) is not None:
            out.append(message)
    assert out == messages
    assert [type(m) for m in out] == [type(m) for m in messages]


def test_every_message_has_a_strategy() -> None:
    """A new message type is in the round trip test, too."""
    covered = {Opened, Progress, Notice, Failed, Raised, Done, Digest, Finish}
    covered |= {Request, Answer, Reload}
    covered |= {Block, Limit, Quarantine, Enforced, Ready, Ask}
    assert covered == set(MESSAGES)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ((LIMIT + 1).to_bytes(4, "big"), "over the limit"),
        (b"\xff\xff\xff\xff", "over the limit"),
        (_framed(b""), "no msgpack"),
        (_framed(b"\xc1"), "no msgpack"),
        (_framed(msgpack.packb([2, "a"]) + b"\x00"), "no msgpack"),
        (_framed(msgpack.packb(5)), "no array"),
        (_framed(msgpack.packb([])), "no array"),
        (_framed(msgpack.packb(["Notice", "a"])), "no array"),
        (_framed(msgpack.packb([True, "a"])), "no array"),
        (_framed(msgpack.packb([len(MESSAGES), "a"])), "no message number"),
        (_framed(msgpack.packb([-1, "a"])), "no message number"),
        (_framed(msgpack.packb([2])), "fields of Notice"),
        (_framed(msgpack.packb([2, 5])), "fields of Notice"),
        (_framed(msgpack.packb([1, 1, 2, 3, True])), "fields of Progress"),
        (_framed(msgpack.packb([2, "a", "b"])), "fields of Notice"),
        (_framed(msgpack.packb([2, {"a": 1}])), "no msgpack"),
    ],
)
def test_garbage_is_a_typed_error(data: bytes, reason: str) -> None:
    """Whatever is no message is a LinkError that says what is wrong with it."""
    decoder = Decoder()
    decoder.feed(data)
    with pytest.raises(LinkError, match=reason):
        decoder.next()


@given(st.binary(max_size=64))
def test_any_bytes_have_one_of_three_outcomes(data: bytes) -> None:
    """No bytes lead to anything but a message, need-more or LinkError."""
    decoder = Decoder()
    decoder.feed(_framed(data))
    try:
        message = decoder.next()
    except LinkError:
        return
    assert type(message) in MESSAGES


def test_too_long_to_send() -> None:
    """What the other end would refuse is refused before it is sent."""
    with pytest.raises(LinkError, match="over the limit"):
        encode(Notice("x" * (LIMIT + 1)))


def test_text_that_is_no_utf8() -> None:
    """A file's name of any bytes can be told: what is no UTF-8 in it is escaped."""
    decoder = Decoder()
    decoder.feed(encode(Notice("\udcff.pcap")))
    assert decoder.next() == Notice("\\udcff.pcap")
