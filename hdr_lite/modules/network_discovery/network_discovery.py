"""Scans of every kind nmap makes, by what becomes of a source's first contacts.

Two walks (walk.py) are kept for TCP, UDP and SCTP: *horizontal* over the hosts that a source
tries on one port, *vertical* over the ports that it tries on one host. ICMP sweeps are counted
as well, for hosts that are up answer those. See README.md for weights and their reasons.
"""

from hdr_lite.module import (
    Attempts,
    BoundedTable,
    Distinct,
    Fate,
    Http,
    Module,
    Probes,
    ThreatLevel,
)
from hdr_lite.modules.network_discovery.probes import (
    Fingerprint,
    Look,
    is_reply_or_stray,
    kind_of,
    scanner_named_by,
    source_of,
)
from hdr_lite.modules.network_discovery.proof import Completed
from hdr_lite.modules.network_discovery.sweeps import SWEEPS, Sweep, Sweeps
from hdr_lite.modules.network_discovery.walk import AGAIN, LOWEST, REPEAT, STEP, Walk
from hdr_lite.modules.network_discovery.walks import Key, Walks
from hdr_lite.modules.network_discovery.weights import (
    ABANDONED_HOST,
    CLIENT_PORTS,
    KNOWN_PEER_FAILED,
    NOBODY_ANSWERS_CLIENT,
    PEER_FAILED,
    PEER_UDP_SILENT,
    QUIC,
    UDP_SILENT,
    UNHEARD_SILENT,
    foreseen_weight,
    horizontal_weight,
    is_peer_port,
    vertical_weight,
)

#: Distinct high ports outside that answer a source, from which it is known to have peers.
_PEER_PORTS = 4
_IDENT = 113
#: Failed hosts and their different ports from which a walk over both is told.
_BLOCK_HOSTS, _BLOCK_PORTS = 6, 3
#: traceroute's ports, which are meant to be closed.
_TRACEROUTE = range(33434, 33535)
#: Fates that show that the source is answered, whatever the answer is.
_HEARD = ("answered", "refused")
_SECOND = 1_000_000_000
_Last = Fate | Attempts | Probes
_TRANSPORTS = {"tcp": "TCP", "udp": "UDP", "132": "SCTP"}


