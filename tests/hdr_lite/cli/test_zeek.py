"""Records under Zeek's names: what a line holds, and what is null."""

import json

from hdr_lite.cli import zeek
from hdr_lite.cli.zeek import KINDS
from hdr_lite.records.application import Arp, Dns, Http, Ssh, Tls
from hdr_lite.records.flow import Attempts, Flow
from hdr_lite.ring.codec import CLASS_OF

ENDS = ("10.0.0.1", 40000, "198.51.100.1", 443, "tcp")
TS = 1_700_000_000_123_456_789

FLOW = Flow(
    TS, "CabcdefghijklmnopQ", *ENDS, "ssl", 1_500_000_000, 10, 20, "SF", "ShADadFf", 5, 4, 270, 228,
    "02:00:00:00:00:01", "02:00:00:00:00:02", 7, 0, "end", True,
)  # fmt: skip
DNS = Dns(
    TS, "C1", "10.0.0.1", 40000, "10.0.0.53", 53, "udp", 99, "example.org", "A", "NOERROR",
    2_000_000, ("192.0.2.1",), (300,), False, True, True, False,
)  # fmt: skip
HTTP = Http(TS, "C2", *ENDS, 1, "GET", "h", "/", "1.1", "curl", "", 0, 200, 12, "text/html")
TLS = Tls(TS, "C3", *ENDS, "TLSv13", 4865, "example.org", "h2", False, "a" * 32, "b" * 32, "t13d")
SSH = Ssh(TS, "C4", *ENDS, 2, "SSH-2.0-a", "SSH-2.0-b", None, 3, 10, 1, 2, 3, 4, True)
ARP = Arp(TS, "request", "02:00:00:00:00:01", "10.0.0.1", "00:00:00:00:00:00", "10.0.0.2",
          "02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", 0, 0)  # fmt: skip
SUM = Attempts(TS, TS + 10**9, "source", "10.0.0.1", "", 0, "tcp", 2, 900, 800, 100,
               200, 1, "", 0)  # fmt: skip


def test_conn() -> None:
    """A flow's line has the names, units and order of conn.log."""
    assert zeek.conn(FLOW) == {
        "ts": 1_700_000_000.123456,
        "uid": "CabcdefghijklmnopQ",
        "id.orig_h": "10.0.0.1",
        "id.orig_p": 40000,
        "id.resp_h": "198.51.100.1",
        "id.resp_p": 443,
        "proto": "tcp",
        "service": "ssl",
        "duration": 1.5,
        "orig_bytes": 10,
        "resp_bytes": 20,
        "conn_state": "SF",
        "history": "ShADadFf",
        "orig_pkts": 5,
        "resp_pkts": 4,
        "orig_ip_bytes": 270,
        "resp_ip_bytes": 228,
        "vlan": 7,
        "community_id": "1:DXBMpxzUMVuf+K2txnOCqL29aRA=",
    }


def test_what_is_not_known_is_null() -> None:
    """A line has all keys of its kind, null where Zeek leaves one out."""
    line = zeek.conn(FLOW._replace(service="", vlan=0, history=""))
    assert list(line) == list(zeek.conn(FLOW))
    assert [key for key, value in line.items() if value is None] == ["service", "history", "vlan"]
    assert zeek.dns(DNS._replace(rcode="", rtt=0))["rtt"] is None
    assert zeek.tls(TLS._replace(cipher=0))["cipher"] is None
    assert zeek.http(HTTP._replace(status=0, mime=""))["resp_mime_types"] is None


def test_icmp() -> None:
    """Both versions of ICMP are called icmp; ports are its types."""
    line = zeek.conn(FLOW._replace(proto="icmp6", sport=128, dport=0, saddr="::1", daddr="::2"))
    assert (line["proto"], line["id.orig_p"], line["id.resp_p"]) == ("icmp", 128, 129)


def test_facts_of_protocols() -> None:
    """The other logs' words for what was found."""
    assert zeek.dns(DNS)["qtype_name"] == "A"
    assert zeek.dns(DNS)["TTLs"] == [300.0]
    assert zeek.dns(DNS)["rtt"] == 0.002
    assert zeek.http(HTTP)["trans_depth"] == 1
    assert zeek.http(HTTP)["resp_mime_types"] == ["text/html"]
    assert zeek.tls(TLS)["next_protocol"] == "h2"
    assert zeek.ssh(SSH)["auth_success"] is None
    assert zeek.arp(ARP)["orig_h"] == "10.0.0.1"


def test_attempts() -> None:
    """A sum names its source, and nothing that differed."""
    line = zeek.attempts(SUM)
    assert (line["id.orig_h"], line["id.resp_h"], line["id.resp_p"]) == ("10.0.0.1", None, None)
    assert (line["attempts"], line["refused"], line["distinct_hosts"]) == (900, 800, 200)


def test_every_kind_gives_a_line_of_json() -> None:
    """What can be asked for can be made of a record of its kinds and written as JSON."""
    samples = {type(sample): sample for sample in (FLOW, DNS, HTTP, TLS, SSH, ARP, SUM)}
    for kinds, line_of in KINDS.values():
        for kind in kinds:
            assert json.loads(json.dumps(line_of(samples[CLASS_OF[kind]])))["ts"] > 0
