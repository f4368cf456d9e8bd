"""What the collector keeps, as types, and the protocol that each storage implements.

Times are milliseconds since 1970 by the collector's own clock, except ``Alert.told``. Lists come
in pages: a page's ``next`` is given back as ``before`` to get the one after it, 0 ends the list.
A page may hold fewer than asked for, even none, and yet have a next one: each storage looks at a
bounded number of rows for a page, so that no filter makes it slow.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

import msgspec

from hdr_lite.records.batch import Health, Held

T = TypeVar("T")

LEVELS = ("info", "low", "medium", "high", "critical")


class Unavailable(Exception):
    """The storage can take nothing now: a full disk, a server that is gone. Nothing was kept."""


class Role(IntEnum):
    """What an account may: each may what the ones before it may."""

    VIEWER = 1  #: see
    OPERATOR = 2  #: rename devices, make and withdraw enrolment tokens
    ADMIN = 3  #: revoke devices; users, keys, audit


# --- from devices ---------------------------------------------------------------------------------


class Reported(msgspec.Struct, frozen=True, gc=False):  # made 20,000 times a second
    """One alert of a batch, read and checked: what is filtered by, and the payload as it came."""

    sequence: int
    id: str  #: IDMEF's
    told: int  #: ms, by the device's clock
    time: int  #: ms, by ours: when it happened, as far as the device's clock lets us know
    attacker: str
    mac: str
    victim: str
    port: int
    profile: str
    types: tuple[str, ...]
    families: tuple[str, ...]
    level: int  #: index into LEVELS
    score: float
    confidence: float
    verb: str
    count: int
    description: str
    payload: bytes  #: msgpack {"alert": …, "evidence": […]}


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch whose signature was right: covers [first, next)."""

    device: str
    epoch: str
    first: int
    next: int
    alerts: tuple[Reported, ...]
    refused: int  #: alerts of it that were malformed
    health: Health | None
    clock_quality: str  #: "" when it was not told
    clock_offset: int  #: ms that the device's clock is ahead of ours
    received: int
    new_secret: bool = False  #: signed with the pending secret, which holds alone from now on


@dataclass(frozen=True, slots=True)
class Gap:
    """A batch began beyond what is kept: the device has to send from ``next``."""

    next: int


@dataclass(frozen=True, slots=True)
class Keys:
    """What a device's signature is checked with."""

    secret: bytes
    pending: bytes | None  #: of a rotation that the device has not used yet
    revoked: bool


class Sink(Protocol):
    """Where ingest puts batches: a storage, or a bus before it."""

    async def ingest(self, batch: Batch) -> int | Gap:
        """Keep it; the cursor after it. Returns only once it will survive a crash."""


# --- shown ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list."""

    items: list[T]
    next: int  #: ``before`` of the next page, 0: there is none


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as lists show it."""

    number: int  #: the collector's own: rises with arrival; number >> 12 is the ms of arrival
    device: str
    id: str
    received: int
    time: int
    told: int
    clock: str  #: quality of the device's clock
    attacker: str
    mac: str
    victim: str
    port: int
    profile: str
    types: list[str]
    families: list[str]
    level: str
    score: float
    confidence: float
    verb: str
    count: int
    description: str


@dataclass(frozen=True, slots=True)
class Payload:
    """An alert with the messages it came in, each msgpack {"alert": …, "evidence": […]}.

    The first is its own; evidence that was sent before is in ``earlier``, newest first.
    """

    alert: Alert
    own: bytes
    earlier: list[bytes]


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts: what is None or "" does not restrict."""

    since: int = 0  #: received then or later
    until: int = 0  #: received before, 0: now
    device: str = ""
    attacker: str = ""
    type: str = ""
    family: str = ""
    level: str = ""  #: exactly this one


@dataclass(frozen=True, slots=True)
class Device:
    """A device and how it last said it is."""

    id: str
    name: str
    model: str
    version: str
    enrolled: int
    last_seen: int  #: 0: never
    revoked: bool
    clock: str
    clock_offset: int
    alerts: int  #: received since it was enrolled
    dropped: int  #: numbers that its spool had to drop
    refused: int  #: alerts that were malformed
    bytes: int  #: kept of it now
    health: Health | None
    health_at: int  #: 0: never


@dataclass(frozen=True, slots=True)
class Attacker:
    """An address that alerts accuse, over all devices."""

    address: str
    first: int
    last: int
    alerts: int
    devices: int
    level: str  #: the highest


@dataclass(frozen=True, slots=True)
class AttackerAt:
    """An attacker as one device met it."""

    device: str
    first: int
    last: int
    alerts: int


@dataclass(frozen=True, slots=True)
class BlockAt:
    """Whom a device holds, as it last said."""

    device: str
    held: Held
    reported: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Alerts of a family and level in a span of time (by ``Alert.time``)."""

    start: int
    family: str
    level: str
    alerts: int


@dataclass(frozen=True, slots=True)
class DeviceCount:
    """Alerts of a device in a span."""

    device: str
    alerts: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What was attacked where and by whom, in a span."""

    since: int
    until: int
    step: int
    buckets: list[Bucket]  #: those that are not empty, in order of time
    devices: list[DeviceCount]  #: most alerts first, at most 20
    attackers: list[Attacker]  #: last seen in the span, most devices first, at most 20
    enrolled: int  #: devices that are not revoked
    seen: int  #: of them, heard of in the last two hours
    blocks: int  #: held by them now


