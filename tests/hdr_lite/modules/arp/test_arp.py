"""ARP findings: types, levels, repeats and bounds."""

from collections.abc import Iterator
from typing import Any

from hdr_lite.module import Arp as ArpMessage
from hdr_lite.module import ThreatLevel
from hdr_lite.module.testing import Harness, record
from hdr_lite.modules.arp.arp import Arp
from tests.hdr_lite.modules.heap import peak_of

ALL = "ff:ff:ff:ff:ff:ff"
MAC, IP = "02:00:00:00:00:66", "10.0.0.66"


def request(at: float, target: str, **fields: Any) -> ArpMessage:
    usual = {
        "operation": "request", "sender_mac": MAC, "sender_ip": IP, "smac": MAC,
        "target_mac": "00:00:00:00:00:00", "dmac": ALL,
    }  # fmt: skip
    return record(ArpMessage, at=at, target_ip=target, **(usual | fields))


def reply(at: float, sender: str, target: str, **fields: Any) -> ArpMessage:
    usual = {"operation": "reply", "target_mac": ALL, "sender_ip": sender}
    return request(at, target, **(usual | fields))


def test_a_scan_is_low_then_medium() -> None:
    """Told at 5, 25 and 100 addresses; wide ones are medium."""
    harness = Harness(Arp)
    for i in range(200):
        harness.feed(request(i * 0.02, f"10.0.0.{i}"))
    assert [f.type for f in harness.findings] == ["ARP_SCAN"] * 3
    assert [f.threat_level for f in harness.findings] == [
        ThreatLevel.LOW, ThreatLevel.MEDIUM, ThreatLevel.MEDIUM,
    ]  # fmt: skip
    first = harness.findings[0]
    assert (first.confidence, first.family, first.attacker) == (800, "scan", IP)
    assert first.attacker_mac == MAC
    assert first.description == "asked for 5 addresses within 30 seconds"
    assert not any(f.blocking for f in harness.findings)


def test_a_scan_is_told_again_after_an_hour() -> None:
    """Not in each half minute that it lasts."""
    harness = Harness(Arp)
    for i in range(7200):
        harness.feed(request(i, f"10.0.{i % 8}.{i % 250}"))
    assert 3 <= len(harness.findings) <= 5


def test_few_or_slow_requests_are_no_scan() -> None:
    """Four neighbours, asked for again and again, and one each minute."""
    harness = Harness(Arp)
    for i in range(300):
        harness.feed(request(i, f"10.0.0.{i % 4}"))
    for i in range(60):
        harness.feed(request(400 + 60 * i, f"10.0.1.{i}"))
    assert not harness.findings


def test_probes_and_announcements_are_no_scan() -> None:
    """RFC 5227: a probe has no sender, an announcement asks for the sender itself."""
    harness = Harness(Arp)
    for i in range(50):
        if i < 20:
            harness.feed(request(i * 0.1, f"10.0.0.{i * 7}", sender_ip="0.0.0.0"))
        harness.feed(request(i * 0.1, f"10.0.0.{i}", sender_ip=f"10.0.0.{i}"))
    assert not harness.findings


def test_who_has_no_address_may_scan() -> None:
    """Twenty-five addresses in half a minute are more than conflicts with others explain."""
    harness = Harness(Arp)
    for i in range(25):
        harness.feed(request(i * 0.1, f"10.0.0.{i * 7}", sender_ip="0.0.0.0"))
    (finding,) = harness.findings
    assert (finding.type, finding.threat_level) == ("ARP_SCAN", ThreatLevel.MEDIUM)
    assert finding.attacker_mac == MAC


def test_ten_addresses_in_turn_are_a_scan() -> None:
    """In the order of their numbers, with small gaps, retries between, at ten seconds each."""
    harness = Harness(Arp)
    for i in range(10):
        harness.feed(*[request(i * 10, f"10.0.0.{1 + i * 3}")] * 2)
    (finding,) = harness.findings
    assert (finding.type, finding.threat_level) == ("ARP_SCAN", ThreatLevel.MEDIUM)
    assert finding.description == "asked for 10 addresses one after the other"


def test_a_jump_or_a_pause_ends_the_turn() -> None:
    """Nine in turn, then elsewhere; or half a minute of silence."""
    harness = Harness(Arp)
    for i in range(40):
        harness.feed(request(i * 10, f"10.0.{i // 9}.{1 + i % 9}"))
    for i in range(20):
        harness.feed(request(1000 + i * 31, f"10.0.9.{1 + i}"))
    assert not harness.findings


