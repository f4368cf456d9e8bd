"""Who is logged in on this device, and from where: management sessions.

Told by the login records (utmp(5)), by systemd-logind, and, where neither is kept (OpenWrt's
dropbear), by age: an ssh server ends a connection that has not authenticated, sshd after 120 s,
dropbear after 300 s. So one that lasts longer has.
"""

import ipaddress
import os
import re
import struct
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

#: Seconds after which a connection to a management port has authenticated.
AUTHENTICATED = 360.0
_ESTABLISHED = "01"
_USER = 7  # utmp's USER_PROCESS

Connection = tuple[str, int, int]  # their address and port, our port


class Sessions:
    """Remembers since when a connection is there. ``now`` is any clock that runs on."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._since: dict[Connection, float] = {}

    def now(self, ports: Collection[int], now: float) -> frozenset[tuple[str, int]]:
        """Address and port of ours for each session."""
        there = set(_connections(self._root, ports))
        self._since = {one: self._since.get(one, now) for one in there}
        aged = {(a, port) for (a, _, port), at in self._since.items() if now - at >= AUTHENTICATED}
        people = {*logged_in(self._root), *_by_logind(self._root)}
        return frozenset(aged | {(address, port) for address in people for port in ports})


def logged_in(root: Path = Path("/")) -> Iterator[str]:
    """Addresses from where somebody is logged in, by the login records."""
    try:
        data = (root / "run/utmp").read_bytes()
    except OSError:
        return
    record = login_record(os.uname().machine)
    for offset in range(0, len(data) - record.size + 1, record.size):
        fields = record.unpack_from(data, offset)
        kind, raw = fields[0], fields[-1]
        if kind == _USER and any(raw):  # from elsewhere
            mapped = not any(raw[4:])
            yield str(ipaddress.ip_address(raw[:4] if mapped else raw))


def login_record(machine: str) -> struct.Struct:
    """glibc's struct utmp: session and time have 32 bits where 32-bit programs read it, too."""
    wide = machine in ("aarch64", "riscv64", "loongarch64")
    return struct.Struct("=hxxi32s4s32s256shh" + ("qqq16s24x" if wide else "iii16s20x"))


def _by_logind(root: Path) -> Iterator[str]:
    """By /run/systemd/sessions, where Debian 13 has nothing else."""
    for path in sorted((root / "run/systemd/sessions").glob("*")):
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue  # no session's, or it has just ended
        words = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))
        if words.get("REMOTE") == "1" and words.get("STATE") in ("online", "active"):
            try:
                yield str(ipaddress.ip_address(words.get("REMOTE_HOST", "").partition("%")[0]))
            except ValueError:
                continue  # a name: whose, its owner decides


def _connections(root: Path, ports: Collection[int]) -> Iterator[Connection]:
    """Established TCP connections to ports of ours."""
    for name in ("tcp", "tcp6"):
        try:
            lines = (root / "proc/thread-self/net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, ours, theirs, state, *_ = line.split()
            port = int(ours.rpartition(":")[2], 16)
            if state == _ESTABLISHED and port in ports:
                address, _, far = theirs.rpartition(":")
                yield _address(address), int(far, 16), port


def _address(text: str) -> str:
    """Of /proc/net/tcp: words of the machine's order, in hex."""
    raw = bytes.fromhex(text)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
