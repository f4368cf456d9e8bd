"""Ordinary load on a router's bed: what homes and branches do all day, and what of it went wrong.

Each activity goes on until its time is over and answers with :class:`Did`: how much it did, and
its complaints. The LAN's IPv4 is masqueraded; everything else is as :mod:`tests.netns.bed` has it.
"""

import json
import socket
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.netns.bed import LAN_HOST, Bed, connects, listening, opened, until, within
from tests.netns.network import Namespace
from tests.netns.programs import running
from tests.netns.shell import PASSWORD, Client, serving

SERVER, SERVER6, RESOLVER = "203.0.113.2", "2001:db8:f::2", "203.0.113.8"
PERSON, CUSTOMER = "203.0.113.4", "203.0.113.9"
#: Who fetches from all machines of the LAN, and their addresses.
BACKUP, MACHINES = "203.0.113.7", [f"192.168.7.{n}" for n in range(20, 40)]
IPERF, IPERF6, SITE, BACKED_UP, SERVICE = 5201, 5202, 8080, 873, 9000
#: Mbit a second of each iperf3; names a second; seconds in which the service is down.
RATE, NAMES, DOWN = 100, 50, 4
#: Of all segments so many may be sent again before that is called a loss.
RESENT = 0.001
#: Small files of a page, and how many connections fetch them.
FILES, AT_ONCE = 200, 50
_MASQUERADE = """
add table ip nat
add chain ip nat leaving { type nat hook postrouting priority 100; }
add rule ip nat leaving oifname wan0 ip saddr 192.168.7.0/24 masquerade
"""


@dataclass(slots=True)
class Did:
    """What an activity did, by name, and what went wrong."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def expect(self, true: bool, complaint: str) -> None:
        """Complain unless that is so."""
        if not true:
            self.wrong.append(complaint)


@dataclass(frozen=True, slots=True)
class Site:
    """The bed with everything that serves on it."""

    net: Bed
    folder: Path

    def under_load(self, seconds: float) -> Did:
        """All activities at once; what they did together."""
        before = _segments(self.net)
        activities = (
            partial(_iperf, self.net.lan, SERVER, IPERF),
            partial(_iperf, self.net.lan, SERVER6, IPERF6, "-R"),
            partial(_pages, self.net.lan, f"http://{SERVER}:{SITE}"),
            partial(_pages, self.net.lan, f"http://[{SERVER6}]:{SITE}", "-H", "Connection: close"),
            partial(_names, self.net.lan),
            partial(_pings, self.net.lan, SERVER),
            partial(_pings, self.net.lan, SERVER6),
            partial(_logins, self.net, self.folder),
            partial(_retries, self.net.lan, LAN_HOST, SERVER),
            partial(_retries, self.net.world, CUSTOMER, LAN_HOST),
            partial(_service, self.net.world),
            partial(_service, self.net.lan),
            partial(_backups, self.net.world),
        )
        with ThreadPoolExecutor(len(activities)) as threads:
            began: list[Future[Did]] = [threads.submit(a, seconds=seconds) for a in activities]
            did = [one.result() for one in began]
        total = Did(
            sum((one.done for one in did), Counter()), [w for one in did for w in one.wrong]
        )
        sent, again = (after - b for after, b in zip(_segments(self.net), before, strict=True))
        total.done["segments sent"], total.done["segments sent again"] = sent, again
        total.expect(again < RESENT * sent, f"{again} of {sent} segments were sent again")
        return total


@contextmanager
def site(net: Bed, folder: Path) -> Iterator[Site]:
    """Servers on both sides, and the LAN's IPv4 masqueraded."""
    masquerade(net)
    for machine in MACHINES:
        net.lan.run("ip", "addr", "add", f"{machine}/24", "dev", "l0")
    with ExitStack() as stack:
        for port in (IPERF, IPERF6):
            stack.enter_context(iperf_server(net, port))
        names = ("--address=/here.test/198.51.100.7", "--local=/test/")
        where = (f"--listen-address={RESOLVER}", "--bind-interfaces", "--no-daemon")
        quiet = ("--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=")
        stack.enter_context(_served(net.world, "dnsmasq", *names, *where, *quiet))
        stack.enter_context(running(net.world, "pages", str(SITE)))
        stack.enter_context(running(net.lan, "pages", str(BACKED_UP)))
        stack.enter_context(serving(net, folder))
        until(lambda: not _names(net.lan, 0.1).wrong)
        yield Site(net, folder)


def masquerade(net: Bed) -> None:
    """The LAN's IPv4 goes out by the router's own address, so that connections are tracked."""
    net.router.run("nft", _MASQUERADE)


@contextmanager
def iperf_server(net: Bed, port: int = IPERF) -> Iterator[None]:
    """A server of iperf3 in the world, which answers."""
    with _served(net.world, "iperf3", "-s", "-p", str(port)):
        until(lambda: connects(net.lan, LAN_HOST, SERVER, port))
        yield


