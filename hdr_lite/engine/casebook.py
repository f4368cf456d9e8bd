"""Findings become evidence, evidence becomes alerts; windows open and close.

Modules report while their turns last; what they reported is taken in when the turns of the
round are over, in the order of the records that led to it. So neither the order of turns
nor the size of a round shows in what is written.
"""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from typing import Any, NamedTuple

from hdr_lite.channels import AddressMessage, WindowMessage
from hdr_lite.engine.alerting import NAMESPACE, judge
from hdr_lite.engine.ledger import Ledger
from hdr_lite.engine.output import Outputs
from hdr_lite.engine.own import own
from hdr_lite.engine.profiles import Home, Profile, Profiles
from hdr_lite.engine.scoring import MOST_UIDS, Account, Entry, may_block, points
from hdr_lite.engine.windows import Windows
from hdr_lite.records.evidence import FAMILIES, Evidence, Finding, ThreatLevel
from hdr_lite.records.verb import Enforced

#: Evidence kept of all open windows together; one is at most about 4 kB.
MOST_EVIDENCE = 2048
#: Characters of a description, a type, a victim.
MOST_TEXT = 1024
MOST_NAME = 256
#: Traffic time after which blocking evidence that is found again is told to those who act, ns:
#: well within the minute that the enforcer limits somebody for.
GOES_ON = 40_000_000_000
#: Addresses whose window is remembered, so that most traffic touches no profile.
MOST_SEEN = 16384


class Cause(NamedTuple):
    """What a finding rests on, for its place in the order."""

    record: int  #: number of the record under way
    order: int  #: the module's place
    sequence: int  #: of the module's reports
    module: str
    ts: int  #: now


class _Pending(NamedTuple):
    cause: Cause
    finding: Finding
    id: str
    ts: int
    profile: str


