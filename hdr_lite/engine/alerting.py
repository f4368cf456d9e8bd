"""When evidence becomes an alert, what the alert says and what it permits.

Two ways lead to one. The weights of a profile's window pass the threshold; or one evidence
is blocking evidence (``scoring.may_block``) and raises its alert at once, unless one of its
type has done so in that window and permitted as much: a scan of a hundred hosts is one
alert. Either way takes all evidence of the window that no alert has taken yet, and the
weight starts anew from 0.
"""

import uuid

from hdr_lite.engine.scoring import Account, Entry, may_block
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence, ThreatLevel

#: Namespace of all our ids: uuid5 of the text below in the DNS namespace.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "hdr-lite.invalid")
#: Evidence that the reason of an alert quotes.
MOST_QUOTED = 10


def judge(
    account: Account, entry: Entry, threshold: int, profile: str, bounds: tuple[int, int], ts: int
) -> Alert | None:
    """The alert that ``entry``, added or repeated just now, raises, if it does.

    ``threshold`` in thousandths, ``bounds`` those of the account's window, ``ts`` now.
    """
    at_once = may_block(entry.evidence.finding) and _permits_more(account, entry.evidence)
    if entry.alerted or not (at_once or account.score >= threshold):
        return None
    if at_once:
        account.blocked[entry.evidence.finding.type] = verb((entry.evidence,))
    open_entries = [e for e in account.entries() if not e.alerted and _counts(e)]
    if not open_entries:  # the score is of evidence that an engine before this one told
        return None
    evidence = tuple(e.final() for e in open_entries)
    score, account.score = account.score, 0
    account.alerts += 1
    for e in open_entries:
        e.alerted = True
    place = [profile, str(account.window), str(bounds[0]), str(account.alerts)]
    identity = "\n".join(["alert", *place, *(e.id for e in evidence)])
    return Alert(
        id=str(uuid.uuid5(NAMESPACE, identity)),
        ts=ts,
        profile=profile,
        window=account.window,
        window_start=bounds[0],
        window_end=bounds[1],
        score=score,
        confidence=max(e.finding.confidence for e in evidence),
        reason=_reason(evidence, score, threshold, account.window),
        verb=verb(evidence),
        evidence=evidence,
    )


def _permits_more(account: Account, evidence: Evidence) -> bool:
    before = account.blocked.get(evidence.finding.type)
    return before is None or (before == "limit" and verb((evidence,)) == "block")


def _counts(entry: Entry) -> bool:
    """Whether an alert takes it: it accuses the source, or it may block by itself."""
    finding = entry.evidence.finding
    return finding.direction == "srcip" or may_block(finding)


def verb(evidence: tuple[Evidence, ...]) -> str:
    """What an alert permits the enforcer.

    ``block`` needs evidence of high level with proof that the accused is no forged address;
    ``limit`` evidence of at least medium level; what adds up from less is only told.
    """
    findings = [e.finding for e in evidence]
    if any(f.proof and f.threat_level >= ThreatLevel.HIGH for f in findings):
        return "block"
    if any(f.threat_level >= ThreatLevel.MEDIUM for f in findings):
        return "limit"
    return ""


def thousandths(value: int) -> str:
    """``15.2`` from 15200: thousandths as a person reads them."""
    whole, part = divmod(value, 1000)
    return f"{whole}.{part:03d}".rstrip("0").rstrip(".")


def _reason(evidence: tuple[Evidence, ...], score: int, threshold: int, window: int) -> str:
    blocking = [e for e in evidence if may_block(e.finding)]
    if blocking:
        why = f"{blocking[0].finding.type} is blocking evidence"
    else:
        why = f"the evidence of window {window} adds up to {thousandths(score)} points"
        why += f" (threshold {thousandths(threshold)})"
    others = [e for e in evidence if e not in blocking]
    quoted = list(dict.fromkeys(_quote(e) for e in blocking + others))  # equal words once
    more = len(quoted) - MOST_QUOTED
    if more > 0:
        quoted[MOST_QUOTED:] = [f"and {more} more"]
    return f"{why}: {'; '.join(quoted)}"


def _quote(evidence: Evidence) -> str:
    times = f" ({evidence.count} times)" if evidence.count > 1 else ""
    return f"{evidence.finding.description}{times}"