@contextmanager
def _served(inside: Namespace, *words: str) -> Iterator[None]:
    process = subprocess.Popen(
        inside.words(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _segments(net: Bed) -> tuple[int, int]:
    """TCP segments that both ends sent, and those of them that they sent again."""
    sent = again = 0
    for inside in (net.world, net.lan):
        lines = inside.run("cat", "/proc/net/snmp").splitlines()
        names, values = (line.split() for line in lines if line.startswith("Tcp:"))
        counters = dict(zip(names, values, strict=True))
        sent += int(counters["OutSegs"])
        again += int(counters["RetransSegs"])
    return sent, again


def _iperf(inside: Namespace, server: str, port: int, *way: str, seconds: float) -> Did:
    """A large transfer at a rate that leaves room for others."""
    did = Did()
    words = (
        "iperf3",
        "-J",
        "-c",
        server,
        "-p",
        str(port),
        "-b",
        f"{RATE}M",
        "-t",
        f"{seconds:.0f}",
    )
    answer = json.loads(inside.run(*words, *way))
    rate = answer["end"]["sum_received"]["bits_per_second"] / 1e6
    did.done["MB moved"] = answer["end"]["sum_received"]["bytes"] // 1_000_000
    did.expect(rate > 0.9 * RATE, f"iperf3 {server} moved {rate:.0f} of {RATE} Mbit/s")
    return did


def _pages(inside: Namespace, site: str, *options: str, seconds: float) -> Did:
    """``curl`` fetches small files, fifty connections at once, again and again."""
    did = Did()
    urls = [f"{site}/{100 + 37 * number}" for number in range(FILES)]
    outputs = [word for url in urls for word in ("-o", "/dev/null", url)]
    told = "%{http_code} %{url_effective} %{size_download}\\n"
    words = ("curl", "-sS", "-Z", "--parallel-immediate", "--parallel-max", str(AT_ONCE))
    expected = sorted(f"200 {url} {url.rpartition('/')[2]}" for url in urls)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done = subprocess.run(
            inside.words(*words, "-w", told, *options, *outputs), capture_output=True, text=True
        )
        answers = done.stdout.splitlines()
        did.done["files fetched"] += len(answers)
        did.expect(sorted(answers) == expected, f"curl {site}: {done.stderr[:200]}")
        time.sleep(0.3)
    return did


def _question(number: int, name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, 1, 1)


def _names(inside: Namespace, seconds: float) -> Did:
    """Names asked at a pace, each from a port of its own; every fifth does not exist."""
    did, began = Did(), time.monotonic()

    def ask(number: int) -> None:
        name, code = ("gone.test", 3) if number % 5 == 0 else ("here.test", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(2)
            sock.connect((RESOLVER, 53))
            sock.send(_question(number, f"h{number}.{name}"))
            try:
                answer = sock.recv(512)
            except OSError as error:
                did.wrong.append(f"name {number}: {error}")
                return
        did.expect(answer[3] & 15 == code, f"name {number}: code {answer[3] & 15}")
        did.done["names answered"] += 1

    def go_on() -> None:
        for number in range(int(seconds * NAMES)):
            time.sleep(max(0.0, began + number / NAMES - time.monotonic()))
            ask(number)

    within(inside, go_on)
    return did


def _pings(inside: Namespace, host: str, seconds: float) -> Did:
    """Five a second."""
    did = Did()
    words = inside.words("ping", "-q", "-i", "0.2", "-c", str(int(seconds * 5)), host)
    done = subprocess.run(words, capture_output=True, text=True)
    did.done["pings answered"] = int(done.stdout.partition(" received")[0].rsplit(" ", 1)[1])
    did.expect(done.returncode == 0 and " 0% packet loss" in done.stdout, done.stdout)
    return did


def _logins(net: Bed, folder: Path, seconds: float) -> Did:
    """Somebody outside logs in each few seconds, mistyping the first time."""
    did, person = Did(), Client(net, PERSON, folder)
    deadline = time.monotonic() + seconds
    words: tuple[str, ...] = ("mistyped", PASSWORD)
    while time.monotonic() < deadline:
        did.expect(person.log_in(*words), "a login failed")
        did.done["logins"] += 1
        words = (PASSWORD,)
        time.sleep(3)
    return did


def _service(inside: Namespace, seconds: float) -> Did:
    """A service that is down at first."""
    time.sleep(DOWN)
    with listening(inside, SERVICE):
        time.sleep(max(0.0, seconds - DOWN) + 1)
    return Did()


def _retries(inside: Namespace, source: str, host: str, seconds: float) -> Did:
    """Who uses it tries four times a second; from when it is up, it must answer."""
    did, began = Did(), time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        try:
            opened(inside, source, host, SERVICE, 2).close()
            did.done["service answered"] += 1
        except OSError as error:
            did.done["service was down"] += 1
            did.expect(now < DOWN + 2, f"the service at {host} after {now:.1f} s: {error}")
        time.sleep(0.25)
    return did


def _backups(inside: Namespace, seconds: float) -> Did:
    """A host outside fetches a megabyte from each machine of the LAN, one after the other."""
    did, deadline = Did(), time.monotonic() + seconds
    words = ("curl", "-sS", "--interface", BACKUP, "-o", "/dev/null", "-w", "%{size_download}")
    while time.monotonic() < deadline:
        for machine in MACHINES:
            url = f"http://{machine}:{BACKED_UP}/1000000"
            done = subprocess.run(inside.words(*words, url), capture_output=True, text=True)
            did.done["machines backed up"] += 1
            did.expect(done.stdout == "1000000", f"backup of {machine}: {done.stderr}")
        time.sleep(2)
    return did
