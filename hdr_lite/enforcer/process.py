"""The enforcer process: orders come over the link, what became of them goes back.

It starts in a fixed order: the sockets and libraries that need CAP_NET_ADMIN, the facts, the
kept blocks, the tables, ``Ready``, the loop. One turn of the loop takes all orders that have
arrived and carries them out in one transaction.
"""

import json
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from hdr_lite.config import Config, ConfigError, UserError, restore
from hdr_lite.enforcer.addresses import NEWS, gather_facts, names_of_servers
from hdr_lite.enforcer.cut import ConntrackCutter
from hdr_lite.enforcer.enforcer import Enforcer
from hdr_lite.enforcer.interfaces import Interfaces
from hdr_lite.enforcer.names import Names
from hdr_lite.enforcer.netlink import NETLINK_ROUTE, open_netlink
from hdr_lite.enforcer.never_block import Facts, parse_allow
from hdr_lite.enforcer.nft import NftError
from hdr_lite.enforcer.prober import Prober
from hdr_lite.enforcer.ruleset import ports_of
from hdr_lite.enforcer.sessions import Sessions
from hdr_lite.enforcer.verbs import answer
from hdr_lite.link.codec import Answer, Message, Notice, Reload, Request
from hdr_lite.link.end import End, LinkClosed
from hdr_lite.link.stop import StopSignal
from hdr_lite.native import trim_memory
from hdr_lite.records.verb import Block, Limit, Quarantine, Ready

#: Seconds between looks at the counters of limits, and at everything else.
LOOK, IDLE = 2.0, 30.0
#: Seconds that news of addresses and routes are let come in before the facts are asked again.
SETTLE = 0.2
#: Seconds until tables that could not be made are tried again.
RETRY = 1.0
#: Seconds that the start waits for names to be resolved.
NAMES_WAIT = 1.0
#: Seconds that connections of the blocked wait to be cut while orders keep coming.
CUT_WAIT = 0.1
#: Messages kept for a reader that is slow; blocking waits for none.
OUTBOX = 1024


def run_enforcer(
    config: Config,
    instance: str,
    end: End,
    stop: StopSignal,
    interfaces: Interfaces,
    packets: socket.socket | None,
) -> int:
    """The enforcer process from start to end; its exit status. ``UserError``: it cannot begin.

    ``packets`` is what ``prober.open_socket`` opened, None where that was not permitted.
    """
    outbox, names, sessions = Outbox(end), Names(), Sessions()
    facts = _facts_of(config, names, sessions)
    names.ask((*parse_allow(config.enforcer.allow).domains, *names_of_servers()), time.monotonic())
    names.wait(NAMES_WAIT)
    with open_netlink(NETLINK_ROUTE, NEWS) as news:
        news.setblocking(False)
        enforcer = Enforcer(
            config,
            instance,
            ConntrackCutter(),
            _boottime,
            facts,
            lambda text: outbox.put(Notice(f"enforcer: {text}")),
            interfaces,
        )
        try:
            outbox.put(Ready(enforcer.begin()))
        except NftError as error:
            raise UserError(f"nftables refuses our table: {error}") from None
        trim_memory()  # what libnftables took for the tables and 5,000 kept blocks: 9 MB
        prober = Prober(packets, time.monotonic)
        reload = partial(_reload, enforcer, names, sessions)
        Process(enforcer, end, outbox, stop, prober, news, reload).loop()
        enforcer.end()
    with suppress(LinkClosed):
        outbox.pump()
    return 0


def _boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _reload(enforcer: Enforcer, names: Names, sessions: Sessions, settings: str) -> None:
    """Take new settings; ``ValueError``, ``ConfigError``, ``UserError``: the old ones hold."""
    config = restore(json.loads(settings))
    enforcer.reload(config, _facts_of(config, names, sessions))


def _facts_of(config: Config, names: Names, sessions: Sessions) -> Callable[[], Facts]:
    """What asks for the facts under these settings; ``UserError`` when one is wrong."""
    ports = ports_of(config.enforcer.management_ports, "enforcer.management_ports")
    return partial(_facts, names, sessions, parse_allow(config.enforcer.allow).domains, ports)


def _facts(
    names: Names, sessions: Sessions, domains: tuple[str, ...], ports: tuple[int, ...]
) -> Facts:
    """The facts of now, with what the names of allowed domains and of time servers stand for."""
    facts = gather_facts()
    servers = names_of_servers()
    names.ask((*domains, *servers), time.monotonic())
    known = names.known()
    resolved = {address: "NTP server" for name in servers for address in known.get(name, ())}
    return facts._replace(
        servers=resolved | dict(facts.servers),
        domains={name: known[name] for name in domains if name in known},
        sessions=sessions.now(ports, time.monotonic()),
    )


