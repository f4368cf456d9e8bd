"""What the REST API takes and gives beyond the types of ``store.py``."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from hdr_lite.collector.accounts import LONGEST_PASSWORD, NAME, SHORTEST_PASSWORD
from hdr_lite.collector.reading import Event, Malformed, Report, read_report
from hdr_lite.collector.store import Alert, Attacker, AttackerAt, Payload, Role

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
UserName = Annotated[str, msgspec.Meta(pattern=NAME)]
Password = Annotated[str, msgspec.Meta(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A finding behind an alert."""

    id: str
    time: str  #: RFC 3339, by the device's clock
    type: str
    family: str
    level: str
    confidence: float
    description: str
    attacker: str
    victim: str
    port: int
    protocol: str
    module: str
    count: int  #: findings folded into it
    blocking: bool
    proof: bool


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert with the evidence behind it, as far as it was sent."""

    alert: Alert
    evidence: list[EvidenceView]
    missing: int  #: pieces of evidence that it names and that are not kept


@dataclass(frozen=True, slots=True)
class AttackerView:
    """An attacker, and which devices met it."""

    attacker: Attacker
    devices: list[AttackerAt]


class Login(msgspec.Struct):
    """A person's name and password."""

    user: Annotated[str, msgspec.Meta(max_length=64)]
    password: Annotated[str, msgspec.Meta(max_length=1000)]


class PasswordChange(msgspec.Struct):
    """One's own password."""

    old: Annotated[str, msgspec.Meta(max_length=1000)]
    new: Password


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks. ``csrf`` goes into the header X-CSRF-Token of what changes something."""

    name: str
    role: Role
    csrf: str


class Rename(msgspec.Struct):
    """A device's new name."""

    name: Text


class NewToken(msgspec.Struct):
    """An invitation to one device."""

    note: Annotated[str, msgspec.Meta(max_length=100)] = ""
    hours: Annotated[float, msgspec.Meta(gt=0, le=168)] | None = None


@dataclass(frozen=True, slots=True)
class MadeToken:
    """It is told this once."""

    id: str
    token: str
    expires: int


class NewUser(msgspec.Struct):
    """A person; without a password one is made and told once."""

    name: UserName
    role: Role
    password: Password | None = None


@dataclass(frozen=True, slots=True)
class UserView:
    """A person, without the password."""

    name: str
    role: Role
    created: int


@dataclass(frozen=True, slots=True)
class MadeUser:
    """The password is told this once, where it was made here."""

    name: str
    role: Role
    password: str


class NewKey(msgspec.Struct):
    """A key for a machine; ``days`` 0: it does not expire."""

    name: Text
    role: Role
    days: Annotated[float, msgspec.Meta(ge=0, le=3650)] = 0


@dataclass(frozen=True, slots=True)
class MadeKey:
    """It is told this once."""

    id: str
    key: str
    expires: int


def alert_view(payload: Payload) -> AlertView:
    """An alert with its evidence in the order in which the alert names it."""
    report = _report(payload.own)
    wanted = dict.fromkeys(report.alert.CorrelID if report else [])
    found: dict[str, Event] = {event.ID: event for event in (report.evidence if report else [])}
    for body in payload.earlier:
        if wanted.keys() <= found.keys():
            break
        earlier = _report(body)
        for event in earlier.evidence if earlier else []:
            if event.ID in wanted:
                found.setdefault(event.ID, event)
    order = [*(key for key in wanted if key in found), *(key for key in found if key not in wanted)]
    views = [evidence_view(found[key]) for key in order]
    return AlertView(payload.alert, views, len(wanted.keys() - found.keys()))


def evidence_view(event: Event) -> EvidenceView:
    """IDMEF's nesting made flat."""
    source = event.Source[0] if event.Source else None
    target = event.Target[0] if event.Target else None
    facts = event.hdr_lite
    return EvidenceView(
        id=event.ID,
        time=event.CreateTime.isoformat(),
        type=facts.type,
        family=facts.family,
        level=facts.threat_level,
        confidence=event.Confidence,
        description=event.Description,
        attacker=(source.IP if source else "") or "",
        victim=((target.IP or target.Hostname) if target else "") or "",
        port=target.Port[0] if target and target.Port else 0,
        protocol=source.Protocol[0] if source and source.Protocol else "",
        module=facts.module,
        count=facts.count,
        blocking=facts.blocking,
        proof=facts.proof,
    )


def _report(body: bytes) -> Report | None:
    """None where a storage has what is no report: a storage may have been filled by other hands."""
    try:
        return read_report(body)
    except Malformed:
        return None
