"""What single contacts weigh, and whom they add up against."""

from random import Random

import pytest

from hdr_lite.module import Attempts, Fate, Probes
from hdr_lite.module.testing import Harness, record
from hdr_lite.modules.network_discovery.network_discovery import NetworkDiscovery
from hdr_lite.modules.network_discovery.walk import STEP, Walk
from hdr_lite.modules.network_discovery.weights import (
    foreseen_weight,
    horizontal_weight,
    is_peer_port,
    vertical_weight,
)
from tests.hdr_lite.modules.network_discovery.contacts import (
    CLIENT,
    SCANNER,
    fate,
    hosts,
    quiet,
    total,
    types,
    vertical,
)


def test_failures_and_successes_cancel() -> None:
    """Of TCP to a service, in either walk."""
    for outcome, weight in (("refused", STEP), ("answered", -STEP)):
        fate = record(Fate, proto="tcp", dport=22, fate=outcome)
        assert horizontal_weight(fate, inside=True, doubtful=False) == weight
        assert vertical_weight(fate, inside=True, walk=Walk()) == weight


def test_silence_weighs_less_than_refusal() -> None:
    """For UDP, for peers, where nobody answers at all, and on a host that may be down."""
    for fields in ({"proto": "udp", "dport": 53}, {"proto": "tcp", "dport": 6881}):
        silent = record(Fate, fate="unanswered", **fields)
        assert 0 < horizontal_weight(silent, inside=False, doubtful=False) < STEP
    silent = record(Fate, proto="tcp", dport=22, fate="unanswered")
    assert 0 < horizontal_weight(silent, inside=False, doubtful=True) < STEP
    assert 0 < vertical_weight(silent, inside=False, walk=Walk()) < STEP


def test_what_is_foreseen_never_weighs_more_than_its_fate() -> None:
    """Silent it will be, at worst."""
    for proto in ("tcp", "udp"):
        for inside in (False, True):
            fate = record(Fate, proto=proto, dport=4711, fate="unanswered")
            ahead = foreseen_weight(record(Probes, proto=proto, dport=4711), inside)
            assert ahead == vertical_weight(fate, inside, Walk())


def test_peers_listen_on_high_ports() -> None:
    """But for those of ordinary services."""
    assert is_peer_port(6881)
    assert not is_peer_port(8443)
    assert not is_peer_port(1023)


@pytest.mark.parametrize(("outcome", "needed"), [("refused", 4), ("unanswered", 10)])
def test_udp_scans_need_more_when_nobody_refuses(outcome: str, needed: int) -> None:
    """Silence is weak evidence for UDP."""
    harness = Harness(NetworkDiscovery)
    harness.feed(*vertical(needed - 1, outcome, proto="udp", flags=0))
    assert not harness.findings
    harness.feed(fate(9, SCANNER, "10.0.1.1", 999, outcome, proto="udp", flags=0))
    assert types(harness.findings) == {"VERTICAL_PORT_SCAN"}


def test_open_ports_among_the_closed_do_not_hide_a_scan() -> None:
    """One success in ten."""
    harness = Harness(NetworkDiscovery)
    for i in range(40):
        harness.feed(fate(i, SCANNER, "10.0.1.1", 1 + i, "answered" if i % 10 == 5 else "refused"))
    assert any(f.blocking for f in harness.findings)


def test_a_busy_client_is_not_accused() -> None:
    """A thousand web servers, of which one in five does not answer."""
    dice = Random(3)  # noqa: S311
    outcomes = ["answered", "answered", "answered", "answered", "unanswered"]
    assert quiet(
        *(
            fate(i, CLIENT, f"93.184.{i // 250}.{i % 250}", 443, dice.choice(outcomes))
            for i in range(1000)
        )
    )


def test_a_nat_with_many_users_is_not_accused() -> None:
    """Users' dead servers are few against what answers."""
    dice = Random(5)  # noqa: S311
    for i in range(2000):
        port = dice.choice([443, 443, 443, 80, 993, 22, 5222])
        outcome = "refused" if dice.random() < 0.15 else "answered"
        server = f"198.51.{dice.randrange(100)}.{dice.randrange(1, 250)}"
        if i == 0:
            harness = Harness(NetworkDiscovery)
        harness.feed(fate(i * 0.2, CLIENT, server, port, outcome, sport=20000 + i))
    assert not [f for f in harness.findings if f.blocking]
    assert len(harness.findings) <= 1


