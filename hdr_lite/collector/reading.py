"""From what a device sends to what is kept: bodies are expanded, decoded and checked here.

All of it is hostile: a device may have been taken over. Sizes are bounded before anything is
expanded, types are those of the structs below, and one alert that is malformed is counted and
left out, so that it does not keep its device from sending the next.
"""

import math
import re
import zlib
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from hdr_lite.collector.store import LEVELS, Reported
from hdr_lite.records.batch import (
    MAX_ALERTS,
    MAX_EXPANDED,
    MAX_HELD,
    MAX_NUMBER,
    MAX_PAYLOAD,
    Clock,
    Health,
    Held,
)

_CLOCK_SLACK = 60_000  #: ms that a device's clock may be wrong before its times are corrected
_OLDEST = 90 * 86_400_000  #: ms: what claims to be older happened when it was received
_MAX_HEALTH = 64 << 10
_MAX_WORDS = 16  #: types or families of an alert
_MAX_TEXTS = 32  #: lines of a kind in a health report

_WORD = re.compile(r"[\w.:-]{1,64}")
_ADDRESS = re.compile(r"[0-9A-Za-z.:/%_-]{1,64}")

Natural = Annotated[int, msgspec.Meta(ge=0, le=MAX_NUMBER)]
PortNumber = Annotated[int, msgspec.Meta(ge=0, le=65535)]
#: Patterns are checked by hand, and only where they matter: msgspec's cost a microsecond each.
Word = Annotated[str, msgspec.Meta(max_length=64)]
Line = Annotated[str, msgspec.Meta(max_length=255)]
Level = Literal["info", "low", "medium", "high", "critical"]


class Malformed(Exception):
    """A body that no device of ours sends; the text says why."""


class TooLarge(Exception):
    """A body that is larger, once expanded, than a batch may be."""


class Envelope(msgspec.Struct, gc=False):
    """A batch's body; each alert is decoded by itself."""

    next: Natural
    alerts: list[tuple[Natural, msgspec.Raw]] = []
    health: msgspec.Raw = msgspec.Raw(b"")
    clock: Clock | None = None


class Party(msgspec.Struct, gc=False):
    """A source or target; IDMEF's names."""

    IP: Line | None = None
    MAC: Line | None = None
    Hostname: Line | None = None
    Port: list[PortNumber] = []
    Protocol: list[Word] = []


class IncidentFacts(msgspec.Struct, gc=False):
    """What IDMEF has no place for, of an alert."""

    type: list[Word]
    family: list[Word]
    threat_level: Level
    profile: Word
    score: float = 0.0
    verb: Literal["", "block", "limit", "quarantine"] = ""
    count: Natural = 1


class Incident(msgspec.Struct, gc=False):
    """An alert."""

    ID: Word
    CreateTime: datetime
    Source: list[Party]
    hdr_lite: IncidentFacts
    Confidence: float = 0.0
    Description: str = ""
    CorrelID: list[Word] = []


class EventFacts(msgspec.Struct, gc=False):
    """What IDMEF has no place for, of an evidence."""

    type: Word
    family: Word
    threat_level: Level
    module: Line = ""
    count: Natural = 1
    blocking: bool = False
    proof: bool = False


class Event(msgspec.Struct, gc=False):
    """An evidence."""

    ID: Word
    CreateTime: datetime
    Source: list[Party]
    hdr_lite: EventFacts
    Target: list[Party] = []
    Confidence: float = 0.0
    Description: str = ""


class Report(msgspec.Struct, gc=False):
    """An alert and evidence of it."""

    alert: Incident
    evidence: list[Event] = []


_envelope = msgspec.msgpack.Decoder(Envelope)
_report = msgspec.msgpack.Decoder(Report)
_health = msgspec.msgpack.Decoder(Health)

#: What decoding hostile bytes raises: RecursionError for nesting, OverflowError for dates and
#: numbers that Python's types do not hold.
_HOSTILE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OverflowError, ValueError)


def expand(body: bytes) -> bytes:
    """The body of a batch, decompressed."""
    inflate = zlib.decompressobj()
    try:
        expanded = inflate.decompress(body, MAX_EXPANDED + 1)
    except zlib.error as error:
        raise Malformed("the body is not compressed by zlib") from error
    if len(expanded) > MAX_EXPANDED:
        raise TooLarge
    if not inflate.eof or inflate.unused_data:
        raise Malformed("the body is cut short or followed by something")
    return expanded