def test_a_foreign_address_is_told_once() -> None:
    """Public, of another range, and not of the watched network."""
    harness = Harness(Arp)
    for i in range(4):
        harness.feed(request(i, "198.51.100.7"), request(i, "8.8.8.8"))
    assert [(f.type, f.victim) for f in harness.findings] == [
        ("ARP_OUTSIDE_LOCALNET", "198.51.100.7"),
        ("ARP_OUTSIDE_LOCALNET", "8.8.8.8"),
    ]
    assert all((f.threat_level, f.confidence) == (200, 600) for f in harness.findings)


def test_addresses_that_belong_on_a_link() -> None:
    """Private, link-local and watched ones, and those of the sender's own range."""
    harness = Harness(Arp, home=("10.0.0.0/8", "93.184.0.0/16"))
    for target in ("192.168.1.1", "172.16.0.1", "169.254.9.9", "93.184.1.1"):
        harness.feed(request(1, target))
    harness.feed(request(60, "24.1.2.3", sender_ip="24.166.172.1"))
    assert not harness.findings


def test_an_answer_to_everyone_is_told_once_an_hour() -> None:
    """Low: it may be a takeover, and it is not told for each of them."""
    harness = Harness(Arp)
    for i in range(20):
        harness.feed(reply(i, IP, "255.255.255.255"))
    (finding,) = harness.findings
    assert (finding.type, finding.threat_level, finding.confidence) == ("UNSOLICITED_ARP", 200, 800)
    assert harness.feed(reply(4000, IP, "255.255.255.255"))


def test_an_answer_to_one_is_ordinary() -> None:
    """That is what replies are for."""
    harness = Harness(Arp)
    answer = reply(1, IP, "10.0.0.1", dmac="02:00:00:00:00:01", target_mac="02:00:00:00:00:01")
    assert not harness.feed(answer)


def test_other_operations_are_claims_only() -> None:
    """Reverse ARP and the like are neither requests nor replies."""
    harness = Harness(Arp)
    assert not harness.feed(*(request(i, f"10.0.0.{i}", operation="3") for i in range(50)))


def poisoning(own: bool) -> Harness:
    """The router and a victim are told by MAC that it is the other, ten times."""
    harness = Harness(Arp)
    router, victim = "02:00:00:00:00:01", "02:00:00:00:00:02"
    if own:
        harness.feed(request(1, "10.0.0.1"))
    for i in range(10):
        at = 10.0 + 2 * i
        harness.feed(
            reply(at, "10.0.0.1", "10.0.0.2", target_mac=victim, dmac=victim),
            reply(at + 0.1, "10.0.0.2", "10.0.0.1", target_mac=router, dmac=router),
        )
    return harness


def test_a_man_in_the_middle_is_accused_under_his_own_address() -> None:
    """Critical, growing with repetition, and blocking once it is sure."""
    findings = poisoning(own=True).findings
    assert {f.type for f in findings} == {"MITM_ARP_ATTACK"}
    assert all(f.threat_level == ThreatLevel.CRITICAL for f in findings)
    assert {f.attacker for f in findings} == {IP}
    assert {f.attacker_mac for f in findings} == {MAC}
    assert [f.confidence for f in findings] == sorted(f.confidence for f in findings)
    assert [f.blocking for f in findings] == [f.confidence >= 800 for f in findings]
    assert findings[-1].blocking
    assert not any(f.proof for f in findings)


def test_without_an_address_of_its_own_it_never_blocks() -> None:
    """The claimed address is the victim's; the hardware address is still told."""
    findings = poisoning(own=False).findings
    assert findings
    assert not any(f.blocking for f in findings)
    assert all(f.confidence <= 500 for f in findings)
    assert {f.attacker_mac for f in findings} == {MAC}


def flood() -> Iterator[ArpMessage]:
    """A thousand hardware addresses, each of which claims and asks for everything."""
    for i in range(15000):
        mac = f"02:00:00:00:{i % 4:02x}:{i // 4 % 256:02x}"
        sender = f"100.100.{100 + i % 10}.{100 + i // 10 % 150}"
        target = f"100.{100 + i % 149}.{100 + i % 131}.{100 + i % 113}"
        dmac = "02:00:00:00:00:01" if i % 3 else ALL
        if i % 5 < 2:
            yield reply(i * 0.001, sender, target, sender_mac=mac, dmac=dmac)
        else:
            yield request(i * 0.001, target, sender_mac=mac, sender_ip=sender, dmac=dmac)


def test_memory_is_bounded() -> None:
    """Whatever is claimed and asked for by whomever."""
    assert peak_of(Arp, flood()) < Arp.budget
