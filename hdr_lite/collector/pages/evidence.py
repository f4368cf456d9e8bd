"""An alert's evidence in words, from the messages it came in."""

from collections.abc import Iterator
from dataclasses import dataclass

from hdr_lite.collector.reading import Event, Malformed, Party, read_report
from hdr_lite.collector.store import Payload

_MOST = 200  #: evidence shown of one alert


@dataclass(frozen=True, slots=True)
class Shown:
    """One evidence."""

    time: int  #: ms, by the device's clock
    type: str
    family: str
    level: str
    confidence: int  #: per cent
    description: str
    source: str
    target: str
    module: str
    count: int
    proof: str  #: what it may do, and why


@dataclass(frozen=True, slots=True)
class Case:
    """The evidence of an alert, oldest first."""

    shown: list[Shown]
    more: int  #: evidence beyond what is shown
    missing: int  #: evidence that the alert names and no message brought


def case_of(payload: Payload) -> Case:
    """What an alert is built from."""
    wanted, events = _own(payload.own)
    for body in payload.earlier:
        if not wanted - events.keys():
            break
        _, earlier = _own(body)
        events |= {key: earlier[key] for key in (wanted & earlier.keys()) - events.keys()}
    ordered = sorted(events.values(), key=lambda event: (event.CreateTime.timestamp(), event.ID))
    return Case(
        [_shown(event) for event in ordered[:_MOST]],
        max(0, len(ordered) - _MOST),
        len(wanted - events.keys()),
    )


def _own(body: bytes) -> tuple[set[str], dict[str, Event]]:
    """Ids that an alert names, and the evidence that came with it."""
    try:
        report = read_report(body)
    except Malformed:  # kept by an older release, whose rules were others
        return set(), {}
    return set(report.alert.CorrelID), {event.ID: event for event in report.evidence}


def _shown(event: Event) -> Shown:
    facts = event.hdr_lite
    return Shown(
        int(event.CreateTime.timestamp() * 1000),
        facts.type,
        facts.family,
        facts.threat_level,
        round(100 * min(max(event.Confidence, 0.0), 1.0)),
        event.Description,
        ", ".join(_parties(event.Source)),
        ", ".join(_parties(event.Target)),
        facts.module,
        facts.count,
        _proof(facts.blocking, facts.proof),
    )


def _proof(blocking: bool, proof: bool) -> str:
    if blocking and proof:
        return (
            "enough to block by itself: the connection was completed, so the address is not forged"
        )
    if blocking:
        return "enough to limit by itself; the address may be forged, so it is not blocked for it"
    return "counts towards an alert"


def _parties(parties: list[Party]) -> Iterator[str]:
    for party in parties[:5]:
        where = party.IP or party.Hostname or ""
        ports = "/".join(str(port) for port in party.Port[:8])
        text = f"{where} port {ports}" if ports else where
        yield f"{text} ({party.MAC})" if party.MAC else text