def test_a_resolver_is_not_accused() -> None:
    """Every third authoritative server is lame."""
    assert quiet(
        *(
            fate(
                i, CLIENT, f"198.51.{i // 200}.{i % 200}", 53,
                "unanswered" if i % 3 == 0 else "answered", proto="udp", flags=0,
            )
            for i in range(600)
        )
    )  # fmt: skip


def test_a_torrent_peer_is_not_accused() -> None:
    """Two in three peers are gone; ports are high and mostly different, 6881 is common."""
    dice = Random(11)  # noqa: S311
    harness = Harness(NetworkDiscovery)
    for i in range(1500):
        peer = f"{dice.randrange(30, 220)}.{dice.randrange(250)}.{dice.randrange(250)}.9"
        port = 6881 if dice.random() < 0.1 else dice.randrange(10000, 65000)
        outcome = dice.choice(["answered", "refused", "unanswered"])
        proto = dice.choice(["tcp", "udp"])
        flags = 2 if proto == "tcp" else 0
        harness.feed(fate(i, CLIENT, peer, port, outcome, proto=proto, flags=flags))
    assert not harness.findings


def test_a_torrent_peers_sums_are_not_accused() -> None:
    """As many addresses as ports: no scan has that shape."""
    assert quiet(total(addresses=300, ports=290, attempts=600, unanswered=600))


def test_a_line_that_is_down_accuses_nobody_at_once() -> None:
    """Twenty servers of a phone do not answer, nor does anybody else; nothing ever blocks."""
    harness = Harness(NetworkDiscovery)
    for i in range(100):
        harness.feed(fate(i, CLIENT, f"93.184.1.{i}", 443, "unanswered"))
        assert i >= 20 or not harness.findings
    assert not any(f.blocking for f in harness.findings)


def test_the_same_while_others_are_answered_is_a_scan() -> None:
    """Then it is not the line."""
    harness = Harness(NetworkDiscovery)
    for i in range(20):
        harness.feed(fate(i, CLIENT, f"93.184.1.{i}", 443, "unanswered"))
        harness.feed(fate(i + 0.5, "10.0.0.8", "93.184.9.9", 443, "answered"))
    assert any(f.blocking for f in harness.findings)


def test_one_direction_of_a_mail_server_never_blocks() -> None:
    """No reply to anybody at all: half of the traffic may not have been captured."""
    harness = Harness(NetworkDiscovery)
    for i in range(200):
        harness.feed(fate(i, CLIENT, f"93.184.1.{i}", 25, "unanswered"))
    assert not any(f.blocking for f in harness.findings)


def test_connections_that_clients_give_up_outside() -> None:
    """The slower of two addresses, and peers."""
    given_up = [
        fate(i, CLIENT, host, port, outcome)
        for i, host in enumerate(hosts(60, "93.184.1"))
        for port in (443 if i % 2 else 51413,)
        for outcome in ("answered", "abandoned")
    ]
    assert quiet(*given_up)


def test_networks_that_drop_quic() -> None:
    """Its clients take TCP; told singly and as a sum."""
    fates = [
        fate(i, CLIENT, h, 443, "unanswered", proto="udp")
        for i, h in enumerate(hosts(90, "93.184.1"))
    ]
    sum_of_them = record(
        Attempts, at=99, role="source", saddr=CLIENT, dport=443, proto="udp",
        addresses=80, ports=1, attempts=90,
    )  # fmt: skip
    heard = fate(0, CLIENT, "93.184.2.1", 53, "answered", proto="udp")
    assert quiet(heard, *fates, sum_of_them)


def test_services_that_ask_services_outside() -> None:
    """A server asks its clients for their NetBIOS names."""
    fates = [
        fate(i, CLIENT, h, 137, "unanswered", proto="udp", sport=137)
        for i, h in enumerate(hosts(60, "93.184.1"))
    ]
    assert quiet(fate(0, CLIENT, "93.184.2.1", 53, "answered", proto="udp"), *fates)
