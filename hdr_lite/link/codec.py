"""The messages between processes, and their bytes; no I/O here.

A message on the wire is a 4-byte big-endian length, then that many bytes of msgpack: an
array of the message's number in :data:`MESSAGES` and its fields in order. The reader has
three outcomes only: a message, ``None`` for "need more", :class:`LinkError`. A length is
checked before anything is kept for it, a field's type before the message exists. After an
error the stream has no meaning any more: the receiver ends the link.
"""

from typing import NamedTuple

import msgpack

from hdr_lite.records.verb import Block, Enforced, Limit, Quarantine, Ready

HEADER = 4
#: Longest body, in bytes.
LIMIT = 64 * 1024


class LinkError(ValueError):
    """The other end sent what is no message."""


class Opened(NamedTuple):
    """Sensor: its sources are open, so that the engine may start."""

    sources: str  #: in words: ``eth0 (EN10MB, pypcap)``


class Progress(NamedTuple):
    """Sensor: how far it is."""

    packets: int
    bytes: int
    position: int  #: bytes of the input file, 0 for an interface
    dropped: int  #: by kernel and interfaces


class Notice(NamedTuple):
    """Any child: a line for the person at the terminal, printed on standard error."""

    text: str


class Failed(NamedTuple):
    """Any child: why it ends before its work is done."""

    text: str
    status: int  #: exit status of the program


class Raised(NamedTuple):
    """Engine: an alert was raised; the line of alerts.log."""

    text: str


class Done(NamedTuple):
    """Engine: all is written."""

    packets: int
    flows: int
    evidence: int
    alerts: int


class Digest(NamedTuple):
    """To the engine: SHA-256 of the input file, in hex."""

    sha256: str


class Finish(NamedTuple):
    """To the engine: the sensor is gone; finish with what has arrived."""

    reason: str


class Request(NamedTuple):
    """To any child: answer this. The verb ``figures`` is every child's to answer.

    From a child that may ask for it (``Role.asks``): as over the control socket.
    """

    number: int  #: comes back in the answer
    text: str  #: a JSON object with a ``verb``


class Answer(NamedTuple):
    """The answer to the request of that number."""

    number: int
    text: str  #: a JSON object


class Reload(NamedTuple):
    """To a child that keeps what it has learned: these settings hold from now on."""

    settings: str  #: a JSON object, ``config.flatten``


class Ask(NamedTuple):
    """Sensor: send this request to the kernel, which takes it from a privileged process only.

    The answer comes to the socket, which the sensor reads itself.
    """

    socket: str  #: its field's name in ``sources.nflog.Sockets``
    request: bytes


Message = (
    Opened
    | Progress
    | Notice
    | Failed
    | Raised
    | Done
    | Digest
    | Finish
    | Request
    | Answer
    | Reload
    | Block
    | Limit
    | Quarantine
    | Enforced
    | Ready
    | Ask
)

#: Number on the wire -> message type.
MESSAGES: tuple[type[Message], ...] = (
    Opened,
    Progress,
    Notice,
    Failed,
    Raised,
    Done,
    Digest,
    Finish,
    Request,
    Answer,
    Reload,
    Block,
    Limit,
    Quarantine,
    Enforced,
    Ready,
    Ask,
)
_FIELDS = tuple(tuple(m.__annotations__[name] for name in m._fields) for m in MESSAGES)


def encode(message: Message) -> bytes:
    """The message's bytes; ``LinkError`` when it is too long to send."""
    fields = [MESSAGES.index(type(message)), *message]
    # A file's name, or what a module says, need not be UTF-8 (lone surrogates in Python's text).
    body: bytes = msgpack.packb(fields, unicode_errors="backslashreplace")
    if len(body) > LIMIT:
        raise LinkError(f"{type(message).__name__} of {len(body)} bytes is over the limit")
    return len(body).to_bytes(HEADER, "big") + body


def _decode(body: bytes) -> Message:
    try:
        array = msgpack.unpackb(body, use_list=False, max_map_len=0, max_ext_len=0)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise LinkError(f"a message is no msgpack: {error}") from None
    if not isinstance(array, tuple) or not array or type(array[0]) is not int:
        raise LinkError("a message is no array that starts with its number")
    number, *fields = array
    if not 0 <= number < len(MESSAGES):
        raise LinkError(f"there is no message number {number}")
    if tuple(map(type, fields)) != _FIELDS[number]:
        raise LinkError(f"the fields of {MESSAGES[number].__name__} are wrong")
    return MESSAGES[number](*fields)


class Decoder:
    """Bytes in, messages out."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> None:
        """Bytes that arrived. The caller takes all messages out before it feeds more."""
        self._bytes += data

    def next(self) -> Message | None:
        """The next message, None when more bytes are needed; ``LinkError``."""
        if len(self._bytes) < HEADER:
            return None
        length = int.from_bytes(self._bytes[:HEADER], "big")
        if length > LIMIT:
            raise LinkError(f"a message of {length} bytes is over the limit")
        if len(self._bytes) < HEADER + length:
            return None
        body = bytes(self._bytes[HEADER : HEADER + length])
        del self._bytes[: HEADER + length]
        return _decode(body)
