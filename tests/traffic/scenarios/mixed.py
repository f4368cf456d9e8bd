"""Attacks in the midst of ordinary traffic: the demonstration, and what the live test replays."""

from tests.traffic.activities import browse, meet, ping
from tests.traffic.frames import SYN
from tests.traffic.hosts import INTRUDER, LAPTOP, PHONE, ROUTER, SERVER
from tests.traffic.scenarios.arp import poison
from tests.traffic.scenarios.ordinary import household
from tests.traffic.scenarios.registry import scenario
from tests.traffic.scenarios.scans import vertical
from tests.traffic.scenarios.ssh import ATTACKER, guess
from tests.traffic.timeline import MILLISECOND, MINUTE, SECOND, Trace

ATTACKS = ("VERTICAL_PORT_SCAN", "PASSWORD_GUESSING", "MITM_ARP_ATTACK")


@scenario(*ATTACKS)
def demo(trace: Trace) -> None:
    """Five minutes of a household in which a port scan, ssh guessing and an ARP attack happen."""
    household(trace, 5)
    meet(trace, MINUTE, INTRUDER, ROUTER)
    meet(trace, MINUTE + SECOND, INTRUDER, SERVER)
    vertical(trace, MINUTE + 2 * SECOND, INTRUDER, SERVER, SYN, 400, 8 * MILLISECOND)
    for number in range(40):
        guess(trace, 2 * MINUTE + number // 4 * 3 * SECOND, ATTACKER, 1)
    poison(trace, 3 * MINUTE + 20 * SECOND, 40, 2 * SECOND)


@scenario(*ATTACKS)
def live(trace: Trace) -> None:
    """A minute with browsing, pings and the three attacks, to be replayed at its own pace."""
    meet(trace, 0, LAPTOP, ROUTER)
    meet(trace, SECOND, INTRUDER, ROUTER)
    ping(trace, 2 * SECOND, LAPTOP, SERVER, 3)
    browse(trace, 3 * SECOND, LAPTOP, 10, 4 * SECOND)
    browse(trace, 4 * SECOND, PHONE, 8, 4 * SECOND)
    vertical(trace, 10 * SECOND, INTRUDER, SERVER, SYN, 300, 20 * MILLISECOND)
    for number in range(32):
        at = 18 * SECOND + number // 4 * 3 * SECOND
        guess(trace, at, ATTACKER, 1, delay=900 * MILLISECOND)
    poison(trace, 45 * SECOND, 14, SECOND)


@scenario(*ATTACKS)
def live_short(trace: Trace) -> None:
    """The same within seven seconds."""
    meet(trace, 0, LAPTOP, ROUTER)
    meet(trace, 100 * MILLISECOND, INTRUDER, ROUTER)
    vertical(trace, SECOND, INTRUDER, SERVER, SYN, 300, 6 * MILLISECOND)
    for number in range(32):
        at = 3 * SECOND + number // 4 * 300 * MILLISECOND
        guess(trace, at, ATTACKER, 1, rtt=4 * MILLISECOND, delay=100 * MILLISECOND)
    poison(trace, 6 * SECOND, 10, 100 * MILLISECOND)
