"""The words that a device and its collector share: paths, headers, limits, signature, token.

The protocol is written down in docs/sync.md. A batch covers the numbers [first, next) of one
epoch of a spool; the cursor of the collector says which number it wants next.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import NamedTuple

CA_PATH = "/v1/ca"
ENROL_PATH = "/v1/enrol"
BATCH_PATH = "/v1/batch"
ROTATE_PATH = "/v1/rotate"

DEVICE_HEADER = "HDR-Device"  #: 32 hex digits
EPOCH_HEADER = "HDR-Epoch"  #: 16 hex digits
FIRST_HEADER = "HDR-First"  #: decimal
SIGNATURE_HEADER = "HDR-Signature"  #: 64 hex digits
MEDIA_TYPE = "application/msgpack"

MAX_BODY = 1 << 20  #: bytes of a body as it is sent
MAX_EXPANDED = 8 << 20  #: bytes of it once it is expanded
MAX_ALERTS = 5000  #: alerts in a batch
MAX_PAYLOAD = 512 << 10  #: bytes of one alert with its evidence, as msgpack
MAX_HELD = 256  #: blocks told with the health
MAX_NUMBER = (1 << 53) - 1  #: greatest sequence number

SECRET_SIZE = 32
NO_EPOCH = "0" * 16  #: of what is signed without being a batch: a rotation

_TOKEN = re.compile(r"hdr1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43}|-)")


class Held(NamedTuple):
    """Whom a device holds: one element of ``Health.blocks``."""

    address: str  #: address, network or MAC
    kind: str  #: ``block``, ``limit``, ``quarantine``
    seconds: int  #: left
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """How a device is: what ``hdr-lite status --json`` says, reduced."""

    version: str
    uptime: int  #: seconds
    memory: int  #: bytes, all processes
    source: str = ""
    mode: str = ""  #: of the enforcer, "" without one
    drops: dict[str, int] = field(default_factory=dict)  #: what was dropped, by where
    blind: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    blocks: list[Held] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Clock:
    """The device's clock when it sent, so that a wrong one can be allowed for."""

    now: int  #: ns since 1970 by that clock
    quality: str  #: ``synchronised`` or ``unknown``


@dataclass(frozen=True, slots=True)
class Token:
    """An invitation to enrol: of use once, for a short time."""

    id: str  #: 8 hex digits
    secret: str  #: 43 characters of base64url
    ca: str  #: SHA-256 of the DER of the collector's CA, as base64url; "-": the system's trust

    def __str__(self) -> str:
        return f"hdr1.{self.id}.{self.secret}.{self.ca}"


def read_token(text: str) -> Token:
    """The token that was written so; ValueError if it is none."""
    match = _TOKEN.fullmatch(text.strip())
    if match is None:
        raise ValueError("this is no enrolment token (hdr1.ID.SECRET.CA)")
    return Token(*match.groups())


def digest_text(der: bytes) -> str:
    """How a token writes the digest of a certificate."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def signature(secret: bytes, device: str, epoch: str, first: int, body: bytes) -> str:
    """What a device puts into ``HDR-Signature``; ``body`` as it is sent."""
    head = f"hdr-lite batch 1\n{device}\n{epoch}\n{first}\n".encode()
    return hmac.new(secret, head + hashlib.sha256(body).digest(), hashlib.sha256).hexdigest()