def read_envelope(expanded: bytes, first: int) -> Envelope:
    """The batch; its alerts are in order and within [first, next)."""
    try:
        envelope = _envelope.decode(expanded)
    except _HOSTILE as error:
        raise Malformed(f"the body is no batch: {error}") from error
    if envelope.next < first:
        raise Malformed("next is before first")
    if len(envelope.alerts) > MAX_ALERTS:
        raise TooLarge
    last = first - 1
    for sequence, _ in envelope.alerts:
        if not last < sequence < envelope.next:
            raise Malformed("the alerts are not in order within [first, next)")
        last = sequence
    return envelope


def read_report(payload: bytes) -> Report:
    """What an alert's payload says; Malformed if that is nothing."""
    try:
        report = _report.decode(payload)
    except _HOSTILE as error:
        raise Malformed(str(error)) from error
    alert, facts = report.alert, report.alert.hdr_lite
    if not alert.Source or not _ADDRESS.fullmatch(alert.Source[0].IP or ""):
        raise Malformed("nobody is accused")
    if not (_ADDRESS.fullmatch(facts.profile) and _WORD.fullmatch(alert.ID)):
        raise Malformed("profile or id is none")
    if not (math.isfinite(facts.score) and math.isfinite(alert.Confidence)):
        raise Malformed("a score is no number")
    for words in (facts.type, facts.family):
        if not (1 <= len(words) <= _MAX_WORDS and all(map(_WORD.fullmatch, words))):
            raise Malformed("types or families are none or too many")
    return report


def read_alert(sequence: int, payload: bytes, offset: int, received: int) -> Reported:
    """One alert; ``offset`` is how far (ms) the device's clock is ahead."""
    if len(payload) > MAX_PAYLOAD:
        raise Malformed("the alert is too large")
    report = read_report(payload)
    alert, facts, accused = report.alert, report.alert.hdr_lite, report.alert.Source[0]
    told = _milliseconds(alert.CreateTime)
    victim, port = _victim(report)
    return Reported(
        sequence=sequence,
        id=alert.ID,
        told=told,
        time=_time(told, offset, received),
        attacker=accused.IP or "",
        mac=_text(accused.MAC or "", 64),
        victim=victim,
        port=port,
        profile=facts.profile,
        types=tuple(dict.fromkeys(facts.type)),
        families=tuple(dict.fromkeys(facts.family)),
        level=LEVELS.index(facts.threat_level),
        score=facts.score,
        confidence=alert.Confidence,
        verb=facts.verb,
        count=facts.count,
        description=_text(alert.Description, 2000),
        payload=payload,
    )


def read_health(raw: bytes) -> Health | None:
    """What a device says of itself, cut to what is kept; None: nothing that can be read."""
    if not raw or len(raw) > _MAX_HEALTH:
        return None
    try:
        health = _health.decode(raw)
    except _HOSTILE:
        return None
    return Health(
        version=_text(health.version, 40),
        uptime=_bounded(health.uptime),
        memory=_bounded(health.memory),
        source=_text(health.source, 100),
        mode=_text(health.mode, 20),
        drops={_text(k, 40): _bounded(n) for k, n in list(health.drops.items())[:_MAX_TEXTS]},
        blind=[_text(line, 300) for line in health.blind[:_MAX_TEXTS]],
        trouble=[_text(line, 300) for line in health.trouble[:_MAX_TEXTS]],
        blocks=[
            Held(
                _text(held.address, 64),
                _text(held.kind, 20),
                _bounded(held.seconds),
                _text(held.reason, 300),
            )
            for held in health.blocks[:MAX_HELD]
        ],
    )


def clock_offset(clock: Clock | None, received: int) -> int:
    """How far (ms) the device's clock is ahead of ours; 0 where that is no matter or unknown."""
    if clock is None:
        return 0
    offset = _bounded(clock.now) // 1_000_000 - received
    return offset if abs(offset) > _CLOCK_SLACK else 0


def _bounded(number: int) -> int:
    """Within what storages and JavaScript hold; ns since 1970 are greater and yet in order."""
    return min(max(number, 0), (1 << 63) - 1)


def _time(told: int, offset: int, received: int) -> int:
    """When it happened, by our clock: never after it was received, never long before."""
    time = min(told - offset, received)
    return time if time > received - _OLDEST else received


def _milliseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise Malformed("a time without its zone")
    try:
        return max(0, int(moment.timestamp() * 1000))
    except (OverflowError, ValueError) as error:
        raise Malformed("a time that is none") from error


def _victim(report: Report) -> tuple[str, int]:
    """Whom the first evidence that names a target names."""
    for event in report.evidence:
        for target in event.Target:
            return _text(target.IP or target.Hostname or "", 255), target.Port[
                0
            ] if target.Port else 0
    return "", 0


def _text(text: str, most: int) -> str:
    """At most so long, without control characters."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return text[:most]
