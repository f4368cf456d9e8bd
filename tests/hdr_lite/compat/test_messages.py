"""Typed messages as Slips' text."""

import json

import pytest

from hdr_lite.channels import AddressMessage, WindowMessage
from hdr_lite.compat.messages import translate
from hdr_lite.module import Alert, Arp, Attempts, Dns, Evidence, Finding, Flow, ThreatLevel
from hdr_lite.module.testing import SECOND, record


def window_of(ts: int) -> int:
    return ts // (3600 * SECOND) + 1


def test_a_flow_is_json_in_json_in_json() -> None:
    """The layers are those that the seed's code unpacks."""
    flow = record(
        Flow,
        at=3601,
        uid="C1",
        saddr="10.0.0.1",
        daddr="10.0.0.2",
        sport=5,
        dport=80,
        proto="tcp",
        state="SF",
        service="http",
        duration=SECOND // 2,
        spkts=3,
        dpkts=4,
        sbytes=30,
        dbytes=40,
    )
    outer = json.loads(translate(flow, window_of))
    assert (outer["profileid"], outer["twid"]) == ("profile_10.0.0.1", "timewindow2")
    inner = json.loads(json.loads(outer["flow"])["C1"])
    for name, value in {
        "saddr": "10.0.0.1",
        "daddr": "10.0.0.2",
        "dur": 0.5,
        "proto": "tcp",
        "sport": 5,
        "dport": 80,
        "state": "Established",
        "pkts": 7,
        "allbytes": 70,
        "spkts": 3,
        "sbytes": 30,
        "appproto": "http",
    }.items():
        assert inner[name] == value, name


@pytest.mark.parametrize(
    ("state", "word"),
    [("S0", "Not Established"), ("REJ", "Not Established"), ("SF", "Established")],
)
def test_states_are_slips_two_words(state: str, word: str) -> None:
    """state is Slips' reading, origstate Zeek's."""
    outer = json.loads(translate(record(Flow, uid="C1", state=state), window_of))
    inner = json.loads(json.loads(outer["flow"])["C1"])
    assert (inner["state"], inner["origstate"]) == (word, state)


def test_plain_texts() -> None:
    """Addresses, windows and names are text, not JSON."""
    assert translate(AddressMessage(1, "10.0.0.1"), window_of) == "10.0.0.1"
    closed = WindowMessage("10.0.0.1", 3, 0, 1)
    assert translate(closed, window_of) == "profile_10.0.0.1_timewindow3"
    assert translate("stop_message", window_of) == "stop_message"


def test_other_records_have_their_fields_in_flow() -> None:
    """Who it is about is the sender, in ARP the claimed one; a sum is timed by its end."""
    dns = json.loads(translate(record(Dns, at=1, uid="C9", saddr="10.0.0.1", query="a"), window_of))
    assert dns["uid"] == "C9"
    assert json.loads(dns["flow"])["query"] == "a"
    arp = json.loads(translate(record(Arp, sender_ip="10.0.0.7"), window_of))
    assert arp["profileid"] == "profile_10.0.0.7"
    total = json.loads(translate(record(Attempts, at=7200, saddr="10.0.0.8"), window_of))
    assert (total["profileid"], total["twid"]) == ("profile_10.0.0.8", "timewindow3")


def test_evidence_and_alerts_know_their_window() -> None:
    """The profile is the accused one; findings are nested objects."""
    finding = Finding("ARP_SCAN", "scan", ThreatLevel.LOW, 800, "d", "10.0.0.1")
    evidence = Evidence("id", 5, "10.0.0.1", 4, "arp", finding)
    said = json.loads(translate(evidence, window_of))
    assert (said["profileid"], said["twid"]) == ("profile_10.0.0.1", "timewindow4")
    assert json.loads(said["flow"])["finding"]["type"] == "ARP_SCAN"
    alert = Alert("a", 5, "10.0.0.1", 4, 0, 9, 15000, 500, "r", "", (evidence,))
    inside = json.loads(json.loads(translate(alert, window_of))["flow"])
    assert inside["evidence"][0]["finding"]["description"] == "d"
