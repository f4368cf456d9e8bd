"""/v1/*: what devices speak (docs/sync.md). Nothing is believed before the signature is checked."""

import asyncio
import hashlib
import hmac
import re
import secrets
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.exceptions import ClientException

from hdr_lite.collector import clock
from hdr_lite.collector.limits import Rate
from hdr_lite.collector.reading import (
    Envelope,
    Malformed,
    TooLarge,
    clock_offset,
    expand,
    read_alert,
    read_envelope,
    read_health,
)
from hdr_lite.collector.settings import Settings
from hdr_lite.collector.store import (
    Batch,
    Gap,
    Keys,
    Newcomer,
    Reported,
    Sink,
    Store,
    Unavailable,
)
from hdr_lite.records import batch as words

_DEVICE = re.compile(r"[0-9a-f]{32}")
_EPOCH = re.compile(r"[0-9a-f]{16}")
_FIRST = re.compile(r"0|[1-9][0-9]{0,15}")
_MOST_ENROLMENT = 4096  #: bytes of a request to enrol
_ENROLMENTS = 30  #: attempts of an address in a minute that may fail
_QUALITIES = ("synchronised", "unknown")

Short = Annotated[str, msgspec.Meta(max_length=100)]
AnyRequest = Request[Any, Any, Any]


class Enrolment(msgspec.Struct):
    """The body of a request to enrol."""

    token: Annotated[str, msgspec.Meta(max_length=8)]
    secret: Annotated[str, msgspec.Meta(max_length=64)]
    name: Short = ""
    version: Short = ""
    model: Short = ""


