"""What is said to the collector, and what its answers mean. No connection and no clock in here.

docs/sync.md has the protocol in prose; ``records.batch`` the words that both sides share.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import msgpack

from hdr_lite.records.batch import (
    BATCH_PATH,
    DEVICE_HEADER,
    EPOCH_HEADER,
    FIRST_HEADER,
    MAX_NUMBER,
    MEDIA_TYPE,
    NO_EPOCH,
    ROTATE_PATH,
    SECRET_SIZE,
    SIGNATURE_HEADER,
    Clock,
    Health,
    signature,
)
from hdr_lite.sync.channel import Reply
from hdr_lite.sync.enrolment import Enrolment

#: Longest time that a collector may ask us to wait, s.
LONGEST_WAIT = 3600.0


class Span(NamedTuple):
    """Records ``[first, next)`` of an epoch: those of them that are still there."""

    epoch: str
    first: int
    next: int
    alerts: Sequence[tuple[int, Any]]  #: number, payload


class Message(NamedTuple):
    """A request that is ready to be sent."""

    path: str
    headers: dict[str, str]
    body: bytes


class Acknowledged(NamedTuple):
    """All before ``next`` is kept there."""

    next: int


class Gap(NamedTuple):
    """The collector lacks what comes before: it wants to be sent from ``next`` on."""

    next: int


class Unfit(NamedTuple):
    """The collector cannot take these bytes, and never will: they are too many or malformed."""

    reason: str


class Busy(NamedTuple):
    """Later, please."""

    seconds: float | None  #: None: it does not say when


class Refused(NamedTuple):
    """This device, or what it says, is not wanted."""

    reason: str
    lasting: bool  #: it will say the same to the next one


Verdict = Acknowledged | Gap | Unfit | Busy | Refused


def batch(enrolment: Enrolment, span: Span, clock: Clock, health: Health | None) -> Message:
    """A batch, signed."""
    said: dict[str, Any] = {
        "next": span.next,
        "alerts": [[number, payload] for number, payload in span.alerts],
        "clock": _values(clock),
    }
    if health is not None:
        said["health"] = _values(health)
    body = zlib.compress(msgpack.packb(said))
    return _signed(enrolment, BATCH_PATH, span.epoch, span.first, body)


def rotation(enrolment: Enrolment) -> Message:
    """The wish for a new secret."""
    return _signed(enrolment, ROTATE_PATH, NO_EPOCH, 0, b"")


def _signed(enrolment: Enrolment, path: str, epoch: str, first: int, body: bytes) -> Message:
    headers = {
        "Content-Type": MEDIA_TYPE,
        DEVICE_HEADER: enrolment.device,
        EPOCH_HEADER: epoch,
        FIRST_HEADER: str(first),
        SIGNATURE_HEADER: signature(enrolment.secret, enrolment.device, epoch, first, body),
    }
    return Message(path, headers, body)


def _values(record: Clock | Health) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def judge(reply: Reply) -> Verdict:
    """What the answer to a batch means."""
    if reply.status in (200, 409):
        number = _number(reply.body)
        if number is None:
            return Refused("what it answers is no collector's answer", lasting=False)
        return Acknowledged(number) if reply.status == 200 else Gap(number)
    if reply.status == 413 or (reply.status == 400 and "reason" in unpack(reply.body)):
        return Unfit(reason(reply))  # a 400 of a proxy is not about what was sent
    if reply.status in (429, 503):
        return Busy(_wait(reply.headers.get("retry-after", "")))
    return Refused(reason(reply), lasting=reply.status in (401, 403))


def reason(reply: Reply) -> str:
    """Why it refuses, in its own words where it has some."""
    words = {401: "it does not know this device", 403: "this device may not report any more"}
    detail = unpack(reply.body).get("reason") or _json(reply.body).get("detail")
    text = f"it answers {reply.status}"
    if reply.status in words:
        text += f": {words[reply.status]}"
    return f"{text} ({_one_line(detail)})" if isinstance(detail, str) and detail else text


def new_secret(reply: Reply) -> bytes | None:
    """The secret in the answer to a rotation or an enrolment; None when there is none."""
    secret = unpack(reply.body).get("secret")
    return secret if isinstance(secret, bytes) and len(secret) == SECRET_SIZE else None


def unpack(body: bytes) -> Mapping[str, Any]:
    """An answer that is a msgpack map; empty when it is none."""
    try:
        said = msgpack.unpackb(body, max_map_len=64, max_array_len=64, max_ext_len=0)
    except (ValueError, TypeError, msgpack.UnpackException):
        return {}
    return said if isinstance(said, dict) else {}


def _json(body: bytes) -> Mapping[str, Any]:
    """What stands before a collector, or the framework below it, answers in JSON."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _number(body: bytes) -> int | None:
    number = unpack(body).get("next")
    right = type(number) is int and 1 <= number <= MAX_NUMBER
    return number if right else None


def _wait(text: str) -> float | None:
    """Seconds of ``Retry-After``; a date is not taken, as our clock may be wrong."""
    if not text.isascii() or not text.isdigit():
        return None
    return min(float(text[:9]), LONGEST_WAIT)


def _one_line(text: str) -> str:
    """What somebody else wrote, fit for a log."""
    return "".join(c if c.isprintable() else " " for c in text[:200])