class Casebook:
    """Profiles, their windows and the evidence in them."""

    def __init__(
        self,
        *,
        home: Home,
        windows: Windows,
        outputs: Outputs,
        announce: Callable[[str, Any], None],
        profiles: int,
        threshold: int,
    ) -> None:
        """``announce`` publishes on a channel; ``threshold`` is in thousandths."""
        self._home = home
        self._windows = windows
        self._outputs = outputs
        self._announce = announce
        self._threshold = threshold
        self.profiles = Profiles(profiles, self._leave)
        self.ledger: Ledger | None = None  #: where a service keeps what was told
        self.watch_addresses = False  #: whether somebody reads ``new_ip``
        self.evidence: Counter[tuple[str, str]] = Counter()  #: by type and level
        self.enforced: Counter[str] = Counter()  #: answers of the enforcer, by outcome
        self.findings = 0
        self.alerts = 0
        self.windows_closed = 0
        self.seen: dict[str, int] = {}  #: address -> the window in which it was touched last
        self._pending: list[_Pending] = []
        self._accounts: OrderedDict[str, Profile] = OrderedDict()  #: that have evidence
        self._entries = 0
        self._addresses: OrderedDict[str, None] = OrderedDict()

    def set_threshold(self, threshold: int) -> None:
        """From here on an alert is raised past so many thousandths."""
        self._threshold = threshold

    # Traffic ------------------------------------------------------------------------------

    def touch(self, address: str, ts: int) -> None:
        """There was traffic from an address that is not yet ``seen`` in this window.

        Only inside ones have a profile for that alone.
        """
        if len(self.seen) >= MOST_SEEN:
            self.seen.clear()
        self.seen[address] = self._windows.current
        if self._home.is_inside(address):
            self._touch_profile(self._home.profile_of(address), ts)

    def meet(self, address: str, ts: int) -> None:
        """An address was seen: ``new_ip`` when it is the first time."""
        if address in self._addresses:
            self._addresses.move_to_end(address)
            return
        if len(self._addresses) >= MOST_SEEN:
            self._addresses.popitem(last=False)
        self._addresses[address] = None
        self._announce("new_ip", AddressMessage(ts, address))

    def close_window(self) -> None:
        """The present window ends for every profile that was in it: ``tw_closed``."""
        for profile in self.profiles.all():
            self._close(profile)

    def forget(self) -> None:
        """Tell the final counts of the present window's evidence, and forget it."""
        for profile in list(self._accounts.values()):
            self._settle_account(profile)

    # The enforcer -------------------------------------------------------------------------

    def hear(self, ts: int, answer: Enforced) -> None:
        """What became of an order: a line for hdr-lite.log, and a count."""
        self.enforced[answer.outcome] += 1
        text = f"{answer.outcome} {answer.target}"
        text += f" for {answer.seconds} s" if answer.seconds else ""
        text += f": {answer.reason}" if answer.reason else ""
        self._outputs.log(ts, "enforcer", f"{text} (evidence {answer.evidence})")

    # Findings -----------------------------------------------------------------------------

    def report(self, cause: Cause, finding: Finding) -> str:
        """A module found something; it becomes evidence in :meth:`settle`. Its id.

        ``ValueError`` when it is no proper finding.
        """
        finding = _checked(finding)
        ts = min(finding.ts or cause.ts, cause.ts)
        window = self._windows.current
        if window == 0:
            raise ValueError(f"evidence {finding.type} before there was any traffic")
        profile = self._home.profile_of(finding.attacker)
        identity = _identify(finding, profile, window, self._windows.bounds(window)[0])
        self._pending.append(_Pending(cause, finding, identity, ts, profile))
        return identity

    def settle(self) -> bool:
        """Take in what was reported; whether there was anything."""
        if not self._pending:
            return False
        pending, self._pending = self._pending, []
        pending.sort(key=itemgetter(0))
        for report in pending:
            self._take(report)
        return True

    def _take(self, report: _Pending) -> None:
        self.findings += 1
        profile = self._touch_profile(report.profile, report.ts)
        account = self._account_of(profile)
        entry = account.find(report.finding)
        score = account.score
        if entry is None:
            entry = self._add(report, profile, account)
        else:
            account.score += entry.fold(report.finding)
        bounds = self._windows.bounds(account.window)
        alert = judge(account, entry, self._threshold, profile.name, bounds, report.ts)
        if self.ledger is not None and (entry.count == 1 or account.score != score or alert):
            self.ledger.note(profile.name, account)
        if alert is not None:
            self.alerts += 1
            account.ordered_at = report.ts
            self._outputs.alert(alert)
            self._outputs.flush()  # its order waits for nothing else
            self._announce("new_alert", alert)
        elif may_block(report.finding) and report.ts - account.ordered_at >= GOES_ON:
            account.ordered_at = report.ts
            self._outputs.goes_on(replace(entry.final(), ts=report.ts))
            self._outputs.flush()

    def _add(self, report: _Pending, profile: Profile, account: Account) -> Entry:
        """Evidence that is new, or that an engine before this one told: then it is a repeat."""
        self._make_room(profile)
        evidence = Evidence(
            id=report.id,
            ts=report.ts,
            profile=report.profile,
            window=account.window,
            module=report.cause.module,
            finding=report.finding,
            accumulated=account.score + points(report.finding),
        )
        entry = account.add(evidence)
        self._entries += 1
        if account.was_told(evidence):
            account.score += entry.fold(report.finding)
        else:
            account.score = evidence.accumulated
            self._told(evidence)
        return entry

    def _told(self, evidence: Evidence) -> None:
        finding = evidence.finding
        self.evidence[finding.type, finding.threat_level.name.lower()] += 1
        self._outputs.evidence(evidence)
        self._announce("evidence_added", evidence)
        start, end = self._windows.bounds(evidence.window)
        self._announce("tw_modified", WindowMessage(evidence.profile, evidence.window, start, end))

    # Profiles and accounts ----------------------------------------------------------------

    def _touch_profile(self, name: str, ts: int) -> Profile:
        profile = self.profiles.use(name)
        window = self._windows.current
        if profile.window == 0:
            self._announce("new_profile", AddressMessage(ts, name))
        if profile.window != window:
            profile.window = window
            self._announce(
                "tw_modified", WindowMessage(name, window, *self._windows.bounds(window))
            )
        return profile

    def _account_of(self, profile: Profile) -> Account:
        if profile.account is not None:
            self._accounts.move_to_end(profile.name)
        else:
            profile.account = Account(profile.window)
            self._accounts[profile.name] = profile
            if self.ledger is not None:
                self.ledger.restore(profile.name, profile.account)
        return profile.account

    def _make_room(self, profile: Profile) -> None:
        """Where evidence fills its room, the account that was touched longest ago is settled."""
        oldest = next(iter(self._accounts.values()))
        if self._entries >= MOST_EVIDENCE and oldest is not profile:
            self._settle_account(oldest)

    def _leave(self, profile: Profile) -> None:
        self._settle_account(profile)
        self._close(profile)
        self.seen.pop(profile.name, None)

    def _close(self, profile: Profile) -> None:
        if profile.window != self._windows.current:
            return
        self.windows_closed += 1
        bounds = self._windows.bounds(profile.window)
        self._announce("tw_closed", WindowMessage(profile.name, profile.window, *bounds))

    def _settle_account(self, profile: Profile) -> None:
        """Tell final counts and forget the evidence."""
        account, profile.account = profile.account, None
        if account is None:
            return
        del self._accounts[profile.name]
        self._entries -= len(account)
        for entry in account.entries():
            if entry.count > 1:
                self._outputs.evidence_final(entry.final())