class Ingest:
    """The handlers, and the rates of devices."""

    def __init__(self, store: Store, sink: Sink, settings: Settings) -> None:
        self._store = store
        self._sink = sink
        self._ca = settings.ca
        self._alerts = Rate(settings.alerts_per_minute, 60)
        self._bytes = Rate(settings.bytes_per_minute, 60)
        self._attempts = Rate(_ENROLMENTS, 60)

    def router(self) -> Router:
        """What is served; none of it is in the OpenAPI document, which is for people's programs."""

        # Litestar copies handlers, which it can of functions only.
        @get(words.CA_PATH, media_type=MediaType.TEXT)
        async def ca() -> Response[str]:
            return self.ca()

        @post(words.ENROL_PATH)
        async def enrol(request: AnyRequest) -> Response[bytes]:
            return await self.enrol(request)

        @post(words.BATCH_PATH)
        async def batch(request: AnyRequest) -> Response[bytes]:
            return await self.batch(request)

        @post(words.ROTATE_PATH)
        async def rotate(request: AnyRequest) -> Response[bytes]:
            return await self.rotate(request)

        return Router(
            path="/",
            include_in_schema=False,
            request_max_body_size=words.MAX_BODY,
            route_handlers=[ca, enrol, batch, rotate],
        )

    def ca(self) -> Response[str]:
        """The CA's certificate; 404 where devices trust the system's."""
        return Response(
            self._ca or "no CA of its own\n",
            status_code=200 if self._ca else 404,
            media_type="application/x-pem-file" if self._ca else MediaType.TEXT,
        )

    async def enrol(self, request: AnyRequest) -> Response[bytes]:
        """A token becomes a device with its secret."""
        body = await _body(request)
        whence = request.client.host if request.client else ""
        if wait := self._attempts.wait(whence):
            return _later(429, wait)
        if body is None or len(body) > _MOST_ENROLMENT:
            return _answer(413, {"reason": "too large"})
        try:
            asked = msgspec.msgpack.decode(body, type=Enrolment)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            self._attempts.spend(whence)
            return _answer(400, {"reason": "this is no request to enrol"})
        newcomer = Newcomer(
            secrets.token_hex(16),
            secrets.token_bytes(words.SECRET_SIZE),
            *(_printable(text) for text in (asked.name, asked.model, asked.version)),
        )
        digest = hashlib.sha256(asked.secret.encode()).digest()
        try:
            refusal = await self._store.enrol(asked.token, digest, newcomer, clock.now())
        except Unavailable:
            return _later(503, 10)
        if refusal:
            self._attempts.spend(whence)
            return _answer(403, {"reason": refusal})
        return _answer(200, {"device": newcomer.id, "secret": newcomer.secret})

    async def batch(self, request: AnyRequest) -> Response[bytes]:
        """Keep what is new of a batch; answered once it is safe."""
        signed = await self._signed(request)
        if isinstance(signed, Response):
            return signed
        device, epoch, first, body, pending = signed
        if epoch == words.NO_EPOCH:
            return _answer(400, {"reason": "this is no epoch"})
        if wait := max(self._alerts.wait(device), self._bytes.wait(device)):
            return _later(429, wait)
        self._bytes.spend(device, len(body))
        received = clock.now()
        try:
            envelope, alerts = await _read(body, first, received)
        except Malformed as error:
            return _answer(400, {"reason": str(error)[:200]})
        except TooLarge:
            return _answer(413, {"reason": "too large"})
        self._alerts.spend(device, len(envelope.alerts))
        quality = envelope.clock.quality if envelope.clock else ""
        batch = Batch(
            device=device,
            epoch=epoch,
            first=first,
            next=envelope.next,
            alerts=alerts,
            refused=len(envelope.alerts) - len(alerts),
            health=read_health(bytes(envelope.health)),
            clock_quality=quality if quality in _QUALITIES else "",
            clock_offset=clock_offset(envelope.clock, received),
            received=received,
            new_secret=pending,
        )
        try:
            result = await self._sink.ingest(batch)
        except Unavailable:
            return _later(503, 5)
        if isinstance(result, Gap):
            return _answer(409, {"next": result.next})
        return _answer(200, {"next": result})

    async def rotate(self, request: AnyRequest) -> Response[bytes]:
        """A new secret; the old one holds until the new one was used."""
        signed = await self._signed(request)
        if isinstance(signed, Response):
            return signed
        device, epoch, first, _, pending = signed
        if epoch != words.NO_EPOCH or first != 0:
            return _answer(400, {"reason": "a rotation has no epoch and no number"})
        secret = secrets.token_bytes(words.SECRET_SIZE)
        try:
            await self._store.set_pending(device, secret, promote=pending)
        except Unavailable:
            return _later(503, 5)
        return _answer(200, {"secret": secret})

    async def _signed(
        self, request: AnyRequest
    ) -> tuple[str, str, int, bytes, bool] | Response[bytes]:
        """Device, epoch, first, body and whether the pending secret signed; or the refusal."""
        body = await _body(request)
        if body is None:
            return _answer(413, {"reason": "too large"})
        device = request.headers.get(words.DEVICE_HEADER, "")
        epoch = request.headers.get(words.EPOCH_HEADER, "")
        first = request.headers.get(words.FIRST_HEADER, "")
        if not (_DEVICE.fullmatch(device) and _EPOCH.fullmatch(epoch) and _FIRST.fullmatch(first)):
            return _answer(400, {"reason": "a header is missing or malformed"})
        try:
            keys = await self._store.keys(device)
        except Unavailable:
            return _later(503, 5)
        if keys is None:
            return _answer(401, {"reason": "unknown device or signature"})
        if keys.revoked:
            return _answer(403, {"reason": "this device was revoked"})
        told = request.headers.get(words.SIGNATURE_HEADER, "").encode("latin-1", "replace")
        which = _which(keys, told, (device, epoch, int(first), body))
        if which is None:
            return _answer(401, {"reason": "unknown device or signature"})
        return device, epoch, int(first), body, which


def _which(keys: Keys, told: bytes, signed: tuple[str, str, int, bytes]) -> bool | None:
    """False: the secret signed; True: the pending one; None: neither."""
    for secret, pending in ((keys.secret, False), (keys.pending, True)):
        if secret and hmac.compare_digest(told, words.signature(secret, *signed).encode()):
            return pending
    return None


async def _read(body: bytes, first: int, received: int) -> tuple[Envelope, tuple[Reported, ...]]:
    """Expand and decode, the loop getting its turn between hundreds of alerts."""
    envelope = read_envelope(expand(body), first)
    offset = clock_offset(envelope.clock, received)
    alerts = []
    for index, (sequence, raw) in enumerate(envelope.alerts):
        if index % 500 == 499:
            await asyncio.sleep(0)
        try:
            alerts.append(read_alert(sequence, bytes(raw), offset, received))
        except Malformed:
            continue
    return envelope, tuple(alerts)


async def _body(request: AnyRequest) -> bytes | None:
    """None: it is too large."""
    try:
        return await request.body()
    except ClientException as error:
        if error.status_code == 413:
            return None
        raise


def _answer(status: int, content: dict[str, object]) -> Response[bytes]:
    return Response(
        msgspec.msgpack.encode(content), status_code=status, media_type=words.MEDIA_TYPE
    )


def _later(status: int, seconds: float) -> Response[bytes]:
    answer = _answer(status, {"reason": "not now"})
    answer.headers["Retry-After"] = str(max(1, round(seconds + 0.5)))
    return answer


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())
