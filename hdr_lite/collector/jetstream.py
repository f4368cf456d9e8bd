"""The bus of a fleet: a NATS JetStream stream of batches, on a quorum of disks.

A work queue: a batch is in it until a consumer has committed it to PostgreSQL. Each (device,
epoch) is a subject of its own, so what was published last of it can be asked for. Why nothing
here needs to be unique or in order: docs/decisions/0052-cursors-past-one-machine.md.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec
import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import (
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NotFoundError

from hdr_lite.collector.store import Batch, Reported, Unavailable
from hdr_lite.config import UserError

R = TypeVar("R")

STREAM = "HDR_BATCHES"
CONSUMER = "hdr-store"

_SUBJECT = "hdr.batch.{}.{}"
_FORGET = "hdr.forget"
_NEXT = "HDR-Next"
_REPLICAS = 3
_MOST_BYTES = 900_000  #: of a message; NATS takes 1 MiB unless told otherwise
_AROUND = 1_000  #: bytes of an alert that are not its texts and payload, and of a batch
_ACK_WAIT = 15.0  #: s after which a batch that no consumer acknowledged is given to another
_PENDING = 20_000  #: batches that consumers may hold
_STARTING = 20.0  #: s for the first connection
_TIMEOUT = 5.0  #: s for the quorum's acknowledgement
_TRIES = 8  #: while there is no leader
_PAUSE = 0.5
#: Seconds for which a batch was seen to follow none that is kept, after which those before it are
#: lost: much longer than another consumer may hold them. A stream or a database that was restored
#: from a backup makes such gaps.
_LOST = 300.0
_NOT_CLUSTERED = 10_074  #: NATS' number for replicas on a server that is alone

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Batch)
_log = logging.getLogger(__name__)


class Bus:
    """A connection to the cluster."""

    def __init__(self, servers: str, size: int) -> None:
        """``servers``: URLs, by commas; ``size``: bytes of batches that may wait."""
        self._servers = servers.split(",")
        self._size = size
        self._gaps: dict[int, float] = {}  #: of the stream's numbers: since when

    async def open(self) -> None:
        """Connect, and see to the stream."""
        try:
            async with asyncio.timeout(_STARTING):
                self._nats: Client = await nats.connect(
                    self._servers,
                    name="hdr-lite-collector",
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_PAUSE,
                    connect_timeout=2,
                    ping_interval=5,
                    max_outstanding_pings=2,
                    error_cb=_on_error,
                )
        except (TimeoutError, nats.errors.Error, OSError, ValueError) as error:
            raise UserError(
                f"cannot use the bus {','.join(self._servers)}: {_text(error)}"
            ) from error
        self._stream: JetStreamContext = self._nats.jetstream(timeout=_TIMEOUT)
        end = time.monotonic() + _STARTING
        while True:
            try:
                await self._retry(self._see_to_stream)
                return
            except Unavailable as error:  # the cluster is electing
                if time.monotonic() > end:
                    await self._nats.close()
                    raise UserError(f"cannot use the stream {STREAM}: {error}") from error

    async def close(self) -> None:
        """Disconnect."""
        await self._nats.close()

    async def publish(self, batch: Batch) -> None:
        """Returns once a quorum has it; Unavailable: perhaps it has, perhaps not."""
        subject = _SUBJECT.format(batch.device, batch.epoch)
        for part in split(batch):
            headers = {_NEXT: str(part.next)}
            body = _encoder.encode(part)

            async def send(body: bytes = body, headers: dict[str, str] = headers) -> None:
                await self._stream.publish(subject, body, stream=STREAM, headers=headers)

            await self._retry(send)

    async def published(self, device: str, epoch: str) -> int:
        """What follows the last batch that waits in the stream; 1: none waits."""
        try:
            last = await self._retry(
                lambda: self._stream.get_last_msg(STREAM, _SUBJECT.format(device, epoch))
            )
        except NotFoundError:
            return 1
        return int((last.headers or {})[_NEXT])

    async def forget(self, device: str) -> None:
        """Tell all that know the device that its keys have changed."""
        try:
            await self._nats.publish(_FORGET, device.encode())
            await self._nats.flush(1)
        except nats.errors.Error as error:  # then they notice a little later
            _log.warning("the bus does not take it that %s has changed: %s", device, error)

    async def on_forget(self, do: Callable[[str], None]) -> None:
        """Call this for each device whose keys have changed."""

        async def told(message: Msg) -> None:
            do(message.data.decode("ascii", "replace"))

        await self._nats.subscribe(_FORGET, cb=told)

    async def consume(
        self, keep: Callable[[Sequence[Batch]], Awaitable[Sequence[bool]]], most: int = 256
    ) -> None:
        """Give batches to ``keep``, as many at a time as wait, until cancelled.

        Those that it answered with true are done; the others come again. While it raises
        Unavailable the same are tried again.
        """
        waiting = await self._retry(
            lambda: self._stream.pull_subscribe(
                _SUBJECT.format("*", "*"),
                durable=CONSUMER,
                stream=STREAM,
                config=ConsumerConfig(ack_wait=_ACK_WAIT, max_ack_pending=_PENDING),
            )
        )
        while True:
            try:
                messages = await waiting.fetch(most, timeout=1)
            except TimeoutError:
                continue
            except (nats.errors.Error, OSError) as error:
                _log.warning("the bus gives nothing: %s", error)
                await asyncio.sleep(_PAUSE)
                continue
            await self._keep(messages, keep)

    async def _keep(
        self,
        messages: Sequence[Msg],
        keep: Callable[[Sequence[Batch]], Awaitable[Sequence[bool]]],
    ) -> None:
        batches = [self._read(message) for message in messages]
        while True:
            try:
                done = await keep(batches)
                break
            except Unavailable as error:
                _log.warning("%d batches wait: %s", len(batches), error)
                self._gaps.clear()  # what they wait for may wait elsewhere as long
                await asyncio.sleep(1)
        try:
            for message, kept in zip(messages, done, strict=True):
                number = message.metadata.sequence.stream
                if kept:
                    self._gaps.pop(number, None)
                    await message.ack()
                else:
                    self._gaps.setdefault(number, time.monotonic())
                    await message.nak(delay=_PAUSE)
        except (nats.errors.Error, OSError) as error:  # they come again, and are known then
            _log.warning("the bus takes no acknowledgement: %s", error)
        if len(self._gaps) > _PENDING:  # those that other consumers have kept
            self._gaps.clear()

    def _read(self, message: Msg) -> Batch:
        """Its batch; one that waited in vain for those before it stands for them too."""
        batch = _decoder.decode(message.data)
        now = time.monotonic()
        if now - self._gaps.get(message.metadata.sequence.stream, now) < _LOST:
            return batch
        _log.error("what %s sent before %d is lost", batch.device, batch.first)
        return replace(batch, first=1)

    async def _see_to_stream(self) -> None:
        # Not compressed: a node of NATS 2.15.1 that was killed can then not always read its log
        # again ("smb.truncate: ... s2: unsupported input"), and waits until its disk is emptied.
        config = StreamConfig(
            name=STREAM,
            subjects=[_SUBJECT.format("*", "*")],
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
            storage=StorageType.FILE,
            max_bytes=self._size,
            num_replicas=_REPLICAS,
        )
        try:
            await self._stream.stream_info(STREAM)
        except NotFoundError:
            try:
                await self._stream.add_stream(config)
            except APIError as error:
                if error.err_code != _NOT_CLUSTERED:
                    raise
                _log.warning("the bus is one server: what it holds is lost with its disk")
                await self._stream.add_stream(config.evolve(num_replicas=1))

    async def _retry(self, attempt: Callable[[], Awaitable[R]]) -> R:
        """Try again for a few seconds, while a leader is being elected or a server is gone."""
        for tries_left in reversed(range(_TRIES)):
            try:
                return await attempt()
            except NotFoundError:
                raise
            except (TimeoutError, nats.errors.Error, OSError) as error:
                late = isinstance(error, asyncio.TimeoutError)
                if late or not tries_left:
                    raise Unavailable(f"the bus: {_text(error)}") from error
            await asyncio.sleep(_PAUSE)
        raise AssertionError  # the last try returns or raises


def split(batch: Batch) -> Iterator[Batch]:
    """The batch in parts that each fit a message; what is told of the device is in the last."""
    part: list[Reported] = []
    first, size = batch.first, 0
    for alert in batch.alerts:
        weight = _weight(alert)
        if part and size + weight > _MOST_BYTES:
            yield replace(
                batch, first=first, next=alert.sequence, alerts=tuple(part), refused=0, health=None
            )
            part, first, size = [], alert.sequence, 0
        part.append(alert)
        size += weight
    yield replace(batch, first=first, alerts=tuple(part))


def _weight(alert: Reported) -> int:
    """At least the bytes that it takes in a message."""
    texts = (alert.id, alert.attacker, alert.mac, alert.victim, alert.profile, alert.description)
    words = (*alert.types, *alert.families)
    return len(alert.payload) + 4 * sum(map(len, (*texts, *words))) + _AROUND


async def _on_error(error: Exception) -> None:
    _log.warning("the bus: %s", _text(error))


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
