"""What is said, byte by byte, and what answers mean."""

import hashlib
import hmac
import json
import zlib
from typing import Any

import msgpack
import pytest

from hdr_lite.records.batch import Clock, Health, Held
from hdr_lite.sync.channel import Reply
from hdr_lite.sync.protocol import (
    Acknowledged,
    Busy,
    Gap,
    Refused,
    Span,
    Unfit,
    Verdict,
    batch,
    judge,
    new_secret,
    rotation,
)
from tests.hdr_lite.sync.test_enrolment import ENROLMENT

CLOCK = Clock(1_800_000_000_000_000_000, "unknown")


def reply(status: int, said: Any = None, **headers: str) -> Reply:
    body = said if isinstance(said, bytes) else msgpack.packb(said)
    return Reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


def test_a_batch() -> None:
    """Headers, a compressed body, a signature over all of it that anybody can compute."""
    health = Health("1", 5, 6, blocks=[Held("192.0.2.1", "block", 60, "x")])
    span = Span("0001abcdabcdabcd", 7, 10, [(7, {"alert": {}}), (9, {"alert": {"a": 1}})])
    message = batch(ENROLMENT, span, CLOCK, health)
    said = msgpack.unpackb(zlib.decompress(message.body))
    assert said["next"] == 10
    assert said["alerts"] == [[7, {"alert": {}}], [9, {"alert": {"a": 1}}]]
    assert said["clock"] == {"now": 1_800_000_000_000_000_000, "quality": "unknown"}
    assert said["health"]["blocks"] == [["192.0.2.1", "block", 60, "x"]]
    assert (said["health"]["version"], said["health"]["uptime"]) == ("1", 5)
    signed = b"hdr-lite batch 1\n" + b"0" * 32 + b"\n0001abcdabcdabcd\n7\n"
    signed += hashlib.sha256(message.body).digest()
    assert message.path == "/v1/batch"
    assert message.headers == {
        "Content-Type": "application/msgpack",
        "HDR-Device": "0" * 32,
        "HDR-Epoch": "0001abcdabcdabcd",
        "HDR-First": "7",
        "HDR-Signature": hmac.new(ENROLMENT.secret, signed, "sha256").hexdigest(),
    }


def test_health_is_left_out() -> None:
    """Where there is none to tell."""
    message = batch(ENROLMENT, Span("0" * 16, 1, 1, ()), CLOCK, None)
    assert "health" not in msgpack.unpackb(zlib.decompress(message.body))


def test_a_rotation_is_signed_as_a_batch() -> None:
    """With a first of 0, an epoch of zeros, and no body."""
    message = rotation(ENROLMENT)
    assert (message.path, message.body) == ("/v1/rotate", b"")
    assert (message.headers["HDR-Epoch"], message.headers["HDR-First"]) == ("0" * 16, "0")


ODD = Refused("what it answers is no collector's answer", lasting=False)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (reply(200, {"next": 5}), Acknowledged(5)),
        (reply(200, {"next": 5, "more": [1]}), Acknowledged(5)),
        (reply(409, {"next": 3}), Gap(3)),
        (reply(200, {"next": 0}), ODD),
        (reply(200, {"next": "5"}), ODD),
        (reply(200, {"next": True}), ODD),
        (reply(200, {"next": 1 << 53}), ODD),
        (reply(200, [5]), ODD),
        (reply(200, b""), ODD),
        (reply(200, b"<html>portal</html>"), ODD),
        (reply(409, b"\xc1"), ODD),
        (reply(413), Unfit("it answers 413")),
        (reply(400, {"reason": "no batch"}), Unfit("it answers 400 (no batch)")),
        (reply(400, b"<html>"), Refused("it answers 400", lasting=False)),
        (
            reply(400, json.dumps({"detail": "no"}).encode()),
            Refused("it answers 400 (no)", lasting=False),
        ),
        (reply(429, retry_after="17"), Busy(17.0)),
        (reply(503, retry_after="99999999999"), Busy(3600.0)),
        (reply(503, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), Busy(None)),
        (reply(503, retry_after="-1"), Busy(None)),
        (reply(503), Busy(None)),
        (reply(401), Refused("it answers 401: it does not know this device", lasting=True)),
        (
            reply(403, {"reason": "revoked\n\x1b[1m"}),
            Refused(
                "it answers 403: this device may not report any more (revoked  [1m)", lasting=True
            ),
        ),
        (reply(500, b"x"), Refused("it answers 500", lasting=False)),
        (
            reply(404, json.dumps({"detail": "Not Found"}).encode()),
            Refused("it answers 404 (Not Found)", lasting=False),
        ),
    ],
)
def test_answers(answer: Reply, verdict: Verdict) -> None:
    """Each has one meaning; what makes no sense is a failure that may pass."""
    assert judge(answer) == verdict


def test_secrets_in_answers() -> None:
    """32 bytes, or there is none."""
    assert new_secret(reply(200, {"secret": bytes(32)})) == bytes(32)
    for said in ({"secret": bytes(31)}, {"secret": "x" * 32}, {}, [], b"\xc1"):
        assert new_secret(reply(200, said)) is None
