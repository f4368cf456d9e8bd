"""Servers from the files of each DHCP client, resolver and time service."""

import struct
from pathlib import Path

import pytest

from hdr_lite.enforcer.leases import is_address, of_message, servers

DHCLIENT = """
lease {
  interface "wlan0";
  option routers 198.51.100.1;
  option dhcp-server-identifier 198.51.100.1;
}
lease {
  interface "eth0";
  option dhcp-server-identifier 192.0.2.9;
}
lease {
  interface "eth0";
  option routers 192.0.2.1;
  option dhcp-server-identifier 192.0.2.2;
  option domain-name-servers 192.0.2.3,192.0.2.4;
  option ntp-servers 192.0.2.5;
}
"""


def message(*options: bytes) -> bytes:
    """A DHCPACK with these options, and padding."""
    return struct.pack("!BBBB232s", 2, 1, 6, 0, b"") + b"\x63\x82\x53\x63" + b"".join(options)


CASES = (
    ("etc/resolv.conf", "# x\nnameserver 192.0.2.1\n", {"192.0.2.1": "DNS server"}),
    ("etc/resolv.conf", "nameserver fe80::1%eth0\n", {"fe80::1": "DNS server"}),
    ("tmp/resolv.conf.d/resolv.conf.auto", "# Interface wan\nnameserver 192.0.2.1\n",
     {"192.0.2.1": "DNS server"}),
    ("etc/ppp/resolv.conf", "nameserver 192.0.2.1\n", {"192.0.2.1": "DNS server"}),
    ("run/NetworkManager/no-stub-resolv.conf", "nameserver 192.0.2.1\n",
     {"192.0.2.1": "DNS server"}),
    ("run/systemd/netif/leases/2",
     "SERVER_ADDRESS=192.0.2.2\nROUTER=192.0.2.1\nDNS=192.0.2.3 192.0.2.4\nNTP=x.example\n",
     {"192.0.2.2": "DHCP server", "192.0.2.1": "gateway by DHCP", "192.0.2.3": "DNS server",
      "192.0.2.4": "DNS server", "x.example": "NTP server"}),
    ("var/lib/NetworkManager/internal-1-eth0.lease", "SERVER_ADDRESS=192.0.2.2\n",
     {"192.0.2.2": "DHCP server"}),
    ("var/lib/dhcp/dhclient.leases", DHCLIENT,
     {"198.51.100.1": "gateway by DHCP", "192.0.2.1": "gateway by DHCP",
      "192.0.2.2": "DHCP server", "192.0.2.3": "DNS server", "192.0.2.4": "DNS server",
      "192.0.2.5": "NTP server"}),
    ("etc/dnsmasq.conf", "server=192.0.2.1\nserver=/a.example/192.0.2.2\n#server=192.0.2.3\n",
     {"192.0.2.1": "DNS server", "192.0.2.2": "DNS server"}),
    ("etc/config/dhcp", "config dnsmasq\n\tlist server '/lan/192.0.2.1'\n",
     {"192.0.2.1": "DNS server"}),
    ("etc/config/system", "config timeserver 'ntp'\n\tlist server '0.openwrt.pool.ntp.org'\n",
     {"0.openwrt.pool.ntp.org": "NTP server"}),
    ("etc/chrony/chrony.conf", "pool 2.pool.example iburst\nserver 192.0.2.4\n",
     {"2.pool.example": "NTP server", "192.0.2.4": "NTP server"}),
    ("etc/systemd/timesyncd.conf", "#NTP=\nFallbackNTP=a.example b.example\n",
     {"a.example": "NTP server", "b.example": "NTP server"}),
)  # fmt: skip


@pytest.mark.parametrize(("name", "text", "found"), CASES)
def test_files(tmp_path: Path, name: str, text: str, found: dict[str, str]) -> None:
    """Of each file what it names; of an old lease nothing."""
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert dict(servers(tmp_path)) == found


def test_dhcpcd(tmp_path: Path) -> None:
    """dhcpcd keeps the message itself."""
    path = tmp_path / "var/lib/dhcpcd/eth0.lease"
    path.parent.mkdir(parents=True)
    options = (b"\0\x35\x01\x05", b"\x36\x04\xc0\x00\x02\x02", b"\x03\x04\xc0\x00\x02\x01")
    path.write_bytes(message(*options, b"\x06\x08\xc0\x00\x02\x03\xc0\x00\x02\x04\xff\x03\x04"))
    assert dict(servers(tmp_path)) == {
        "192.0.2.2": "DHCP server",
        "192.0.2.1": "gateway by DHCP",
        "192.0.2.3": "DNS server",
        "192.0.2.4": "DNS server",
    }


def test_broken_messages() -> None:
    """A lease that is none, is cut or lies names nobody it should not."""
    whole = message(b"\x36\x04\xc0\x00\x02\x02", b"\xff")
    for length in range(len(whole)):
        assert list(of_message(whole[:length])) in ([], [("192.0.2.2", "DHCP server")])
    assert list(of_message(message(b"\x36\xff\xc0\x00\x02\x02"))) == []
    assert list(of_message(bytes(300))) == []


def test_unreadable(tmp_path: Path) -> None:
    """A folder in a file's place is passed over."""
    (tmp_path / "etc/resolv.conf").mkdir(parents=True)
    assert list(servers(tmp_path)) == []
    assert is_address("fe80::1")
    assert not is_address("x.example")