class NetworkDiscovery(Module):
    """Horizontal and vertical scans, ICMP sweeps, IP protocol scans, fingerprinting."""

    name = "network_discovery"
    description = "detects port scans, sweeps and probing for what systems are"
    authors = ("HDR-lite",)
    budget = 928 * 1024
    budget_reason = "walks of 944 pairs of source and port or host, each 0.6 kB"

    def init(self) -> None:
        """Nothing is known of anybody."""
        self._walks = Walks()
        self._sweeps = Sweeps()
        self._odd: BoundedTable[tuple[str, str], Fingerprint] = BoundedTable(64, Fingerprint)
        self._peers: BoundedTable[str, Distinct] = BoundedTable(96, Distinct)
        self._tools: BoundedTable[tuple[str, str], Distinct] = BoundedTable(32, Distinct)
        self._looks: BoundedTable[tuple[str, str], Look] = BoundedTable(64, Look)
        self._completed = Completed(self.is_inside)
        self._heard: BoundedTable[str, None] = BoundedTable(256, _nothing)
        self._outside_answered = -1  #: when a host outside last showed that it hears us

    # Single fates ------------------------------------------------------------------------

    def conn_fate(self, fate: Fate) -> None:
        """A connection was answered, refused or not answered."""
        if fate.proto in ("icmp", "icmp6"):
            self._take_icmp(fate)
        elif fate.proto not in _TRANSPORTS:
            self._take_protocol(fate)
        elif not is_reply_or_stray(fate):
            self._take_port(fate, source_of(fate.saddr, fate.smac))

    def _take_port(self, fate: Fate, source: str) -> None:
        heard = fate.fate in _HEARD
        if heard:
            self._heard.use(source)
        elif fate.fate in ("abandoned", "left"):
            self._take_given_up(fate, source)
            return
        elif fate.fate == "unseen" and (fate.proto == "udp" or source not in self._heard):
            # Replies to it are not captured at all, or it is no question: a stream of datagrams.
            # One that was answered before and now goes on with a connection that nobody
            # answered pretends, and fails like any other.
            return
        self._take_odd_flags(fate)
        across = ("h", source, str(fate.dport), fate.proto)
        along = ("v", source, fate.daddr, fate.proto)
        block = ("b", source, "", fate.proto)
        if fate.fate == "answered" and not self._matters(fate, across, along):
            self._note_success(fate, block)
            return
        inside = self.is_inside(fate.daddr)
        if heard and not inside:
            self._outside_answered = self.now()
            if fate.fate == "answered" and is_peer_port(fate.dport):
                self._peers.use(source).add(str(fate.dport))
        self._take_horizontal(fate, across, inside)
        self._take_vertical(fate, along, inside)
        self._take_block(fate, block, across, inside)

    def _take_given_up(self, fate: Fate, source: str) -> None:
        """Answered, and ended by who had asked, without a word of his."""
        if fate.handshake:
            self._completed.note(self.now(), source, fate)
        if fate.fate == "abandoned":
            self._take_abandoned(fate, source)
        if fate.handshake:
            across = ("h", source, str(fate.dport), fate.proto)
            along = ("v", source, fate.daddr, fate.proto)
            if (walk := self._proven(across)) is not None:
                self._report_horizontal(walk, across, fate)
            if (walk := self._proven(along)) is not None:
                self._report_vertical(walk, along, fate)

    def _proven(self, key: Key) -> Walk | None:
        walk = self._walks.get(key)
        return walk if walk is not None and self._completed.of_walk(self.now(), key, walk) else None

    def _note_success(self, fate: Fate, block: Key) -> None:
        """An answer that moves at most the walk over hosts and ports."""
        walk = self._walks.get(block)
        if walk is not None and walk.score > LOWEST:
            walk.contact(self.now(), fate.daddr, -STEP)

    def _matters(self, fate: Fate, across: Key, along: Key) -> bool:
        """Whether an answer moves anything: most do not, and what follows costs the most."""
        return (
            across in self._walks
            or along in self._walks
            or is_peer_port(fate.dport)
            or self.now() - self._outside_answered > _SECOND
        )

    def _take_horizontal(self, fate: Fate, key: Key, inside: bool) -> None:
        if fate.dport == _IDENT:
            return
        walk = self._walks.known(key) if fate.fate == "answered" else self._walks.use(key)
        if walk is None:
            return
        doubtful = not inside and self._nobody_answers(fate, walk)
        weight = horizontal_weight(fate, inside, doubtful)
        if weight == UDP_SILENT and not inside and key[1] not in self._heard:
            weight = UNHEARD_SILENT
        if weight == PEER_FAILED and self._has_peers(key[1]):
            weight = KNOWN_PEER_FAILED
        new = walk.contact(self.now(), fate.daddr, weight, fate.fate == "refused")
        if new and weight > 0:
            walk.doubtful += doubtful
            walk.fail_by(self.now(), fate.smac)
            self._walks.grow(key, walk)
            self._report_horizontal(walk, key, fate)

    def _has_peers(self, source: str) -> bool:
        ports = self._peers.get(source)
        return ports is not None and len(ports) >= _PEER_PORTS

    def _nobody_answers(self, fate: Fate, walk: Walk) -> bool:
        begun = walk.begun or self.now()
        return fate.fate not in _HEARD and self._outside_answered < begun

    def _take_vertical(self, fate: Fate, key: Key, inside: bool) -> None:
        if fate.proto == "udp" and fate.dport in _TRACEROUTE:
            return
        walk = self._walks.known(key) if fate.fate == "answered" else self._walks.use(key)
        if walk is None:
            return
        weight = vertical_weight(fate, inside, walk)
        new = walk.contact(self.now(), str(fate.dport), weight, fate.fate == "refused")
        if new and weight > 0:
            walk.fail_by(self.now(), fate.smac)
            self._walks.grow(key, walk)
            self._report_vertical(walk, key, fate)

    def _take_block(self, fate: Fate, key: Key, across: Key, inside: bool) -> None:
        """Hosts that are each tried on another port: one walk over all of them."""
        if fate.dport == _IDENT or (not inside and is_peer_port(fate.dport)):
            return
        told = self._walks.get(across)
        if told is not None and told.reported:
            return
        walk = self._walks.known(key) if fate.fate == "answered" else self._walks.use(key)
        if walk is None:
            return
        doubtful = not inside and self._nobody_answers(fate, walk)
        weight = horizontal_weight(fate, inside, doubtful)
        if doubtful or (fate.proto == "udp" and not inside and weight > 0):
            weight = min(weight, NOBODY_ANSWERS_CLIENT)
        if not walk.contact(self.now(), fate.daddr, weight, fate.fate == "refused") or weight <= 0:
            return
        self._walks.grow(key, walk)
        if len(walk.ports) < _BLOCK_PORTS and fate.dport not in walk.ports:
            walk.ports += (fate.dport,)
        if walk.failures >= _BLOCK_HOSTS and len(walk.ports) >= _BLOCK_PORTS:
            self._report_block(walk, fate)

    def _take_abandoned(self, fate: Fate, source: str) -> None:
        """Answered, and given up at once with nothing said on either side."""
        along: Key = ("v", source, fate.daddr, fate.proto)
        look = self._looks.use((source, fate.daddr))
        if look.port(self.now(), fate.dport) or along in self._walks:
            self._abandon_ports(fate, along, look)
        common = is_peer_port(fate.dport) or fate.dport in CLIENT_PORTS
        if common and not self.is_inside(fate.daddr):
            return
        across: Key = ("h", source, str(fate.dport), fate.proto)
        walk = self._walks.use(across)
        if walk.abandon(self.now(), fate.daddr, ABANDONED_HOST):
            walk.doubtful += 1
            walk.fail_by(self.now(), fate.smac)
            self._walks.grow(across, walk)
            self._report_horizontal(walk, across, fate)

    def _abandon_ports(self, fate: Fate, along: Key, look: Look) -> None:
        """More than one port of a host was given up, or others of it have failed."""
        walk = self._walks.use(along)
        new = [walk.abandon(self.now(), str(port), STEP) for port in (*look.ports, fate.dport)]
        if not any(new):
            return
        walk.fail_by(self.now(), fate.smac)
        self._walks.grow(along, walk)
        self._report_vertical(walk, along, fate)
        if look.is_news() and not walk.reported:
            self._report_look(look, fate)

    # Sums --------------------------------------------------------------------------------

    def attempts(self, total: Attempts) -> None:
        """Failed attempts of a source, summed: a scan that goes fast."""
        if total.role != "source" or not total.saddr:
            return
        if total.proto in ("icmp", "icmp6"):
            self._total_icmp(total)
        elif total.proto in _TRANSPORTS and not is_reply_or_stray(total):
            source = source_of(total.saddr, total.smac)
            weight = UDP_SILENT if total.proto == "udp" and not total.refused else STEP
            if total.dport and total.addresses > 1 and total.dport != _IDENT:
                self._total_horizontal(total, source, weight)
            if total.daddr and not total.dport and total.ports > 1:
                self._total_vertical(total, source, weight)

    def _total_horizontal(self, total: Attempts, source: str, weight: int) -> None:
        key = ("h", source, str(total.dport), total.proto)
        walk = self._walks.use(key)
        if source not in self._heard and not walk.failures:
            return  # the first were told singly and ignored: their answers are not captured
        outside = bool(walk.examples) and not self.is_inside(walk.examples[0])
        quic = total.proto == "udp" and total.dport == QUIC
        if quic and (outside or not walk.failures):
            return
        if outside and is_peer_port(total.dport):
            known = KNOWN_PEER_FAILED if self._has_peers(source) else PEER_FAILED
            weight = PEER_UDP_SILENT if weight == UDP_SILENT else known
        elif walk.doubtful * 2 > walk.failures:
            walk.doubtful = max(walk.doubtful, total.addresses)
            weight = NOBODY_ANSWERS_CLIENT
        walk.total(self.now(), total.addresses, total.refused, weight)
        walk.fail_by(self.now(), total.smac)
        self._walks.grow(key, walk)
        self._report_horizontal(walk, key, total)

    def _total_vertical(self, total: Attempts, source: str, weight: int) -> None:
        key = ("v", source, total.daddr, total.proto)
        walk = self._walks.use(key)
        walk.total(self.now(), total.ports, total.refused, weight)
        walk.fail_by(self.now(), total.smac)
        self._walks.grow(key, walk)
        self._report_vertical(walk, key, total)

    # Before fates are known --------------------------------------------------------------

    def probes(self, probes: Probes) -> None:
        """Many ports of a host, or hosts inside of a port, that nothing has answered yet."""
        if probes.proto not in _TRANSPORTS or is_reply_or_stray(probes):
            return
        source = source_of(probes.saddr, probes.smac)
        inside = self.is_inside(probes.daddr)
        weight = foreseen_weight(probes, inside)
        if probes.hosts == 1:
            if probes.proto == "udp" and probes.dport in _TRACEROUTE:
                return
            key = ("v", source, probes.daddr, probes.proto)
            silent = probes.ports - probes.answered
            if (walk := self._foresee(key, silent, weight, probes)) is not None:
                self._report_vertical(walk, key, probes)
        elif inside and probes.dport != _IDENT:
            key = ("h", source, str(probes.dport), probes.proto)
            silent = probes.hosts - probes.answered
            if (walk := self._foresee(key, silent, weight, probes)) is not None:
                self._report_horizontal(walk, key, probes)

    def _foresee(self, key: Key, failures: int, weight: int, last: Probes) -> Walk | None:
        walk = self._walks.use(key)
        example = str(last.dport) if key[0] == "v" else last.daddr
        taken = walk.foresee(self.now(), failures, weight, example)
        if taken:
            walk.fail_by(self.now(), last.smac)
        self._walks.grow(key, walk)
        return walk if taken else None

    # Reports -----------------------------------------------------------------------------

    def _report_horizontal(self, walk: Walk, key: Key, last: _Last) -> None:
        completed = self._completed.of_walk(self.now(), key, walk)
        if not walk.is_news(self.now(), AGAIN if walk.certain else REPEAT, completed > 0):
            return
        kind = kind_of(last.proto, last.flags)
        self.set_evidence(
            "HORIZONTAL_PORT_SCAN",
            attacker=last.saddr,
            attacker_mac=(walk.mac or "") if completed else last.smac,
            threat_level=ThreatLevel.HIGH,
            confidence=_confidence(walk.failures),
            description=f"{kind} scan of port {last.dport} on {walk.failures} hosts such as "
            f"{', '.join(walk.examples)}: {walk.outcomes}{_completed_words(completed)}",
            port=last.dport,
            proto=last.proto,
            uids=_uids(last),
            blocking=walk.certain,
            proof=completed > 0,
        )

    def _report_block(self, walk: Walk, last: Fate) -> None:
        if not walk.is_news(self.now(), REPEAT):
            return
        self.set_evidence(
            "HORIZONTAL_PORT_SCAN",
            attacker=last.saddr,
            attacker_mac=last.smac,
            threat_level=ThreatLevel.HIGH,
            confidence=_confidence(walk.failures),
            description=f"{kind_of(last.proto, last.flags)} scan of {walk.failures} hosts "
            f"such as {', '.join(walk.examples)}, on ports such as "
            f"{', '.join(map(str, walk.ports))}: {walk.outcomes}",
            proto=last.proto,
            uids=_uids(last),
        )

    def _report_look(self, look: Look, last: Fate) -> None:
        self.set_evidence(
            "SERVICE_SCAN",
            attacker=last.saddr,
            attacker_mac=last.smac,
            victim=last.daddr,
            threat_level=ThreatLevel.MEDIUM,
            confidence=0.3,
            description=f"opened ports {look.words} of {last.daddr} and gave each up with "
            "nothing said",
            proto=last.proto,
            uids=_uids(last),
        )

    def _report_vertical(self, walk: Walk, key: Key, last: _Last) -> None:
        completed = self._completed.of_walk(self.now(), key, walk)
        if not walk.is_news(self.now(), AGAIN if walk.certain else REPEAT, completed > 0):
            return
        kind = kind_of(last.proto, last.flags)
        self.set_evidence(
            "VERTICAL_PORT_SCAN",
            attacker=last.saddr,
            attacker_mac=(walk.mac or "") if completed else last.smac,
            victim=last.daddr,
            threat_level=ThreatLevel.HIGH,
            confidence=_confidence(walk.failures),
            description=f"{kind} scan of {walk.failures} ports of {last.daddr} such as "
            f"{', '.join(walk.examples)}: {walk.outcomes}{_completed_words(completed)}",
            proto=last.proto,
            uids=_uids(last),
            blocking=walk.certain,
            proof=completed > 0,
        )

    # ICMP and other protocols ------------------------------------------------------------

    def _take_icmp(self, fate: Fate) -> None:
        if fate.sport not in SWEEPS:
            return
        source = source_of(fate.saddr, fate.smac)
        sweep = self._sweeps.contact(self.now(), source, fate, self.is_inside(fate.daddr))
        if sweep is not None:
            self._report_sweep(sweep, fate.sport, fate)
        odd = self._odd.use((source, fate.daddr))
        if odd.icmp(fate.sport, fate.dport):
            self._report_odd(odd, fate)

    def _total_icmp(self, total: Attempts) -> None:
        sweep = self._sweeps.total(source_of(total.saddr, total.smac), total)
        if sweep is not None:
            self._report_sweep(sweep, total.flags, total)

    def _report_sweep(self, sweep: Sweep, icmp_type: int, last: Fate | Attempts) -> None:
        kind = SWEEPS[icmp_type]
        self.set_evidence(
            kind.type,
            attacker=last.saddr,
            attacker_mac=last.smac,
            threat_level=ThreatLevel.MEDIUM,
            confidence=sweep.confidence / 1000,
            description=f"ICMP {kind.word} requests to {sweep.hosts} hosts: "
            f"{sweep.silent} did not answer",
            proto="icmp6" if ":" in last.saddr else "icmp",
            uids=_uids(last),
        )

    def _take_protocol(self, fate: Fate) -> None:
        """IP protocols without ports: trying many of them is asking which there are."""
        if fate.fate == "answered":
            return
        key = ("p", source_of(fate.saddr, fate.smac), fate.daddr, "ip")
        walk = self._walks.use(key)
        if not walk.contact(self.now(), fate.proto, STEP, fate.fate == "refused"):
            return
        self._walks.grow(key, walk)
        if walk.is_news(self.now(), REPEAT):
            self.set_evidence(
                "IP_PROTOCOL_SCAN",
                attacker=fate.saddr,
                attacker_mac=fate.smac,
                victim=fate.daddr,
                threat_level=ThreatLevel.MEDIUM,
                confidence=_confidence(walk.failures),
                description=f"tried {walk.failures} IP protocols on {fate.daddr}, "
                f"such as {', '.join(walk.examples)}",
                uids=_uids(fate),
            )

    def _take_odd_flags(self, fate: Fate) -> None:
        if fate.proto == "tcp" and Fingerprint.is_odd(fate.flags):
            odd = self._odd.use((source_of(fate.saddr, fate.smac), fate.daddr))
            if odd.tcp(fate.flags):
                self._report_odd(odd, fate)

    def _report_odd(self, odd: Fingerprint, fate: Fate) -> None:
        self.set_evidence(
            "OS_FINGERPRINTING",
            attacker=fate.saddr,
            attacker_mac=fate.smac,
            victim=fate.daddr,
            threat_level=ThreatLevel.MEDIUM,
            confidence=odd.confidence / 1000,
            description=f"probes that tell systems apart, sent to {fate.daddr}: {odd.words}",
            proto=fate.proto,
            uids=_uids(fate),
        )

    # Tools that say who they are ---------------------------------------------------------

    def new_http(self, http: Http) -> None:
        """A request whose User-Agent is a scanner's own name."""
        tool = scanner_named_by(http.user_agent)
        if tool and self._tools.use((http.saddr, tool)).add(http.daddr):
            self.set_evidence(
                "SERVICE_SCAN",
                attacker=http.saddr,
                victim=http.daddr,
                threat_level=ThreatLevel.MEDIUM,
                confidence=0.8,
                description=f"HTTP requests to {http.daddr} by a scanner that names itself: {tool}",
                port=http.dport,
                proto=http.proto,
                uids=(http.uid,),
            )


def _nothing() -> None:
    """A table that is used as a set has this value."""


def _confidence(failures: int) -> float:
    """Slips': a tenth for each packet, certain past ten."""
    return min(1.0, failures / 10)


def _completed_words(completed: int) -> str:
    """What proves a scan."""
    return f"; {completed} opened with a whole handshake and left without a word" * bool(completed)


def _uids(last: _Last) -> tuple[str, ...]:
    return (last.uid,) if isinstance(last, Fate) else ()
