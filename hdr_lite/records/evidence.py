"""Threat levels, evidence types with their families, and evidence itself.

Evidence is what a module has found about one profile in one window. Scores are
integer thousandths: level x confidence, so that sums are exact everywhere.
"""

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class ThreatLevel(IntEnum):
    """Slips' threat levels, in thousandths."""

    INFO = 0
    LOW = 200
    MEDIUM = 500
    HIGH = 800
    CRITICAL = 1000


#: Every family that an evidence type may belong to.
FAMILIES = frozenset(
    {
        "scan",
        "bruteforce",
        "flood",
        "spoof",
        "tunnel",
        "exfiltration",
        "c2",
        "dga",
        "exploit",
        "malware",
        "lateral",
        "policy",
        "anomaly",
        "intel",
    }
)

#: Evidence type -> family. Types of Slips keep Slips' names.
FAMILY_OF = MappingProxyType(
    {
        "HORIZONTAL_PORT_SCAN": "scan",
        "VERTICAL_PORT_SCAN": "scan",
        "ICMP_ADDRESS_SCAN": "scan",
        "ICMP_TIMESTAMP_SCAN": "scan",
        "ICMP_ADDRESS_MASK_SCAN": "scan",
        "IP_PROTOCOL_SCAN": "scan",
        "OS_FINGERPRINTING": "scan",
        "SERVICE_SCAN": "scan",
        "PASSWORD_GUESSING": "bruteforce",
        "SSH_SUCCESSFUL": "policy",
        "ARP_SCAN": "scan",
        "ARP_OUTSIDE_LOCALNET": "anomaly",
        "UNSOLICITED_ARP": "anomaly",
        "MITM_ARP_ATTACK": "spoof",
        "ConnectionToLocalDevice": "policy",
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a module reports; the engine adds time, window and identity."""

    type: str
    family: str
    threat_level: ThreatLevel
    confidence: int  #: thousandths, 0 to 1000
    description: str
    attacker: str  #: address; its profile is accused
    direction: str = "srcip"  #: Slips' attacker_direction: srcip or dstip
    attacker_mac: str = ""
    victim: str = ""  #: address or domain, "" for none
    port: int = 0
    proto: str = ""
    uids: tuple[str, ...] = ()
    ts: int = 0  #: traffic time of what was found; 0: the time of the report
    category: str = ""  #: IDEA category, when the author gives one
    blocking: bool = False  #: marked by its detector; needs high and confidence 800
    proof: bool = False  #: rests on a handshake that the accused completed (DESIGN.md)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A finding at its place: the first of its kind in its profile and window, and a count."""

    id: str  #: uuid5 of content
    ts: int
    profile: str
    window: int  #: from 1
    module: str
    finding: Finding
    count: int = 1  #: findings folded into this one
    accumulated: int = 0  #: thousandths of the profile's window after it was added

    @property
    def score(self) -> int:
        """Level times confidence of one finding, in thousandths."""
        return self.finding.threat_level * self.finding.confidence // 1000
