"""What single probes tell: kinds of scan, strays, looks, fingerprints, names of tools."""

from collections.abc import Mapping
from types import MappingProxyType

from hdr_lite.module import Attempts, Fate, Probes

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
