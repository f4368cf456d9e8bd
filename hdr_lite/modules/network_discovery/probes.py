"""What single probes tell: kinds of scan, strays, sweeps, fingerprints, names of tools."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hdr_lite.module import Attempts, Fate, Probes
from hdr_lite.modules.network_discovery.walk import ACCUSED, STEP, Walk

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
#: Linux gives clients ports from here on, the others (RFC 6335) from 49152.
EPHEMERAL = 32768
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


def is_reply_or_stray(seen: Fate | Attempts | Probes) -> bool:
    """Whether the first packet is no probe but answers or continues something unseen.

    Backscatter of forged attacks (SYN-ACK, RST), a segment in the middle of a connection,
    an answer from a service to a client that had gone, FTP's data connection.
    """
    sport = 0 if isinstance(seen, Attempts) else seen.sport
    if seen.proto == "udp":  # by a server to a port such as clients get from their systems
        return 0 < sport < 1024 <= seen.dport or 0 < sport < EPHEMERAL <= seen.dport
    if seen.proto != "tcp":
        return False
    flags = seen.flags & _PLAIN
    if flags & RST or flags & (SYN | ACK) == SYN | ACK:
        return True
    if flags & ACK and sport:
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

#: So many inside that are asked one after the other, in the order of their numbers, are a sweep:
#: each at most so much further, and so much later, ns, than the one before.
IN_TURN, STRIDE, PAUSE = 5, 4, 500_000_000
#: Hosts that answer must all have been asked within this to count, ns.
SWEEP_WINDOW = 60_000_000_000


class Sweep:
    """Hosts that one source sends one kind of ICMP request to.

    Told as a sweep once enough hosts were asked in a minute, or once so many of them stayed
    silent that the walk decides, however slowly.
    """

    __slots__ = ("_in_turn", "_last", "_last_at", "_reported", "_walk", "_wide")

    def __init__(self) -> None:
        self._walk = Walk()
        self._last = ""
        self._last_at = 0
        self._in_turn = 0  #: hosts asked in the order of their numbers
        self._wide = 0  #: hosts, the most in one minute or sum
        self._reported = 0

    def contact(self, now: int, host: str, answered: bool, inside: bool = True) -> bool:
        """Whether it is the first request to the host (since the minute began)."""
        if now - self._walk.begun > SWEEP_WINDOW and self._walk.score <= 0:
            self._walk = Walk()
        new = self._walk.contact(now, host, -STEP // 4 if answered else STEP)
        if new:
            soon = inside and now - self._last_at <= PAUSE
            self._in_turn = self._in_turn + 1 if soon and _follows(self._last, host) else 1
            self._last, self._last_at = host, now
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
        decided = decided or self._in_turn >= IN_TURN
        if (hosts < least and not decided) or hosts < 2 * self._reported:
            return 0
        self._reported = hosts
        return hosts

    @property
    def confidence(self) -> int:
        """Thousandths: Slips' (hosts - 255) / 250 + 1, or by silent hosts: 20 are 800."""
        slips = (self._reported - 5) * 4
        in_turn = 200 if self._in_turn >= IN_TURN else 0
        return max(0, min(1000, max(slips, in_turn, min(800, self.silent * 40))))


def _follows(before: str, host: str) -> bool:
    """Whether an address is of the same network and a little higher than the one before."""
    sign, base = (":", 16) if ":" in host else (".", 10)
    network, _, number = host.rpartition(sign)
    was, _, last = before.rpartition(sign)
    return network == was and 0 < int(number or "0", base) - int(last or "0", base) <= STRIDE


#: Ports of one host, opened and abandoned, that are a look at what it offers; how soon they follow.
LOOKED_AT, LOOK_TIME = 2, 60_000_000_000


class Look:
    """The first ports of one host that were opened and abandoned, one soon after the other."""

    __slots__ = ("_begun", "_told", "ports")

    def __init__(self) -> None:
        self._begun = 0
        self._told = False
        self.ports: tuple[int, ...] = ()

    def port(self, now: int, port: int) -> bool:
        """Note one; whether there is more than one by now."""
        if now - self._begun > LOOK_TIME:
            self._begun, self.ports = now, ()
        if port not in self.ports and len(self.ports) < LOOKED_AT:
            self.ports += (port,)
        return len(self.ports) >= LOOKED_AT

    def is_news(self) -> bool:
        """Whether it is to be told: once."""
        news = len(self.ports) >= LOOKED_AT and not self._told
        self._told = self._told or news
        return news

    @property
    def words(self) -> str:
        """The ports."""
        return " and ".join(map(str, self.ports))


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