def _checked(finding: Finding) -> Finding:
    """The finding as we keep it: texts cut to their limits, and in memory of our own.

    The module's own objects stay in the module's memory and may be of any type; whatever is
    wrong with them is a ``ValueError`` or ``TypeError`` in its turn, and nowhere later.
    """
    made = Finding(
        type=own(finding.type[:MOST_NAME]),
        family=own(finding.family[:MOST_NAME]),
        threat_level=ThreatLevel(finding.threat_level),
        confidence=int(finding.confidence),
        description=own(finding.description[:MOST_TEXT]),
        attacker=own(finding.attacker[:MOST_NAME]),
        direction=own(finding.direction[:MOST_NAME]),
        attacker_mac=own(finding.attacker_mac[:MOST_NAME]),
        victim=own(finding.victim[:MOST_NAME]),
        port=int(finding.port),
        proto=own(finding.proto[:MOST_NAME]),
        uids=tuple(own(uid[:MOST_NAME]) for uid in finding.uids[:MOST_UIDS]),
        ts=int(finding.ts),
        category=own(finding.category[:MOST_NAME]),
        blocking=bool(finding.blocking),
        proof=bool(finding.proof),
    )
    for wrong, what in (
        (not made.type, "needs a type"),
        (made.family not in FAMILIES, f"there is no family '{made.family}'"),
        (not made.attacker, "accuses nobody"),
        (made.direction not in ("srcip", "dstip"), "direction is srcip or dstip"),
        (not 0 <= made.confidence <= 1000, "confidence is 0 to 1000 thousandths"),
        (not 0 <= made.port <= 65535, "port is 0 to 65535"),
    ):
        if wrong:
            raise ValueError(f"evidence {made.type}: {what}")
    return made


def _identify(finding: Finding, profile: str, window: int, start: int) -> str:
    """uuid5 (RFC 4122, 4.3) of what makes the evidence that one: ``scoring.Key``, where, when.
    Windows are counted anew in each run: where this one starts tells the runs apart.

    Spelt out, as ``uuid.uuid5`` takes four times as long and every finding needs it.
    """
    identity = "\n".join(
        (
            finding.type,
            profile,
            str(window),
            str(start),
            finding.victim,
            str(finding.port),
            finding.proto,
            finding.direction,
            str(int(finding.threat_level)),
            "b" * finding.blocking + "p" * finding.proof,
        )
    )
    digest = bytearray(
        hashlib.sha1(  # noqa: S324 - RFC 4122 asks for it; nothing rests on its strength
            NAMESPACE.bytes + identity.encode(errors="backslashreplace"), usedforsecurity=False
        ).digest()[:16]
    )
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
