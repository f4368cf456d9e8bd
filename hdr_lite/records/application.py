"""Facts about application protocols, from the first payloads of a flow.

Wire formats and conventions are those of ``flow.py``. Text from the network is
printable ASCII; other bytes appear as ``\\xNN``.
"""

from typing import NamedTuple


class Dns(NamedTuple):
    """One DNS transaction (channel ``new_dns``): question and, when it came, answer."""

    ts: int  #: time of the question (of the answer when the question was not seen)
    uid: str
    saddr: str  #: who asked
    sport: int
    daddr: str
    dport: int
    proto: str
    trans_id: int
    query: str
    qtype: str  #: "A", "AAAA", "TXT", ... or "TYPE123"
    rcode: str  #: "NOERROR", "NXDOMAIN", ...; "" when no answer came
    rtt: int  #: ns from question to answer, 0 when one of them was not seen
    answers: tuple[str, ...]  #: addresses, names and texts
    ttls: tuple[int, ...]
    authoritative: bool
    recursion_desired: bool
    recursion_available: bool
    truncated: bool


class Http(NamedTuple):
    """One HTTP/1 request and, when it came, its response (channel ``new_http``)."""

    ts: int
    uid: str
    saddr: str
    sport: int
    daddr: str
    dport: int
    proto: str
    depth: int  #: number of the request in its connection, from 1
    method: str
    host: str
    uri: str
    version: str
    user_agent: str
    referrer: str
    request_length: int  #: Content-Length, 0 when absent
    status: int  #: 0 when no response was seen
    response_length: int
    mime: str  #: Content-Type of the response without parameters


class Tls(NamedTuple):
    """One TLS handshake (channel ``new_ssl``). JA3 by Salesforce, JA4 by FoxIO."""

    ts: int
    uid: str
    saddr: str
    sport: int
    daddr: str
    dport: int
    proto: str
    version: str  #: negotiated: "TLSv10" ... "TLSv13" as in Zeek, "" when no answer came
    cipher: int  #: 0 when no answer came
    server_name: str
    alpn: str  #: chosen by the server, or else first offered
    resumed: bool
    ja3: str
    ja3s: str
    ja4: str


class Ssh(NamedTuple):
    """One SSH connection (channel ``new_ssh``), told when it ends.

    What happens behind the key exchange is guessed from sizes and directions of
    packets; ``success`` is None where the guess is open.
    """

    ts: int
    uid: str
    saddr: str
    sport: int
    daddr: str
    dport: int
    proto: str
    version: int  #: 1 or 2, 0 unknown
    client: str  #: identification strings
    server: str
    success: bool | None
    attempts: int  #: authentication attempts, as far as sizes tell
    duration: int
    sbytes: int
    dbytes: int
    spkts: int
    dpkts: int
    handshake: bool  #: as in ``Flow``
    smac: str = ""  #: of the client, "" when the link has none


class SshLogin(NamedTuple):
    """A server's word on a login (channel ``ssh_login``), told as it is said.

    Guessed as in ``Ssh``, but more strictly: what may be a question, or the refusal of a key that
    an agent offers, is not told. At most 32 of a connection, the one that lets in among them.
    """

    ts: int
    uid: str
    saddr: str
    sport: int
    daddr: str
    dport: int
    proto: str
    client: str  #: identification string
    success: bool  #: False: a password was refused
    pause: int  #: ns from the server's last word before it until the client asked
    handshake: bool  #: as in ``Flow``
    smac: str = ""  #: of the client


class Arp(NamedTuple):
    """One ARP message (channel ``new_arp``)."""

    ts: int
    operation: str  #: "request", "reply" or the number as text
    sender_mac: str
    sender_ip: str
    target_mac: str
    target_ip: str
    smac: str  #: of the frame
    dmac: str
    vlan: int
    interface: int
