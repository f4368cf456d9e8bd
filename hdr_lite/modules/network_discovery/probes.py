"""What single probes tell: kinds of scan, strays, sweeps, fingerprints, names of tools."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hdr_lite.module import Attempts, Fate
from hdr_lite.modules.network_discovery.walk import ACCUSED, STEP, Walk

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
_PLAIN = FIN | SYN | RST | PSH | ACK | URG  # without ECN's two bits

#: TCP flags of a scan's probes -> nmap's word for it.
_KINDS: Mapping[int, str] = MappingProxyType(
    {
        SYN: "SYN",
        0: "NULL",
        FIN: "FIN",
        FIN | PSH | URG: "Xmas",
        FIN | ACK: "Maimon",
        ACK: "ACK",
    }
)


def kind_of(proto: str, flags: int) -> str:
    """The kind of scan in words, such as ``TCP SYN`` or ``UDP``."""
    if proto != "tcp":
        return {"udp": "UDP", "132": "SCTP"}.get(proto, proto)
    return f"TCP {_KINDS.get(flags & _PLAIN, f'(flags {flags})')}"


def is_reply_or_stray(seen: Fate | Attempts) -> bool:
    """Whether the first packet is no probe but answers or continues something unseen.

    Backscatter of forged attacks (SYN-ACK, RST), a segment in the middle of a connection,
    an answer from a service to a client that had gone, FTP's data connection.
    """
    sport = seen.sport if isinstance(seen, Fate) else 0
    if seen.proto == "udp":
        return 0 < sport < 1024 <= seen.dport
    if seen.proto != "tcp":
        return False
    flags = seen.flags & _PLAIN
    if flags & RST or flags & (SYN | ACK) == SYN | ACK:
        return True
    if flags & ACK and isinstance(seen, Fate):
        return sport < seen.dport  # probes come from a high port
    return sport == 20 and seen.dport >= 1024


def source_of(address: str, mac: str) -> str:
    """Who is behind an address: an IPv6 host may change the lower half of its address at will,
    so the /64 and the hardware address stand for it (hosts of one LAN share a /64)."""
    if ":" not in address:
        return address
    head, _, tail = address.partition("::")
    groups = head.split(":") if head else []
    if not tail and "::" not in address:
        prefix = groups[:4]
    else:
        missing = 8 - len(groups) - (len(tail.split(":")) if tail else 0)
        prefix = (groups + ["0"] * missing + tail.split(":"))[:4]
    return f"{':'.join(prefix)}/64 {mac}"


class SweepKind(NamedTuple):
    """A kind of ICMP request that is sent to many hosts."""

    type: str
    word: str
    least: int  #: hosts from which it is a sweep


#: ICMP type (128 is ICMPv6's echo) -> sweep. Nobody sends the rare ones to many hosts.
SWEEPS: Mapping[int, SweepKind] = MappingProxyType(
    {
        8: SweepKind("ICMP_ADDRESS_SCAN", "echo", 10),
        128: SweepKind("ICMP_ADDRESS_SCAN", "echo", 10),
        13: SweepKind("ICMP_TIMESTAMP_SCAN", "timestamp", 3),
        15: SweepKind("ICMP_TIMESTAMP_SCAN", "information", 3),
        17: SweepKind("ICMP_ADDRESS_MASK_SCAN", "address mask", 3),
    }
)

#: Hosts that answer must all have been asked within this to count, ns.
SWEEP_WINDOW = 60_000_000_000


class Sweep:
    """Hosts that one source sends one kind of ICMP request to.

    Told as a sweep once enough hosts were asked in a minute, or once so many of them stayed
    silent that the walk decides, however slowly.
    """

    __slots__ = ("_reported", "_walk", "_wide")

    def __init__(self) -> None:
        self._walk = Walk()
        self._wide = 0  #: hosts, the most in one minute or sum
        self._reported = 0

    def contact(self, now: int, host: str, answered: bool) -> bool:
        """Whether it is the first request to the host (since the minute began)."""
        if now - self._walk.begun > SWEEP_WINDOW and self._walk.score <= 0:
            self._walk = Walk()
        new = self._walk.contact(now, host, -STEP // 4 if answered else STEP)
        if new and now - self._walk.begun <= SWEEP_WINDOW:
            self._wide = max(self._wide, len(self._walk.contacts))
        return new

    def total(self, hosts: int) -> None:
        """So many hosts in one sum did not answer."""
        self._walk.total(0, hosts, 0, STEP)
        self._wide = max(self._wide, hosts)

    @property
    def silent(self) -> int:
        """Hosts that did not answer."""
        return self._walk.failures

    def news(self, least: int) -> int:
        """Hosts asked, if that is to be told now: a sweep, and twice as wide as last time."""
        decided = self._walk.score >= ACCUSED and self.silent >= least // 2
        hosts = max(self._wide, self.silent if decided else 0)
        if (hosts < least and not decided) or hosts < 2 * self._reported:
            return 0
        self._reported = hosts
        return hosts

    @property
    def confidence(self) -> int:
        """Thousandths: Slips' (hosts - 255) / 250 + 1, or by silent hosts: 20 are 800."""
        slips = (self._reported - 5) * 4
        return max(0, min(1000, max(slips, min(800, self.silent * 40))))


class Fingerprint:
    """Probes to one host that no ordinary program sends: their answers tell systems apart."""

    __slots__ = ("_seen",)

    _ICMP: Mapping[int, str] = MappingProxyType(
        {13: "ICMP timestamp", 15: "ICMP information", 17: "ICMP address mask"}
    )

    def __init__(self) -> None:
        self._seen: tuple[str, ...] = ()

    @staticmethod
    def is_odd(flags: int) -> bool:
        """Flags that no TCP sends first: none of SYN, ACK and RST, or SYN with FIN."""
        plain = flags & _PLAIN
        return not plain & (SYN | ACK | RST) or plain & (SYN | FIN) == SYN | FIN

    def icmp(self, icmp_type: int, code: int) -> bool:
        """Note a request; whether there is now more to tell."""
        word = self._ICMP.get(icmp_type, "")
        if icmp_type == 8 and code != 0:
            word = "ICMP echo with a code"
        return self._note(word)

    def tcp(self, flags: int) -> bool:
        """Note odd flags; whether there is now more to tell."""
        return self._note(f"TCP {_KINDS.get(flags & _PLAIN, 'SYN with FIN')}")

    def _note(self, word: str) -> bool:
        if not word or word in self._seen:
            return False
        self._seen += (word,)
        return len(self._seen) > 1

    @property
    def confidence(self) -> int:
        """Thousandths: 600 for two kinds of probe, 150 for each further one."""
        return min(1000, 300 + 150 * len(self._seen))

    @property
    def words(self) -> str:
        """The kinds of probe."""
        return ", ".join(self._seen)


#: What scanners call themselves in HTTP's User-Agent, in lower case.
_TOOLS = (
    "nmap scripting engine",
    "masscan",
    "zgrab",
    "nikto",
    "sqlmap",
    "gobuster",
    "wpscan",
    "nuclei",
    "dirbuster",
    "openvas",
    "nessus",
    "wfuzz",
)


def scanner_named_by(user_agent: str) -> str:
    """The scanner that a User-Agent names, "" for none."""
    text = user_agent.lower()
    return next((tool for tool in _TOOLS if tool in text), "")