class Outbox:
    """What is to be said, sent as the other end reads it; the oldest is lost if it does not."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._messages: deque[Message] = deque(maxlen=OUTBOX)
        self._writable = select.poll()
        self._writable.register(end, select.POLLOUT)

    def __bool__(self) -> bool:
        return bool(self._messages)

    def put(self, message: Message) -> None:
        """Say it at the next :meth:`pump`."""
        self._messages.append(message)

    def pump(self) -> None:
        """Send what there is room for; ``LinkClosed``."""
        while self._messages and self._writable.poll(0):
            self._end.send(self._messages.popleft())


class Process:
    """The loop over the link, the two monitors and time."""

    def __init__(
        self,
        enforcer: Enforcer,
        end: End,
        outbox: Outbox,
        stop: StopSignal,
        prober: Prober,
        news: socket.socket,
        reload: Callable[[str], None],
    ) -> None:
        self._enforcer = enforcer
        self._end = end
        self._outbox = outbox
        self._stop = stop
        self._prober = prober
        self._news = news
        self._take_settings = reload
        self._told = 0  # of the orders over the pace
        self._facts_due: float | None = None
        self._cut_since: float | None = None  # the first of those that are to be cut
        self._harmed_at: float | None = None  # tables could not be made again
        self._ticked = time.monotonic()

    def loop(self) -> None:
        """Until a signal, or until nobody sends orders any more."""
        poll = select.poll()
        for part in (self._stop, self._end, self._news, self._enforcer.monitor):
            poll.register(part, select.POLLIN)
        if self._prober.able:
            poll.register(self._prober, select.POLLIN)
        while not self._stop:
            try:
                self._outbox.pump()
                poll.modify(self._end, select.POLLIN | (select.POLLOUT if self._outbox else 0))
                self._turn({descriptor for descriptor, _ in poll.poll(self._patience() * 1000)})
            except LinkClosed:
                return
            except NftError as error:
                if self._harmed_at is None:
                    self._outbox.put(Notice(f"enforcer: nftables refuses our table: {error}"))
                self._harmed_at = time.monotonic()

    def _turn(self, ready: set[int]) -> None:
        busy = self._end.fileno() in ready
        if busy:
            self._take_messages()
        self._enforcer.heed()
        self._conclude_trials()
        self._cut_sometimes(busy)
        if self._news.fileno() in ready:
            self._drain_news()
        self._timers(time.monotonic())

    def _take_messages(self) -> None:
        """Orders are judged one by one and done together; requests follow them."""
        answers, requests = [], []
        for message in self._end.receive():
            if isinstance(message, Block | Limit | Quarantine):
                done = self._enforcer.take(message)
                answers += [] if done is None else [done]
            elif isinstance(message, Request | Reload):
                requests.append(message)
        answers += self._enforcer.begin_trials(self._prober)
        self._enforcer.apply()
        for done in answers:
            self._outbox.put(done)
        for request in requests:
            if isinstance(request, Reload):
                self._reload(request.settings)
            else:
                self._outbox.put(Answer(request.number, answer(self._enforcer, request.text)))

    def _conclude_trials(self) -> None:
        answers = [self._enforcer.conclude(*verdict) for verdict in self._prober.work()]
        self._enforcer.apply()
        for done in answers:
            self._outbox.put(done)

    def _reload(self, settings: str) -> None:
        try:
            self._take_settings(settings)
        except (ValueError, ConfigError, UserError) as error:
            self._outbox.put(Notice(f"enforcer: the new settings were not taken: {error}"))

    def _cut_sometimes(self, busy: bool) -> None:
        """Cut connections once orders rest, at the latest after a while."""
        if not self._enforcer.orders.cut:
            return
        now = time.monotonic()
        self._cut_since = self._cut_since or now
        if not busy or now - self._cut_since >= CUT_WAIT:
            self._enforcer.cut()
            self._cut_since = None

    def _drain_news(self) -> None:
        while True:
            try:
                self._news.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:  # ENOBUFS: more news than room; all facts are asked again anyway
                continue
        self._facts_due = self._facts_due or time.monotonic() + SETTLE

    def _timers(self, now: float) -> None:
        if self._facts_due is not None and now >= self._facts_due:
            self._facts_due = None
            self._enforcer.refresh_facts()
            self._enforcer.apply()
        if self._harmed_at is not None and now - self._harmed_at >= RETRY:
            self._enforcer.rebuild("they could not be made before")
            self._harmed_at = None
        if now - self._ticked >= self._interval():
            self._ticked = now
            self._enforcer.refresh_facts()
            self._enforcer.tick()
            self._tell_refused()
            trim_memory()

    def _tell_refused(self) -> None:
        number, self._told = self._refused, self._enforcer.orders.too_fast
        if number:
            self._outbox.put(Notice(f"enforcer: {number} orders came too fast and were refused"))

    @property
    def _refused(self) -> int:
        """Orders over the pace, not yet told."""
        return self._enforcer.orders.too_fast - self._told

    def _interval(self) -> float:
        busy = self._refused or self._enforcer.orders.holdings.limited
        longest = LOOK if busy else IDLE
        until = self._enforcer.until
        if until is not None:
            longest = min(longest, max(0.0, until - _boottime()) + 0.01)
        return longest

    def _patience(self) -> float:
        """Seconds until something is due."""
        if self._enforcer.orders.cut:
            return 0.0
        now = time.monotonic()
        due = [self._ticked + self._interval()]
        asked = self._prober.due()
        due += [] if asked is None else [asked]
        due += [self._facts_due] if self._facts_due is not None else []
        due += [self._harmed_at + RETRY] if self._harmed_at is not None else []
        return max(0.0, min(due) - now) + 0.001
