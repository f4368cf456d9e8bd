"""Simulated devices, to measure a collector and to try it: enrolled, signing, sending again.

Batches are made before the clock runs, so that what is measured is the collector. A device behaves
as a real one: one batch at a time on a connection that it keeps, the same again where no answer
came, from another address of the collector if there is one, and from where a gap is told.
"""

import asyncio
import contextlib
import secrets
import ssl
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgpack

from hdr_lite.collector import clock
from hdr_lite.collector.store import Invitation, Newcomer, Store
from hdr_lite.records import batch as words

EPOCH = "10ad" * 4
_HOUR = 3_600_000
_ANSWER = 30.0  #: s until a request counts as lost
_PAUSE = 0.2  #: s before it is sent again


@dataclass(frozen=True, slots=True)
class Identity:
    """A device that was enrolled for this."""

    id: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Sending:
    """A batch, ready to be signed."""

    first: int
    next: int
    body: bytes


@dataclass(slots=True)
class Outcome:
    """What was sent and how long each batch took until it was acknowledged."""

    alerts: int = 0
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)  #: s
    again: int = 0  #: requests without an answer, or told to come later

    def quantile(self, share: float) -> float:
        """Of the times, in ms."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


async def enrol(store: Store, count: int, name: str = "load") -> list[Identity]:
    """New devices, by tokens as all devices."""
    identities = []
    tokens = secrets.randbits(32)
    for number in range(count):
        token, device = f"{(tokens + number) % (1 << 32):08x}", secrets.token_hex(16)
        secret, now = secrets.token_bytes(words.SECRET_SIZE), clock.now()
        invitation = Invitation(token, "", now, now + _HOUR, "load", 0, "", False)
        await store.invite(invitation, secret)
        newcomer = Newcomer(device, secret, f"{name}-{number}", "simulated", "0")
        refusal = await store.enrol(token, secret, newcomer, now)
        if refusal:
            raise RuntimeError(refusal)
        identities.append(Identity(device, secret))
    return identities


def batches(device: str, alerts: int, size: int) -> Iterator[Sending]:
    """So many alerts of a device, ``size`` to a batch."""
    first = 1
    while first <= alerts:
        after = min(first + size, alerts + 1)
        content = {
            "next": after,
            "alerts": [[number, _alert(device, number)] for number in range(first, after)],
        }
        yield Sending(first, after, zlib.compress(msgpack.packb(content), 6))
        first = after


async def run(
    urls: Sequence[str],
    work: Sequence[tuple[Identity, Sequence[Sending]]],
    context: ssl.SSLContext | None,
    outcome: Outcome,
) -> None:
    """Every device sends what it has, to the collector's URLs by turns."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, (identity, sendings) in enumerate(work):
            turned = [*urls[number % len(urls) :], *urls[: number % len(urls)]]
            device = _Device(identity, turned, context, outcome)
            tasks.create_task(device.send(sendings))
    outcome.seconds = time.perf_counter() - began


class _Device:
    def __init__(
        self,
        identity: Identity,
        urls: Sequence[str],
        context: ssl.SSLContext | None,
        outcome: Outcome,
    ) -> None:
        self._identity = identity
        self._urls = list(urls)
        self._context = context
        self._outcome = outcome
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, sendings: Sequence[Sending]) -> None:
        """All of them, until each is acknowledged."""
        try:
            await self._send(sendings)
        finally:
            await self._disconnect()

    async def _send(self, sendings: Sequence[Sending]) -> None:
        at = 0
        while at < len(sendings):
            began = time.perf_counter()
            status, after = await self._until_answered(sendings[at])
            if status == 200:
                self._outcome.times.append(time.perf_counter() - began)
                self._outcome.alerts += sendings[at].next - sendings[at].first
                at += 1
            elif status == 409:  # what it wants is in a batch before
                while at and sendings[at].first > after:
                    at -= 1
                    self._outcome.alerts -= sendings[at].next - sendings[at].first
            else:
                raise RuntimeError(f"the collector refuses a batch: {status}")

    async def _until_answered(self, sending: Sending) -> tuple[int, int]:
        while True:
            try:
                async with asyncio.timeout(_ANSWER):
                    status, after = await self._request(sending)
                if status not in (429, 503):
                    return status, after
            except (OSError, EOFError, TimeoutError):
                await self._disconnect()
                self._urls.append(self._urls.pop(0))
            self._outcome.again += 1
            await asyncio.sleep(_PAUSE)

    async def _request(self, sending: Sending) -> tuple[int, int]:
        """Status, and ``next`` of the answer."""
        reader, writer = await self._connected()
        identity = self._identity
        signature = words.signature(
            identity.secret, identity.id, EPOCH, sending.first, sending.body
        )
        writer.write(
            (
                f"POST {words.BATCH_PATH} HTTP/1.1\r\nHost: collector\r\n"
                f"Content-Type: {words.MEDIA_TYPE}\r\nContent-Length: {len(sending.body)}\r\n"
                f"{words.DEVICE_HEADER}: {identity.id}\r\n{words.EPOCH_HEADER}: {EPOCH}\r\n"
                f"{words.FIRST_HEADER}: {sending.first}\r\n"
                f"{words.SIGNATURE_HEADER}: {signature}\r\n\r\n"
            ).encode()
            + sending.body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        body = await reader.readexactly(length)
        status = int(head.split(" ", 2)[1])
        return status, msgpack.unpackb(body)["next"] if status in (200, 409) else 0

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            url = urlsplit(self._urls[0])
            context = self._context if url.scheme == "https" else None
            self._streams = await asyncio.open_connection(url.hostname, url.port, ssl=context)
        return self._streams

    async def _disconnect(self) -> None:
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _alert(device: str, number: int) -> dict[str, Any]:
    """An alert with one evidence, of the size that a port scan's has."""
    attacker = f"203.0.113.{number % 250 + 1}"
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    name = f"{device}-{number}"
    source = [{"IP": attacker, "MAC": "02:00:00:00:00:01"}]
    described = (
        f"{attacker} tried 1,000 ports of 192.0.2.5 within 60 seconds, of which 3 answered: "
        "a vertical port scan, with 1,024 connections opened and none that carried data"
    )
    event = {
        "Version": "2.D.V05",
        "ID": f"e-{name}",
        "CreateTime": when,
        "StartTime": when,
        "Category": ["Recon.Scanning"],
        "Priority": "High",
        "Confidence": 0.9,
        "Description": described,
        "Analyzer": {"Name": "hdr-lite", "Model": "hdr-lite 0.1.0", "Category": ["NIDS"]},
        "Source": source,
        "Target": [{"IP": "192.0.2.5", "Port": [22]}],
        "hdr_lite": {
            "type": "VERTICAL_PORT_SCAN",
            "family": "scan",
            "threat_level": "high",
            "module": "network_discovery",
            "count": 1,
        },
    }
    alert = {
        "Version": "2.D.V05",
        "ID": f"a-{name}",
        "CreateTime": when,
        "Category": ["Recon.Scanning"],
        "Priority": "High",
        "Confidence": 0.9,
        "Description": described,
        "Analyzer": {"Name": "hdr-lite", "Model": "hdr-lite 0.1.0", "Category": ["NIDS"]},
        "Source": source,
        "CorrelID": [event["ID"]],
        "hdr_lite": {
            "type": ["VERTICAL_PORT_SCAN"],
            "family": ["scan"],
            "threat_level": "high",
            "profile": attacker,
            "score": 15.2,
            "verb": "limit",
            "count": 1,
        },
    }
    return {"alert": alert, "evidence": [event]}
