"""What single contacts weigh; what comes of it is in test_network_discovery.py."""

from hdr_lite.module import Fate, Probes
from hdr_lite.module.testing import record
from hdr_lite.modules.network_discovery.walk import STEP, Walk
from hdr_lite.modules.network_discovery.weights import (
    foreseen_weight,
    horizontal_weight,
    is_peer_port,
    vertical_weight,
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
