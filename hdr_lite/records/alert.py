"""An alert: enough evidence about one profile in one window, with its reasons."""

from dataclasses import dataclass

from hdr_lite.records.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Alert:
    """Raised once the score passed the threshold, or at once by blocking evidence."""

    id: str  #: uuid5 of content
    ts: int
    profile: str
    window: int
    window_start: int  #: ns
    window_end: int
    score: int  #: accumulated, thousandths
    confidence: int  #: thousandths
    reason: str  #: in words
    verb: str  #: what the enforcer may do: "block" (with proof), "limit", or "" (tell only)
    evidence: tuple[Evidence, ...]
