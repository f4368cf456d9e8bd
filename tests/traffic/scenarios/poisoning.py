"""ARP poisoning as different tools do it, seen from different places; and innocent look-alikes."""

from tests.traffic import frames
from tests.traffic.activities import meet, ping
from tests.traffic.hosts import INTRUDER, LAPTOP, PHONE, ROUTER, SERVER, Host, inside
from tests.traffic.scenarios.registry import scenario
from tests.traffic.timeline import MILLISECOND, MINUTE, SECOND, Trace

MITM = "MITM_ARP_ATTACK"
EVERYONE = Host("255.255.255.255", frames.BROADCAST)


@scenario(MITM)
def arp_spoof_victim_only(trace: Trace) -> None:
    """arpspoof -t: only the laptop is told, each two seconds; nothing else of ARP is captured."""
    for number in range(20):
        trace.arp(number * 2 * SECOND, 2, INTRUDER.as_(ROUTER.ip), LAPTOP)


@scenario(MITM)
def arp_spoof_slow(trace: Trace) -> None:
    """ettercap: both are told each ten seconds; the capture begins in the middle of it."""
    for number in range(6):
        at = number * 10 * SECOND
        trace.arp(at, 2, INTRUDER.as_(ROUTER.ip), LAPTOP)
        trace.arp(at + 10 * MILLISECOND, 2, INTRUDER.as_(LAPTOP.ip), ROUTER)


@scenario(MITM, accused=INTRUDER.ip)
def arp_spoof_requests(trace: Trace) -> None:
    """Questions as poison: the laptop is asked by "the router", whose MAC is the intruder's."""
    meet(trace, 0, LAPTOP, ROUTER)
    meet(trace, SECOND, INTRUDER, ROUTER)
    for number in range(10):
        at = 5 * SECOND + number * 5 * SECOND
        forged = INTRUDER.as_(ROUTER.ip)
        trace.arp(at, 1, forged, LAPTOP, to=LAPTOP.mac)
        trace.arp(at + MILLISECOND, 2, LAPTOP, forged)
        if number % 3 == 0:
            meet(trace, at + SECOND, ROUTER, PHONE)


@scenario(MITM)
def arp_spoof_announced(trace: Trace) -> None:
    """The router's address is announced to everyone each second; the router goes on as ever."""
    meet(trace, 0, INTRUDER, ROUTER)
    meet(trace, SECOND, LAPTOP, ROUTER)
    for number in range(20):
        at = 10 * SECOND + number * SECOND
        trace.arp(at, 2, INTRUDER.as_(ROUTER.ip), EVERYONE, to=frames.BROADCAST)
        if number % 4 == 2:
            meet(trace, at + 300 * MILLISECOND, ROUTER, inside(40 + number))


@scenario(MITM)
def arp_spoof_answers(trace: Trace) -> None:
    """The intruder answers whoever asks for the router, as the router does, too."""
    meet(trace, 0, INTRUDER, SERVER)
    meet(trace, SECOND, SERVER, ROUTER)
    for number in range(12):
        at = 5 * SECOND + number * 4 * SECOND
        asker = (LAPTOP, PHONE)[number % 2]
        trace.arp(at, 1, asker, ROUTER)
        trace.arp(at + 200_000, 2, ROUTER, asker)
        trace.arp(at + 900_000, 2, INTRUDER.as_(ROUTER.ip), asker)


@scenario(MITM)
def arp_spoof_one_side(trace: Trace) -> None:
    """Only the gateway is lied to, about three hosts, each second for a while."""
    for host in (LAPTOP, PHONE, SERVER):
        meet(trace, trace.dice.below(SECOND), host, ROUTER)
    for number in range(8):
        for other, host in enumerate((LAPTOP, PHONE, SERVER)):
            at = 5 * SECOND + number * SECOND + other * MILLISECOND
            trace.arp(at, 2, INTRUDER.as_(host.ip), ROUTER)


@scenario()
def arp_neighbours(trace: Trace) -> None:
    """Hosts renew what they know by questions to one host, seen by one side: answers only."""
    for host in (LAPTOP, PHONE, SERVER):
        for number in range(30):
            at = number * 25 * SECOND + trace.dice.below(8 * SECOND)
            trace.arp(at, 1, host, ROUTER, to=ROUTER.mac)
            trace.arp(at + 300_000, 2, ROUTER, host)
    router = frames.mac_bytes(ROUTER.mac)
    trace.keep(lambda frame: frame[6:12] == router)


@scenario()
def arp_keepers(trace: Trace) -> None:
    """A router polls its clients by directed questions each ten seconds; they answer."""
    for number in range(60):
        for host in (LAPTOP, PHONE, SERVER):
            at = number * 10 * SECOND + trace.dice.below(SECOND)
            trace.arp(at, 1, ROUTER, host, to=host.mac)
            trace.arp(at + 300_000, 2, host, ROUTER)


@scenario()
def arp_takeover(trace: Trace) -> None:
    """keepalived without virtual MACs: an address moves to another machine and back in a day."""
    first, second = inside(11), inside(12)
    for host in (first, second):
        meet(trace, 0, host, ROUTER)
    for turn in range(3):
        owner = (first, second)[turn % 2].as_("192.168.7.200")
        for number in range(10):
            at = MINUTE + turn * 20 * MINUTE + number * SECOND
            trace.arp(at, 1, owner, owner)
        meet(trace, 10 * MINUTE + turn * 20 * MINUTE, PHONE, owner)


@scenario()
def arp_proxy(trace: Trace) -> None:
    """A router answers for hosts of the next network; a repeater lends its MAC to a phone."""
    for number, chosen in enumerate(trace.dice.shuffled(range(1, 31))):
        meet(trace, number * 8 * SECOND, LAPTOP, Host(f"192.168.8.{chosen}", ROUTER.mac))
    repeater = inside(60)
    meet(trace, MINUTE, PHONE, ROUTER)
    behind = Host(PHONE.ip, repeater.mac)
    meet(trace, 3 * MINUTE, repeater, ROUTER)
    meet(trace, 4 * MINUTE, behind, ROUTER)
    meet(trace, 5 * MINUTE, ROUTER, behind)
    ping(trace, 6 * MINUTE, behind, ROUTER, 3)


@scenario()
def arp_conflict(trace: Trace) -> None:
    """Two machines were given one address: both announce, ask and defend."""
    one, two = inside(33), Host(inside(33).ip, inside(34).mac)
    for number in range(10):
        at = number * 20 * SECOND
        trace.arp(at, 1, one, one)
        trace.arp(at + SECOND, 1, two, two)
        meet(trace, at + 3 * SECOND, one, ROUTER)
        meet(trace, at + 9 * SECOND, two, ROUTER)
