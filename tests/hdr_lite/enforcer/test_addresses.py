"""Facts about the device: from the kernel of a namespace, from files."""

import os
from ipaddress import ip_network
from pathlib import Path

import pytest

from hdr_lite.enforcer.addresses import gather_facts, names_of_servers
from hdr_lite.enforcer.never_block import Connected
from tests.netns.bed import addresses, bed, bridged, within


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


def test_servers_by_address_and_by_name(tmp_path: Path) -> None:
    """Addresses are facts, names are to be resolved."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text("nameserver 192.0.2.53\nnameserver fe80::1%eth0\n")
    (tmp_path / "etc/ntp.conf").write_text("pool 2.pool.example iburst\nserver 192.0.2.4\n")
    assert gather_facts(tmp_path).servers == {
        "192.0.2.53": "DNS server",
        "fe80::1": "DNS server",
        "192.0.2.4": "NTP server",
    }
    assert names_of_servers(tmp_path) == ("2.pool.example",)
