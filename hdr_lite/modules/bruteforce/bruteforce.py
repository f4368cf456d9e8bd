"""Guessing of ssh passwords, by failures, sizes and rhythm.

An ssh connection says nothing in the clear about what happened behind its key exchange; the
meter's guess (``Ssh.success``, ``attempts``) comes from sizes. A guess that is open counts as
a failure only when it repeats the shape of the ones before: a machine, not a person. That is
told when a connection ends. Who guesses fast is told at once, by the refusals themselves, which
are counted apart. What counts, when and how much is in README.md; the confidence is Slips'.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hdr_lite.module import BoundedTable, Module, Option, Ssh, SshLogin, ThreatLevel

_SECOND = 1_000_000_000
#: Counts are forgotten after so long without a failure, ns: a window of the default length.
MEMORY = 3600 * _SECOND
#: Failures from which Slips is certain; from here on guessing is worth blocking.
CERTAIN = 30
#: Slower than a failure in so many ns on average, a forgotten password in a script explains it.
PACE = 30 * _SECOND
#: Sources that must fail at one server before each of them is told for a few failures only.
CROWD, CROWD_FAILURES = 5, 30
#: Failed connections that a person cannot open in so many ns.
BURST, BURST_TIME = 4, 10 * _SECOND
#: Open guesses of the same shape in a row from which they are a machine's failures.
ALIKE = 3
#: Failed connections by a library, at that pace, that no person opens by hand.
LIBRARY, LIBRARY_TIME = 3, 60 * _SECOND
#: Bytes, both ways, that a connection without a login stays below: key exchange and refusals.
LOGIN_BYTES = 8000

#: Passwords refused in so many ns, each asked sooner than a hand types, that are worth blocking.
SWIFT, SWIFT_TIME, TYPED = 7, 21 * _SECOND, 800_000_000
#: Slips' bonus and all: blocking evidence needs as much.
SWIFT_CONFIDENCE = 0.9

_AUTOMATION = (
    "libssh", "paramiko", "hydra", "medusa", "ncrack", "net::ssh", "net-ssh", "asyncssh", "jsch",
    "sshj",
)  # fmt: skip
_CLIENTS: Mapping[str, float] = MappingProxyType(
    {token: 0.07 for token in _AUTOMATION}
    | {token: 0.02 for token in ("openssh", "putty", "dropbear", "winscp")}
)


class Guesses:
    """Failures of one source at one server, or over all its servers."""

    __slots__ = (
        "alike",
        "burst",
        "burst_at",
        "connections",
        "failures",
        "handshake",
        "last",
        "logged_in_at",
        "mac",
        "reported",
        "shape",
        "since",
    )

    def __init__(self) -> None:
        self.failures = 0
        self.connections = 0  #: those with failures
        self.since = 0  #: time of the first failure counted
        self.last = 0
        self.reported = -1  #: last bucket told
        self.handshake = True  #: the source completed one in each of its connections
        self.mac: str | None = None  #: that all of them carry, "" when they differ
        self.burst = 0  #: failed connections that began within BURST_TIME
        self.burst_at = 0  #: when the first of them began
        self.shape = (0, 0)  #: bytes each way of the last open guess
        self.alike = 0  #: open guesses of that shape in a row
        self.logged_in_at = -MEMORY  #: when a login was told

    def forget_if_old(self, now: int) -> None:
        """Begin anew when the last failure is long ago."""
        if self.failures and now - self.last > MEMORY:
            self.clear()
            self.handshake, self.mac = True, None

    def clear(self) -> None:
        """Forget what failed."""
        self.failures = self.connections = 0
        self.reported = -1

    def fail(self, now: int, ssh: Ssh, failures: int) -> None:
        """Count failures of one connection."""
        if not self.failures:
            self.since = now
        if self.burst and abs(ssh.ts - self.burst_at) <= BURST_TIME:
            self.burst += 1
        else:
            self.burst, self.burst_at = 1, ssh.ts
        self.failures += failures
        self.connections += 1
        self.last = now
        self.handshake = self.handshake and ssh.handshake
        self.mac = ssh.smac if self.mac in (None, ssh.smac) else ""

    @property
    def fast(self) -> bool:
        """Certain, and at a pace that no forgotten password keeps."""
        return self.failures >= CERTAIN and self.last - self.since <= self.failures * PACE

    def is_automatic(self, client: str) -> bool:
        """Whether a library has failed in a few connections, one soon after the other."""
        if self.connections < LIBRARY or self.last - self.since > self.connections * LIBRARY_TIME:
            return False
        return any(token in client.lower() for token in _AUTOMATION)

    def is_news(self, threshold: int, client: str = "") -> bool:
        """Whether a report is due: at the threshold or a burst or a library's third failure, when
        the excess has doubled (Slips' floor(log2(n - threshold + 1)) grows), and once when it
        becomes fast."""
        few = self.failures < threshold
        if few and self.burst < BURST and not self.is_automatic(client):
            return False
        bucket = max(1, self.failures - threshold + 1).bit_length() - 1
        if self.fast:
            bucket += 100
        if bucket <= self.reported:
            return False
        self.reported = bucket
        return True


class Refusals:
    """The last passwords that a source's programs had refused at one server."""

    __slots__ = ("last", "let_in", "mac", "moved", "proof", "recent", "told", "unproven")

    def __init__(self) -> None:
        self.recent: tuple[int, ...] = ()  #: when, SWIFT at most
        self.last = 0
        self.told = 0  #: refusals of the reports so far
        self.proof = False  #: the last report's
        self.unproven = -1  #: when one came without a handshake
        self.mac = ""  #: that the last one carried
        self.moved = -1  #: when one carried another than the one before
        self.let_in = -MEMORY  #: when it logged in last

    def log_in(self, now: int) -> None:
        """Whoever knows a password is judged by the slow count for an hour."""
        self.recent = ()
        self.let_in = now

    def refuse(self, login: SshLogin) -> bool:
        """Count one; whether they are too many, in which case counting begins anew."""
        if login.pause >= TYPED or login.ts - self.let_in < MEMORY:
            return False
        if login.ts - self.last > MEMORY:
            self.told = 0
        self.last = login.ts
        if not login.handshake:
            self.unproven = login.ts
        if self.recent and login.smac != self.mac:
            self.moved = login.ts
        self.mac = login.smac
        self.recent = (*self.recent, login.ts)[-SWIFT:]
        if len(self.recent) < SWIFT or login.ts - self.recent[0] > SWIFT_TIME:
            return False
        self.told += SWIFT
        self.proof = self.unproven < self.recent[0]
        self.mac = self.mac if self.moved < self.recent[0] else ""
        self.recent = ()
        return True


class Crowd:
    """All that fail at one server."""

    __slots__ = ("failures", "last", "sources")

    def __init__(self) -> None:
        self.failures = 0
        self.last = 0
        self.sources: dict[str, None] = {}  #: the first few

    def fail(self, now: int, source: str, failures: int) -> None:
        """Count a source's failures; all is forgotten after an hour without any."""
        if now - self.last > MEMORY:
            self.failures = 0
            self.sources.clear()
        self.last = now
        self.failures += failures
        if len(self.sources) < CROWD:
            self.sources[source] = None

    @property
    def guessing(self) -> bool:
        """Whether many sources share the work."""
        return len(self.sources) >= CROWD and self.failures >= CROWD_FAILURES


class Bruteforce(Module):
    """Password guessing against ssh servers, and logins that come after it."""

    name = "bruteforce"
    description = "detects guessing of ssh passwords"
    authors = ("HDR-lite",)
    options = (Option("attempts", 9, "failures at one server that are reported first", minimum=2),)

    def init(self) -> None:
        """Counts per source and server, per source over servers, per server over sources."""
        self._guesses: BoundedTable[tuple[str, str, int], Guesses] = BoundedTable(256, Guesses)
        self._spread: BoundedTable[str, tuple[Guesses, dict[str, None]]] = BoundedTable(
            96, lambda: (Guesses(), {})
        )
        self._crowds: BoundedTable[tuple[str, int], Crowd] = BoundedTable(64, Crowd)
        self._refusals: BoundedTable[tuple[str, str, int], Refusals] = BoundedTable(128, Refusals)

    def ssh_login(self, login: SshLogin) -> None:
        """A server has spoken on a login, in a connection that goes on."""
        refusals = self._refusals.use((login.saddr, login.daddr, login.dport))
        if login.success:
            refusals.log_in(login.ts)
        elif refusals.refuse(login):
            self.set_evidence(
                "PASSWORD_GUESSING",
                attacker=login.saddr,
                attacker_mac=self._mac_of(login.saddr, refusals.mac),
                victim=login.daddr,
                threat_level=ThreatLevel.HIGH,
                confidence=SWIFT_CONFIDENCE,
                description=f"{refusals.told} ssh passwords refused in quick succession at "
                f"{login.daddr} port {login.dport}{_client_words(login.client)}",
                port=login.dport,
                proto=login.proto,
                uids=(login.uid,),
                blocking=True,
                proof=refusals.proof,
            )

    def new_ssh(self, ssh: Ssh) -> None:
        """An ssh connection ended."""
        guesses = self._guesses.use((ssh.saddr, ssh.daddr, ssh.dport))
        guesses.forget_if_old(self.now())
        if ssh.success:
            self._logged_in(ssh, guesses)
            return
        failures = _failures(ssh, guesses)
        if failures == 0:
            return
        guesses.fail(self.now(), ssh, failures)
        crowd = self._crowds.use((ssh.daddr, ssh.dport))
        crowd.fail(self.now(), ssh.saddr, failures)
        threshold = self.option("attempts")
        if guesses.is_news(threshold, ssh.client):
            self._report(ssh, guesses, f"at {ssh.daddr}", ssh.daddr)
        elif crowd.guessing and 3 <= guesses.failures < threshold and guesses.reported < 0:
            guesses.reported = 0
            self._report_crowd(ssh, guesses, crowd)
        self._take_spread(ssh, failures, guesses)

    def _take_spread(self, ssh: Ssh, failures: int, here: Guesses) -> None:
        """A source that tries a little everywhere."""
        total, servers = self._spread.use(ssh.saddr)
        total.forget_if_old(self.now())
        if not total.failures:
            servers.clear()
        total.fail(self.now(), ssh, failures)
        if len(servers) < 16:
            servers[ssh.daddr] = None
        alone = here.reported >= 0
        if len(servers) >= 3 and not alone and total.is_news(2 * self.option("attempts")):
            self._report(ssh, total, f"at {len(servers)} servers, such as {ssh.daddr}", "")

    def _mac_of(self, address: str, mac: str | None) -> str:
        """What an inside host may be quarantined by; of all others it is a router's."""
        return mac if mac and self.is_inside(address) else ""

    def _report(self, ssh: Ssh, guesses: Guesses, where: str, victim: str) -> None:
        fast = guesses.fast
        self.set_evidence(
            "PASSWORD_GUESSING",
            attacker=ssh.saddr,
            attacker_mac=self._mac_of(ssh.saddr, guesses.mac),
            victim=victim,
            threat_level=ThreatLevel.HIGH if fast else ThreatLevel.MEDIUM,
            confidence=_confidence(guesses.failures, self.option("attempts"), ssh.client),
            description=f"{guesses.failures} failed ssh logins {where} port {ssh.dport}"
            + _client_words(ssh.client),
            port=ssh.dport,
            proto=ssh.proto,
            uids=(ssh.uid,),
            blocking=fast,
            proof=fast and guesses.handshake,
        )

    def _report_crowd(self, ssh: Ssh, guesses: Guesses, crowd: Crowd) -> None:
        self.set_evidence(
            "PASSWORD_GUESSING",
            attacker=ssh.saddr,
            victim=ssh.daddr,
            threat_level=ThreatLevel.MEDIUM,
            confidence=0.5,
            description=f"{guesses.failures} failed ssh logins at {ssh.daddr} port {ssh.dport}, as "
            f"a part of {crowd.failures} by {CROWD} sources or more",
            port=ssh.dport,
            proto=ssh.proto,
            uids=(ssh.uid,),
        )

    def _logged_in(self, ssh: Ssh, guesses: Guesses) -> None:
        """Slips' information once an hour; after guessing it is the worst that can happen."""
        guesses.alike = 0
        guessed = guesses.failures >= self.option("attempts")
        if not guessed and self.now() - guesses.logged_in_at < MEMORY:
            return
        guesses.logged_in_at = self.now()
        mac = ssh.smac if guesses.mac in (None, ssh.smac) else ""
        self.set_evidence(
            "SSH_SUCCESSFUL",
            family="bruteforce" if guessed else "policy",
            attacker=ssh.saddr,
            attacker_mac=self._mac_of(ssh.saddr, mac),
            victim=ssh.daddr,
            threat_level=ThreatLevel.HIGH if guessed else ThreatLevel.INFO,
            confidence=0.8,
            description=f"ssh login at {ssh.daddr} port {ssh.dport}"
            + (f" after {guesses.failures} failures" if guessed else ""),
            port=ssh.dport,
            proto=ssh.proto,
            uids=(ssh.uid,),
            blocking=guesses.fast,
            proof=guesses.fast and guesses.handshake and ssh.handshake,
        )
        if not guesses.fast:  # whoever mistyped so often is in
            guesses.clear()


def _failures(ssh: Ssh, guesses: Guesses) -> int:
    """How many failures a connection without a known login is."""
    if ssh.success is False:
        guesses.alike = 0
        return max(1, ssh.attempts)
    if ssh.spkts and not ssh.sbytes:  # says nothing, so guesses nothing: is the server up?
        return 0
    if ssh.sbytes + ssh.dbytes > LOGIN_BYTES or ssh.duration > 60 * _SECOND:
        guesses.alike = 0
        return 0
    shape = (ssh.sbytes, ssh.dbytes)
    same = all(abs(a - b) * 10 <= max(a, b) for a, b in zip(shape, guesses.shape, strict=True))
    guesses.alike = guesses.alike + 1 if same else 1
    guesses.shape = shape
    if guesses.alike < ALIKE:
        return 0
    each = max(1, ssh.attempts)
    return each * ALIKE if guesses.alike == ALIKE else each


def _confidence(failures: int, threshold: int, client: str) -> float:
    """Slips': half at the threshold, rising to certainty, with a bonus for what is known."""
    if failures >= CERTAIN:
        return 1.0
    text = client.lower()
    bonus = 0.03 if text else 0.0
    bonus += max((gain for token, gain in _CLIENTS.items() if token in text), default=0.0)
    return min(0.99, 0.5 + 0.4 * max(0, failures - threshold) / 21 + bonus)


def _client_words(client: str) -> str:
    return f" by {client}" if client else ""
