"""Who is who: a home network 192.168.7.0/24 behind one router, and the world outside.

Outside addresses are from the ranges kept for documentation (RFC 5737, RFC 3849); seen from
the LAN they all come from the router's MAC.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """A machine as it is seen on the LAN."""

    ip: str
    mac: str
    ttl: int = 64

    def as_(self, ip: str) -> "Host":
        """The same machine under another address (a rotating one, a forged one)."""
        return Host(ip, self.mac, self.ttl)


ROUTER = Host("192.168.7.1", "02:11:22:00:00:01")
LAPTOP = Host("192.168.7.20", "02:11:22:00:00:20")
PHONE = Host("192.168.7.21", "02:11:22:00:00:21")
TELEVISION = Host("192.168.7.22", "02:11:22:00:00:22")
SERVER = Host("192.168.7.30", "02:11:22:00:00:30")
PRINTER = Host("192.168.7.31", "02:11:22:00:00:31")
INTRUDER = Host("192.168.7.66", "02:11:22:00:00:66")


def inside(number: int) -> Host:
    """The host of that number in 192.168.7.0/24."""
    return Host(f"192.168.7.{number}", f"02:11:22:00:00:{number:02x}")


def outside(ip: str) -> Host:
    """A machine beyond the router."""
    return Host(ip, ROUTER.mac, 52)


def web_server(number: int) -> Host:
    """One of 254 servers of the world, in 198.51.100.0/24."""
    return outside(f"198.51.100.{1 + number % 254}")


def stranger(number: int) -> Host:
    """One of 254 clients of the world, in 203.0.113.0/24."""
    return outside(f"203.0.113.{1 + number % 254}")


RESOLVER = outside("198.51.100.53")
TIME_SERVER = outside("198.51.100.123")
