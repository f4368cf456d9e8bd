"""Servers that this device depends on, from the files that its own programs leave; never packets.

What a DHCP client was told (its lease: server, router, resolvers, time servers), what the resolver
and the time service ask. OpenWrt's netifd keeps its lease to itself but for the resolvers; the
router is in the kernel's routes, and its DHCP server is one of the two nearly always.
"""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path

_LARGEST = 256 * 1024  # bytes of such a file that are read
_NAMESERVER = r"^nameserver\s+(\S+)"
_TIME = r"^(?:server|peer|pool)\s+(\S+)"

#: Each file, the pattern that finds servers in it, and what they are.
_FILES = (
    ("etc/resolv.conf", _NAMESERVER, "DNS server"),
    ("run/systemd/resolve/resolv.conf", _NAMESERVER, "DNS server"),
    ("run/NetworkManager/resolv.conf", _NAMESERVER, "DNS server"),
    ("run/NetworkManager/no-stub-resolv.conf", _NAMESERVER, "DNS server"),
    ("etc/ppp/resolv.conf", _NAMESERVER, "DNS server"),
    ("tmp/resolv.conf.d/resolv.conf.auto", _NAMESERVER, "DNS server"),
    ("tmp/resolv.conf.auto", _NAMESERVER, "DNS server"),
    ("etc/dnsmasq.conf", r"^server=(?:/\S*/)?([0-9a-fA-F.:]+)", "DNS server"),
    ("etc/config/dhcp", r"^\s*list server\s+'?(?:/\S*/)?([0-9a-fA-F.:]+)", "DNS server"),
    *(
        (folder, rf"^{word}=(.+)", role)
        for folder in ("run/systemd/netif/leases/*", "var/lib/NetworkManager/*.lease")
        for word, role in (
            ("SERVER_ADDRESS", "DHCP server"),
            ("ROUTER", "gateway by DHCP"),
            ("DNS", "DNS server"),
            ("NTP", "NTP server"),
        )
    ),
    ("etc/chrony/chrony.conf", _TIME, "NTP server"),
    ("var/etc/chrony.conf", _TIME, "NTP server"),
    ("etc/ntp.conf", _TIME, "NTP server"),
    ("etc/ntpsec/ntp.conf", _TIME, "NTP server"),
    ("etc/systemd/timesyncd.conf", r"^(?:Fallback)?NTP=(.+)", "NTP server"),
    ("run/systemd/timesync/synchronized-server", r"^(\S+)", "NTP server"),
    ("etc/config/system", r"^\s*list server\s+'?([^'\s]+)", "NTP server"),
)

#: dhclient's words.
_DHCLIENT = ("var/lib/dhcp/*.lease*", "var/lib/dhclient/*.lease*")
_OPTIONS = (
    ("dhcp-server-identifier", "DHCP server"),
    ("routers", "gateway by DHCP"),
    ("domain-name-servers", "DNS server"),
    ("ntp-servers", "NTP server"),
)
#: dhcpcd keeps the server's message (RFC 2131) as it came.
_DHCPCD = ("var/lib/dhcpcd/*.lease", "var/lib/dhcpcd5/*.lease", "var/db/dhcpcd/*.lease")
_COOKIE, _OPTIONS_AT = b"\x63\x82\x53\x63", 240
_NUMBERS = {54: "DHCP server", 3: "gateway by DHCP", 6: "DNS server", 42: "NTP server"}
_PAD, _END = 0, 255


def servers(root: Path = Path("/")) -> Iterator[tuple[str, str]]:
    """Address or name, and what it is."""
    for pattern, regex, role in _FILES:
        for data in _read(root, pattern):
            for match in re.finditer(regex, _text(data), re.MULTILINE):
                for word in re.split(r"[\s,]+", match[1].strip()):
                    yield word.partition("%")[0], role
    for pattern in _DHCLIENT:
        for data in _read(root, pattern):
            yield from _of_dhclient(_text(data))
    for pattern in _DHCPCD:
        for data in _read(root, pattern):
            yield from of_message(data)


def is_address(word: str) -> bool:
    """Whether it is one, and no name."""
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


def of_message(data: bytes) -> Iterator[tuple[str, str]]:
    """Servers that a DHCP message names; nothing where it is none, or from where it is broken."""
    if data[_OPTIONS_AT - 4 : _OPTIONS_AT] != _COOKIE:
        return
    at = _OPTIONS_AT
    while at + 1 < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        value = data[at + 2 : at + 2 + data[at + 1]]
        if data[at] in _NUMBERS and len(value) == data[at + 1]:
            for place in range(0, len(value) - 3, 4):
                address = ipaddress.IPv4Address(value[place : place + 4])
                yield str(address), _NUMBERS[data[at]]
        at += 2 + data[at + 1]


def _of_dhclient(text: str) -> Iterator[tuple[str, str]]:
    """The last lease of each interface: those before it are of other networks."""
    latest: dict[str, str] = {}
    for block in text.split("lease {")[1:]:
        found = re.search(r'interface\s+"([^"]*)"', block)
        latest[found[1] if found else ""] = block
    for block in latest.values():
        for option, role in _OPTIONS:
            for match in re.finditer(rf"option\s+{option}\s+([^;]+);", block):
                for word in match[1].split(","):
                    yield word.strip(), role


def _read(root: Path, pattern: str) -> Iterator[bytes]:
    for path in sorted(root.glob(pattern)):
        try:
            with path.open("rb") as file:
                yield file.read(_LARGEST)
        except OSError:
            continue


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