# --- accounts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Invitation:
    """An enrolment token, without its secret."""

    id: str
    note: str  #: name that the device gets when it brings none
    created: int
    expires: int
    by: str
    used: int  #: 0: not yet
    device: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A device that enrols."""

    id: str
    secret: bytes
    name: str
    model: str
    version: str


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    name: str
    role: Role
    created: int
    password: str = field(repr=False, default="")  #: argon2 hash; never leaves the collector


@dataclass(frozen=True, slots=True)
class Session:
    """A login. Known by the digest of the cookie only."""

    user: str
    role: Role
    csrf: str
    expires: int


@dataclass(frozen=True, slots=True)
class Key:
    """A bearer key of a machine, without its secret."""

    id: str
    name: str
    role: Role
    created: int
    expires: int  #: 0: never
    by: str


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the audit log."""

    number: int
    time: int
    who: str  #: user or key
    action: str
    about: str
    address: str  #: whence


class Store(Sink, Protocol):
    """A storage. Its constructor opens nothing: ``open`` does, within the event loop."""

    async def open(self) -> None:
        """Open, and bring the schema up to date."""

    async def close(self) -> None:
        """Finish what was begun."""

    # devices

    async def keys(self, device: str) -> Keys | None:
        """None: there is no such device."""

    async def enrol(self, token: str, digest: bytes, newcomer: Newcomer, now: int) -> str:
        """Use a token (the SHA-256 of its secret must match); "" or why not."""

    async def set_pending(self, device: str, secret: bytes, *, promote: bool = False) -> None:
        """Begin a rotation; ``promote``: it was asked for with the pending secret, which with that
        was used, and holds alone until this one is."""

    async def devices(self, *, limit: int = 100, before: int = 0) -> Page[Device]:
        """Newest first."""

    async def device(self, device: str) -> Device | None:
        """One."""

    async def rename(self, device: str, name: str) -> bool:
        """False: there is no such device."""

    async def revoke(self, device: str) -> bool:
        """It can send nothing any more; what it sent stays."""

    # alerts

    async def alerts(self, which: AlertFilter, *, limit: int = 50, before: int = 0) -> Page[Alert]:
        """Newest arrival first."""

    async def alerts_after(self, number: int, *, limit: int = 200) -> list[Alert]:
        """What arrived after that one, oldest first: the live stream."""

    async def last_number(self) -> int:
        """Of the newest alert."""

    async def alert(self, number: int) -> Payload | None:
        """One, with its evidence."""

    async def attackers(
        self, *, since: int = 0, limit: int = 50, before: int = 0
    ) -> Page[Attacker]:
        """Last seen first; ``before`` is a time: seen last before it."""

    async def attacker(self, address: str) -> tuple[Attacker, list[AttackerAt]] | None:
        """One, and where; at most 1,000 devices."""

    async def blocks(
        self, *, device: str = "", address: str = "", limit: int = 100, before: int = 0
    ) -> Page[BlockAt]:
        """Whom the devices hold; elapsed ones are left out."""

    async def overview(self, since: int, until: int, step: int) -> Overview:
        """Buckets of ``step`` ms, a multiple of five minutes."""

    async def retain(self, days: int, size: int, now: int) -> int:
        """Remove alerts older than that, then the oldest of the device that holds most until no
        more than ``size`` bytes are kept; how many were removed. To be called now and then."""

    # accounts

    async def invite(self, invitation: Invitation, digest: bytes) -> None:
        """Keep a token by its digest."""

    async def invitations(self) -> list[Invitation]:
        """The newest 200."""

    async def withdraw(self, token: str) -> bool:
        """False: there is no such token that is not used."""

    async def users(self) -> list[User]:
        """By name."""

    async def user(self, name: str) -> User | None:
        """One."""

    async def put_first_user(self, user: User) -> bool:
        """Make the first of all, whoever tries at the same time; False: there is one already."""

    async def put_user(self, user: User) -> None:
        """Make or change; a change ends their sessions."""

    async def remove_user(self, name: str) -> bool:
        """And their sessions."""

    async def begin_session(self, digest: bytes, session: Session) -> None:
        """Keep a login by the digest of its cookie."""

    async def session(self, digest: bytes, now: int) -> Session | None:
        """One that has not expired, with the role that its user has now."""

    async def end_session(self, digest: bytes) -> None:
        """Log out."""

    async def add_key(self, key: Key, digest: bytes) -> None:
        """Keep a bearer key by its digest."""

    async def keys_of_machines(self) -> list[Key]:
        """All, by name."""

    async def key(self, digest: bytes, now: int) -> Key | None:
        """One that has not expired."""

    async def remove_key(self, key: str) -> bool:
        """False: there is none of that id."""

    async def note(self, event: Event) -> None:
        """Add to the audit log; its number is given here."""

    async def events(self, *, limit: int = 100, before: int = 0) -> Page[Event]:
        """Newest first."""
