"""What evidence weighs, and what a profile has gathered in a window.

All weights are integer thousandths, so that sums are exact on every machine. The weight of a
finding is level x confidence; a repeat of it weighs half of what the one before weighed, so
that however often it is told, a finding weighs less than twice.
"""

import uuid
from dataclasses import replace
from typing import NamedTuple

from hdr_lite.records.evidence import Evidence, Finding, ThreatLevel

#: Different findings that are told apart in one profile and window.
MOST_FINDINGS = 64
#: Flow uids that are kept of one evidence.
MOST_UIDS = 32
#: Ids of told evidence that are kept of one account.
MOST_TOLD = 256
_TOLD = 17  # bytes of each: the id and whether an alert took it

#: What makes two findings of a profile in a window the same. The accused is the profile. One
#: that became worse (in level, proof or permission to block) is a finding of its own.
Key = tuple[str, int, str, int, str, str, bool, bool]


def key_of(finding: Finding) -> Key:
    """Findings with the same key are told once, with a count."""
    return (
        finding.type,
        int(finding.threat_level),
        finding.victim,
        finding.port,
        finding.proto,
        finding.direction,
        finding.blocking,
        finding.proof,
    )


def points(finding: Finding, repeats: int = 0) -> int:
    """What a finding adds to its profile's window after so many of its kind.

    Evidence whose attacker is the destination is told and never weighs (Slips).
    """
    if finding.direction != "srcip":
        return 0
    return int(finding.threat_level) * finding.confidence // 1000 >> min(repeats, 64)


def may_block(finding: Finding) -> bool:
    """Blocking evidence: so marked by its detector, at least high, confidence at least 0.8."""
    return (
        finding.blocking and finding.threat_level >= ThreatLevel.HIGH and finding.confidence >= 800
    )


class Entry:
    """One evidence in its open window."""

    __slots__ = ("alerted", "count", "evidence", "uids")

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence  #: as it was told first
        self.count = 1
        self.uids = list(evidence.finding.uids)
        self.alerted = False  #: part of an alert: neither weighs nor alerts again

    def final(self) -> Evidence:
        """The evidence with the count, and the uids, that it has gathered."""
        finding = replace(self.evidence.finding, uids=tuple(self.uids))
        return replace(self.evidence, finding=finding, count=self.count)

    def fold(self, finding: Finding) -> int:
        """Take a repeat in; what it weighs."""
        weight = 0 if self.alerted else points(finding, self.count)
        self.count += 1
        if len(self.uids) < MOST_UIDS:
            self.uids.extend(uid for uid in finding.uids if uid not in self.uids)
            del self.uids[MOST_UIDS:]
        return weight


class Kept(NamedTuple):
    """What of an account outlives it (``ledger``)."""

    score: int
    alerts: int
    blocked: tuple[tuple[str, str], ...]
    told: bytes  #: of each evidence its id and a byte that is 1 when an alert took it


class Account:
    """The evidence of one profile in one window, and its accumulated weight."""

    __slots__ = (
        "_by_key",
        "_by_type",
        "_told",
        "alerts",
        "blocked",
        "ordered_at",
        "score",
        "window",
    )

    def __init__(self, window: int) -> None:
        self.window = window
        self._told: dict[str, bool] = {}  # by one before: id -> whether an alert took it
        self.score = 0  #: thousandths since the last alert
        self.alerts = 0  #: raised in this window
        self.ordered_at = 0  #: when those who act were told last
        self.blocked: dict[str, str] = {}  #: type of blocking evidence that alerted -> verb
        self._by_key: dict[Key, Entry] = {}
        self._by_type: dict[str, Entry] = {}  #: the worst of each type

    def __len__(self) -> int:
        return len(self._by_key)

    def entries(self) -> list[Entry]:
        """In the order in which they were told."""
        return list(self._by_key.values())

    def find(self, finding: Finding) -> Entry | None:
        """The entry that a finding repeats.

        A full account takes only what is worse than anything of its type so far; the rest
        counts as a repeat of that. Types are a few dozen; a module that makes them up is
        folded into the worst evidence of all.
        """
        entry = self._by_key.get(key_of(finding))
        if entry is not None or len(self._by_key) < MOST_FINDINGS:
            return entry
        worst = self._by_type.get(finding.type)
        if worst is None and len(self._by_key) >= 2 * MOST_FINDINGS:
            worst = max(self._by_key.values(), key=_level)
        if worst is not None and _level(worst) >= finding.threat_level:
            return worst
        return None

    def keep(self) -> Kept:
        """What one that comes after it must know."""
        told = self._told | {e.evidence.id: e.alerted for e in self._by_key.values()}
        last = list(told.items())[-MOST_TOLD:]
        packed = b"".join(uuid.UUID(name).bytes + bytes((alerted,)) for name, alerted in last)
        return Kept(self.score, self.alerts, tuple(self.blocked.items()), packed)

    def restore(self, kept: Kept) -> None:
        """Continue one of the same profile and window, whose evidence itself is gone."""
        self.score, self.alerts = kept.score, kept.alerts
        self.blocked = dict(kept.blocked)
        for at in range(0, len(kept.told) - _TOLD + 1, _TOLD):
            *name, alerted = kept.told[at : at + _TOLD]
            self._told[str(uuid.UUID(bytes=bytes(name)))] = alerted == 1

    def was_told(self, evidence: Evidence) -> bool:
        """Whether the account that this one continues told it."""
        return evidence.id in self._told

    def add(self, evidence: Evidence) -> Entry:
        """New evidence, whose weight is already in ``score``."""
        entry = self._by_key[key_of(evidence.finding)] = Entry(evidence)
        entry.alerted = self._told.get(evidence.id, False)
        worst = self._by_type.get(evidence.finding.type)
        if worst is None or _level(worst) < evidence.finding.threat_level:
            self._by_type[evidence.finding.type] = entry
        return entry


def _level(entry: Entry) -> int:
    return entry.evidence.finding.threat_level
