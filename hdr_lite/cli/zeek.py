"""Records under the names of Zeek's logs.

What Zeek leaves out of a line when it is not known is null here, so that every line of a kind
has the same keys. ``vlan`` and ``community_id`` are those of Zeek's own packages; ``arp`` and
``attempts`` have no log in Zeek, their names follow the same manner.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from hdr_lite.cli.community_id import community_id, zeek_ports
from hdr_lite.records.application import Arp, Dns, Http, Ssh, Tls
from hdr_lite.records.flow import Attempts, Flow
from hdr_lite.records.kind import Kind

Line = dict[str, Any]


def _seconds(ns: int) -> float:
    return ns // 1000 / 1_000_000


def _proto(proto: str) -> str:
    return "icmp" if proto == "icmp6" else proto


def _head(record: Flow | Dns | Http | Tls | Ssh) -> Line:
    ports = zeek_ports(record.proto, record.sport, record.dport)
    return {
        "ts": _seconds(record.ts),
        "uid": record.uid,
        "id.orig_h": record.saddr,
        "id.orig_p": ports[0],
        "id.resp_h": record.daddr,
        "id.resp_p": ports[1],
    }


def conn(flow: Flow) -> Line:
    """A line of conn.log."""
    return {
        **_head(flow),
        "proto": _proto(flow.proto),
        "service": flow.service or None,
        "duration": _seconds(flow.duration),
        "orig_bytes": flow.sbytes,
        "resp_bytes": flow.dbytes,
        "conn_state": flow.state,
        "history": flow.history or None,
        "orig_pkts": flow.spkts,
        "resp_pkts": flow.dpkts,
        "orig_ip_bytes": flow.sipbytes,
        "resp_ip_bytes": flow.dipbytes,
        "vlan": flow.vlan or None,
        "community_id": community_id(flow.saddr, flow.sport, flow.daddr, flow.dport, flow.proto),
    }


def dns(record: Dns) -> Line:
    """A line of dns.log."""
    return {
        **_head(record),
        "proto": record.proto,
        "trans_id": record.trans_id,
        "rtt": _seconds(record.rtt) if record.rtt else None,
        "query": record.query,
        "qtype_name": record.qtype,
        "rcode_name": record.rcode or None,
        "AA": record.authoritative,
        "TC": record.truncated,
        "RD": record.recursion_desired,
        "RA": record.recursion_available,
        "answers": list(record.answers),
        "TTLs": [float(ttl) for ttl in record.ttls],
    }


def http(record: Http) -> Line:
    """A line of http.log."""
    return {
        **_head(record),
        "trans_depth": record.depth,
        "method": record.method or None,
        "host": record.host or None,
        "uri": record.uri or None,
        "referrer": record.referrer or None,
        "version": record.version or None,
        "user_agent": record.user_agent or None,
        "request_body_len": record.request_length,
        "response_body_len": record.response_length,
        "status_code": record.status or None,
        "resp_mime_types": [record.mime] if record.mime else None,
    }


def tls(record: Tls) -> Line:
    """A line of ssl.log; the cipher is its number, as Zeek writes one that it has no name for."""
    return {
        **_head(record),
        "version": record.version or None,
        "cipher": f"unknown-{record.cipher}" if record.cipher else None,
        "server_name": record.server_name or None,
        "resumed": record.resumed,
        "next_protocol": record.alpn or None,
        "ja3": record.ja3 or None,
        "ja3s": record.ja3s or None,
        "ja4": record.ja4 or None,
    }


def ssh(record: Ssh) -> Line:
    """A line of ssh.log."""
    return {
        **_head(record),
        "version": record.version or None,
        "auth_success": record.success,
        "auth_attempts": record.attempts,
        "client": record.client or None,
        "server": record.server or None,
    }


def arp(record: Arp) -> Line:
    """An ARP message: who says to have which address, to whom."""
    return {
        "ts": _seconds(record.ts),
        "operation": record.operation,
        "src_mac": record.smac or None,
        "dst_mac": record.dmac or None,
        "orig_mac": record.sender_mac,
        "orig_h": record.sender_ip,
        "resp_mac": record.target_mac,
        "resp_h": record.target_ip,
        "vlan": record.vlan or None,
    }


def attempts(record: Attempts) -> Line:
    """A sum of failed attempts; what differed among them is null."""
    ports = zeek_ports(record.proto, record.flags, record.dport)
    icmp = record.proto in ("icmp", "icmp6")
    return {
        "ts": _seconds(record.first),
        "duration": _seconds(record.last - record.first),
        "role": record.role,
        "id.orig_h": record.saddr or None,
        "id.resp_h": record.daddr or None,
        "id.resp_p": (ports[1] if icmp else record.dport) or None,
        "proto": _proto(record.proto) or None,
        "attempts": record.attempts,
        "refused": record.refused,
        "unanswered": record.unanswered,
        "distinct_hosts": record.addresses,
        "distinct_ports": record.ports,
    }


#: What may be asked for: the kinds of record that it takes, and how one becomes a line.
KINDS: Mapping[str, tuple[tuple[Kind, ...], Callable[[Any], Line]]] = MappingProxyType(
    {
        "conn": ((Kind.FLOW, Kind.FOLDED_FLOW), conn),
        "dns": ((Kind.DNS,), dns),
        "http": ((Kind.HTTP,), http),
        "tls": ((Kind.TLS,), tls),
        "ssh": ((Kind.SSH,), ssh),
        "arp": ((Kind.ARP,), arp),
        "attempts": ((Kind.ATTEMPTS,), attempts),
    }
)
