"""ARP: scans, forged answers, and what looks like them but is not."""

import struct

from tests.traffic import frames
from tests.traffic.activities import announce_address, lease, meet
from tests.traffic.hosts import INTRUDER, LAPTOP, PHONE, ROUTER, SERVER, Host, inside, outside
from tests.traffic.scenarios.registry import scenario
from tests.traffic.timeline import MILLISECOND, MINUTE, SECOND, Trace


def poison(trace: Trace, at: int, claims: int, gap: int) -> None:
    """Tell the laptop that the router is the intruder, and the router that the laptop is."""
    for number in range(claims):
        when = at + number * gap
        trace.arp(when, 2, INTRUDER.as_(ROUTER.ip), LAPTOP)
        trace.arp(when + MILLISECOND, 2, INTRUDER.as_(LAPTOP.ip), ROUTER)


@scenario("ARP_SCAN", accused=INTRUDER.ip)
def arp_scan(trace: Trace) -> None:
    """arp-scan: who has each of 254 addresses, within five seconds."""
    for number in range(1, 255):
        at = number * 20 * MILLISECOND
        trace.arp(at, 1, INTRUDER, inside(number))
        if number in (1, 20, 21, 30):
            there = ROUTER if number == 1 else inside(number)
            trace.arp(at + MILLISECOND, 2, there, INTRUDER)


@scenario("MITM_ARP_ATTACK", accused=INTRUDER.ip)
def arp_spoof(trace: Trace) -> None:
    """Everybody is known; then the intruder claims the router's and the laptop's address."""
    for host in (LAPTOP, PHONE, INTRUDER, SERVER):
        meet(trace, trace.dice.below(SECOND), host, ROUTER)
    meet(trace, 2 * SECOND, INTRUDER, LAPTOP)
    poison(trace, 10 * SECOND, 30, 2 * SECOND)


@scenario("UNSOLICITED_ARP", accused=INTRUDER.ip)
def arp_unsolicited(trace: Trace) -> None:
    """Answers for everyone that nobody asked for."""
    everyone = Host("255.255.255.255", frames.BROADCAST)
    for number in range(20):
        trace.arp(number * SECOND, 2, INTRUDER, everyone, to=frames.BROADCAST)


@scenario("ARP_OUTSIDE_LOCALNET", accused=INTRUDER.ip)
def arp_outside(trace: Trace) -> None:
    """Asks the LAN for addresses that are not of it."""
    for number in range(4):
        trace.arp(number * SECOND, 1, INTRUDER, outside(f"198.51.100.{7 + number}"))


def _advertise(trace: Trace, at: int, router: Host) -> None:
    """A VRRP advertisement (RFC 5798, version 2 of RFC 3768) for 192.168.7.254."""
    body = bytes([0x21, 1, 100, 1, 0, 1])
    rest = bytes([192, 168, 7, 254]) + bytes(8)
    check = frames.checksum(body + b"\0\0" + rest)
    group = Host("224.0.0.18", "01:00:5e:00:00:12")
    trace.packet(at, router, group, frames.VRRP, body + struct.pack("!H", check) + rest)


@scenario()
def arp_benign(trace: Trace) -> None:
    """Probes and announcements, a VRRP failover, an address leased to another machine."""
    announce_address(trace, 0, LAPTOP)
    meet(trace, 7 * SECOND, LAPTOP, ROUTER)
    virtual = Host("192.168.7.254", "00:00:5e:00:01:01", 255)
    first, second = (Host(f"192.168.7.{n}", virtual.mac, 255) for n in (252, 253))
    for number in range(20):
        _advertise(trace, 10 * SECOND + number * SECOND, first if number < 10 else second)
    for at in (10 * SECOND, 23 * SECOND):
        trace.arp(at, 1, virtual, virtual)
    meet(trace, 25 * SECOND, PHONE, virtual)
    lease(trace, MINUTE, inside(50))
    meet(trace, MINUTE + 10 * SECOND, inside(50), ROUTER)
    again = Host(inside(50).ip, inside(51).mac)
    lease(trace, 20 * MINUTE, again)
    meet(trace, 20 * MINUTE + 10 * SECOND, again, ROUTER)
