"""Facts about the device: from the kernel of a namespace, from files."""

import os
import socket
from ipaddress import ip_network
from pathlib import Path

import pytest

from hdr_lite.enforcer.addresses import gather_facts, logged_in, login_record, names_of_servers
from hdr_lite.enforcer.never_block import Connected
from tests.netns.bed import addresses, bed, bridged, within


def _write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")
def test_facts_of_a_router(tmp_path: Path) -> None:
    """Own addresses, gateways, outside, neighbours; several next hops of one route."""
    with bed() as net:
        net.router.run("ip", "route", "add", "198.18.0.0/15", "nexthop", "via", "203.0.113.7",
                       "nexthop", "via", "192.168.7.10")  # fmt: skip
        net.router.run("ip", "route", "add", "198.20.0.0/16", "via", "inet6", "2001:db8:f::9")
        facts = within(net.router, lambda: gather_facts(tmp_path))
    assert {"203.0.113.1", "192.168.7.1", "fd00:7::1", "127.0.0.1"} <= facts.own
    assert facts.gateways == {
        *("203.0.113.2", "203.0.113.7", "192.168.7.10", "2001:db8:f::2", "2001:db8:f::9")
    }
    assert facts.outside == {"wan0"}
    assert Connected("lan0", ip_network("192.168.7.0/24")) in facts.connected
    assert facts.addresses_of("02:00:00:00:07:10")[0] == "192.168.7.10"
    assert facts.interfaces_of("02:00:00:00:07:10") == {"lan0"}
    assert not facts.bridges


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")
def test_facts_of_a_bridge(tmp_path: Path) -> None:
    """Behind a bridge the port where a MAC was learnt is told."""
    with bridged() as (router, _one, two):
        addresses(two, "h0", "192.168.9.13/24")
        facts = within(router, lambda: gather_facts(tmp_path))
    assert facts.bridges
    assert facts.bridge_ports == {"p11", "p12"}
    assert facts.interfaces_of("02:00:00:00:09:12") == {"p12"}
    assert facts.interfaces_of("02:00:00:00:09:11") == {"p11"}


def test_servers_from_files(tmp_path: Path) -> None:
    """Resolvers, the own lease and time servers, however the system keeps them."""
    _write(tmp_path, "etc/resolv.conf", "# x\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n")
    _write(tmp_path, "var/lib/dhcp/dhclient.leases", "  option dhcp-server-identifier 192.0.2.1;\n")
    _write(tmp_path, "run/systemd/netif/leases/2", "SERVER_ADDRESS=192.0.2.2\nNTP=192.0.2.3 x.y\n")
    _write(tmp_path, "etc/chrony/chrony.conf", "pool 2.pool.example iburst\nserver 192.0.2.4\n")
    facts = gather_facts(tmp_path)
    assert facts.servers == {
        "192.0.2.53": "DNS server",
        "fe80::1": "DNS server",
        "192.0.2.1": "DHCP server",
        "192.0.2.2": "DHCP server",
        "192.0.2.3": "NTP server",
        "192.0.2.4": "NTP server",
    }
    assert names_of_servers(tmp_path) == ("2.pool.example", "x.y")


def test_logged_in(tmp_path: Path) -> None:
    """Remote logins count, local ones and ended ones do not; a cut record is left out."""
    record = login_record(os.uname().machine)

    def entry(kind: int, raw: bytes) -> bytes:
        return record.pack(
            kind, 1, b"pts/0", b"ts/0", b"root", b"host", 0, 0, 0, 0, 0, raw.ljust(16, b"\0")
        )

    v6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    entries = [
        *(entry(7, socket.inet_aton("192.168.1.10")), entry(7, v6), entry(7, b"")),
        *(entry(8, socket.inet_aton("192.168.1.11")), entry(7, v6)[:-1]),
    ]
    (tmp_path / "run").mkdir()
    (tmp_path / "run/utmp").write_bytes(b"".join(entries))
    assert list(logged_in(tmp_path)) == ["192.168.1.10", "2001:db8::7"]
    assert gather_facts(tmp_path, (22, 443)).sessions == {
        (address, port) for address in ("192.168.1.10", "2001:db8::7") for port in (22, 443)
    }


def test_login_record_sizes() -> None:
    """glibc's struct has 384 bytes where 32-bit programs share it, 400 elsewhere."""
    assert login_record("x86_64").size == login_record("mips").size == 384
    assert login_record("aarch64").size == 400
