"""Who holds which address on a link, and claims that contradict it.

Theory of operation. The *holder* of an address is the hardware address that claimed it
first, for as long as it goes on; after five minutes of silence another may follow (a lease
that went to somebody else, a failover). A claim by another is *false* in one of these cases:

- directed: told to somebody (a reply that nobody asked for, or a request sent to one host)
  while the holder has spoken since; for replies it is enough that the claimant has another
  address of its own (a request may come from a host that has moved behind a repeater);
- crossed: the claimant tells Y that it has X and tells X that it has Y, so that all they
  say to each other goes through it;
- contradicted: the claimant asks for the very address that it has just claimed. Two hosts
  behind one repeater look the same, so that counts once and no more;
- insisted: the same unasked reply to the same host again and again, faster than anybody
  renews what he knows (RFC 1122, 2.3.2.1, advises a minute). Where questions are not
  captured, answers look like that, too: by itself it never makes sure;
- disputed: by one that has another address of its own, within a minute of its last claim
  and with the holder having spoken in between, told to everyone; or as a second answer to a
  question that the holder has answered.

Announcements (sender and target address the same) and answers to questions are never false
otherwise: that is how leases, failovers and proxies work. Virtual addresses of VRRP, CARP,
HSRP and GLBP move by design. Each false claim is a strike against the claimant.
"""

from typing import NamedTuple

from hdr_lite.module import Arp, BoundedTable

_SECOND = 1_000_000_000
#: Silence after which a holder may be followed.
STALE = 300 * _SECOND
#: A question explains answers for this long.
ASKED = 5 * _SECOND
#: A crossed claim pairs with one that is no older; a contradiction likewise.
PAIRED = 60 * _SECOND
#: An unasked reply is repeated when it follows the same one within this.
INSIST_GAP = 15 * _SECOND
#: Such repetitions from which it is a strike; again at each doubling.
INSISTED = 4
#: Strikes are forgotten after this long without another.
FORGIVEN = 3600 * _SECOND
_BROADCAST = "ff:ff:ff:ff:ff:ff"
_UNKNOWN = ("", "00:00:00:00:00:00")
_NO_IP = "0.0.0.0"  # noqa: S104 - the address of who has none

#: VRRP and CARP (RFC 9568) for both families, HSRP versions 1 and 2, GLBP.
_VIRTUAL = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f", "00:07:b4:")

Link = tuple[int, int]


class Suspicion(NamedTuple):
    """A claimant that has earned a report."""

    own_ip: str  #: the address that it holds by right, "" if none is known
    claimed: str
    reason: str
    confidence: int  #: thousandths


class _Holder:
    __slots__ = ("earnest", "last", "mac")

    def __init__(self) -> None:
        self.mac = ""
        self.last = 0
        self.earnest = False  #: claimed for its own use: asked, announced, or answered


class _Claimant:
    """What one hardware address has said lately."""

    __slots__ = ("claims", "last", "repeats", "strikes", "sure", "told")

    def __init__(self) -> None:
        self.claims: dict[str, tuple[int, str]] = {}  #: address -> when, to whom; newest last
        self.repeats: dict[str, int] = {}  #: address -> the same unasked replies in a row
        self.strikes = 0
        self.sure = False  #: a strike was for more than insisting or a second answer
        self.last = 0  #: time of the last strike
        self.told = 0  #: strikes when it was reported

    def claim(self, now: int, address: str, to: str) -> None:
        self.claims.pop(address, None)
        self.claims[address] = (now, to)
        if len(self.claims) > 8:
            oldest = next(iter(self.claims))
            del self.claims[oldest]
            self.repeats.pop(oldest, None)

    def insist(self, now: int, address: str, to: str) -> int:
        """Note an unasked reply, before ``claim``; the number of its like in a row."""
        when, before = self.claims.get(address, (0, ""))
        again = before == to and now - when <= INSIST_GAP
        self.repeats[address] = self.repeats.get(address, 0) + 1 if again else 1
        return self.repeats[address]

    def recent(self, now: int, address: str) -> str | None:
        """To whom it claimed the address within PAIRED, None if it did not."""
        when, to = self.claims.get(address, (0, ""))
        return to if address in self.claims and now - when <= PAIRED else None


class Holders:
    """Claims of all links, in bounded memory."""

    def __init__(self) -> None:
        self._holders: BoundedTable[tuple[Link, str], _Holder] = BoundedTable(512, _Holder)
        self._claimants: BoundedTable[tuple[Link, str], _Claimant] = BoundedTable(256, _Claimant)
        self._questions: BoundedTable[tuple[Link, str, str], list[int]] = BoundedTable(
            256, lambda: [0]
        )

    def claim(self, now: int, arp: Arp) -> Suspicion | None:
        """Take a message; what it makes the sender suspect of, when that is to be told."""
        if arp.sender_ip == _NO_IP or arp.sender_mac.startswith(_VIRTUAL):
            return None
        link = (arp.interface, arp.vlan)
        claimant = self._claimants.use((link, arp.sender_mac))
        holder = self._holders.use((link, arp.sender_ip))
        directed = self._is_directed(now, arp, link)
        strikes, reason = self._judge(now, arp, link, claimant, holder, directed)
        self._note(now, arp, link, claimant, holder, directed)
        if not strikes:
            return None
        if now - claimant.last > FORGIVEN:
            claimant.strikes = claimant.told = 0
            claimant.sure = False
        claimant.strikes += strikes
        claimant.sure = claimant.sure or reason not in (_INSISTED, _SECOND_ANSWER)
        claimant.last = now
        if claimant.strikes < 2 or claimant.strikes < 2 * claimant.told:
            return None
        claimant.told = claimant.strikes
        own = self._own(link, arp.sender_mac, claimant)
        own = "" if reason == _INSISTED and own == arp.sender_ip else own
        return Suspicion(
            own_ip=own,
            claimed=arp.target_ip if reason == _CONTRADICTED else arp.sender_ip,
            reason=reason,
            confidence=min(_most(own, claimant.sure), 200 + 100 * claimant.strikes),
        )

    def _judge(
        self,
        now: int,
        arp: Arp,
        link: Link,
        claimant: _Claimant,
        holder: _Holder,
        directed: bool,
    ) -> tuple[int, str]:
        """Strikes for this message, and why."""
        if arp.sender_ip == arp.target_ip or (arp.operation == "reply" and _is_to_all(arp)):
            return self._judge_announcement(now, arp, link, claimant, holder)
        if arp.operation == "request" and claimant.recent(now, arp.target_ip) is not None:
            return 0 if claimant.strikes else 2, _CONTRADICTED
        if not directed:
            return self._judge_answer(now, arp, link, claimant, holder)
        repeats = 0
        if arp.operation == "reply":
            repeats = claimant.insist(now, arp.sender_ip, arp.target_ip)
        if claimant.recent(now, arp.target_ip) == arp.sender_ip:
            return 2, _CROSSED
        strikes, reason = self._judge_directed(now, arp, link, claimant, holder)
        if not strikes and repeats >= INSISTED and repeats & (repeats - 1) == 0:
            return 2, _INSISTED
        return strikes, reason

    def _judge_directed(
        self, now: int, arp: Arp, link: Link, claimant: _Claimant, holder: _Holder
    ) -> tuple[int, str]:
        """Told to one host, and not crossed."""
        if not _is_of_another(now, arp, holder):
            return 0, ""
        claimed_before, _ = claimant.claims.get(arp.sender_ip, (0, ""))
        contested = arp.sender_ip in claimant.claims and holder.last > claimed_before
        if contested:
            return 1, f"{holder.mac} has it and still says so"
        if arp.operation == "reply" and self._own(link, arp.sender_mac, claimant):
            return 1, f"{holder.mac} has it"
        return 0, ""

    def _judge_announcement(
        self, now: int, arp: Arp, link: Link, claimant: _Claimant, holder: _Holder
    ) -> tuple[int, str]:
        """Told to everyone: false if the holder said otherwise since it was told last."""
        claimed_before, _ = claimant.claims.get(arp.sender_ip, (0, ""))
        disputed = (
            arp.sender_ip in claimant.claims
            and now - claimed_before <= PAIRED
            and holder.last > claimed_before
            and _is_of_another(now, arp, holder)
        )
        if disputed and self._own(link, arp.sender_mac, claimant):
            return 1, f"{holder.mac} has it and still says so"
        return 0, ""

    def _judge_answer(
        self, now: int, arp: Arp, link: Link, claimant: _Claimant, holder: _Holder
    ) -> tuple[int, str]:
        """An answer to a question: false if the holder has given it already."""
        question = self._questions.get((link, arp.target_ip, arp.sender_ip))
        if arp.operation != "reply" or question is None or holder.last < question[0]:
            return 0, ""
        if _is_of_another(now, arp, holder) and self._own(link, arp.sender_mac, claimant):
            return 1, _SECOND_ANSWER
        return 0, ""

    def _is_directed(self, now: int, arp: Arp, link: Link) -> bool:
        """Told to one host that did not ask."""
        if arp.dmac == _BROADCAST or arp.sender_ip == arp.target_ip:
            return False
        if arp.operation == "request":
            return arp.dmac not in _UNKNOWN  # cooked captures do not tell to whom
        question = self._questions.get((link, arp.target_ip, arp.sender_ip))
        return question is None or now - question[0] > ASKED

    def _note(
        self,
        now: int,
        arp: Arp,
        link: Link,
        claimant: _Claimant,
        holder: _Holder,
        directed: bool,
    ) -> None:
        if holder.mac != arp.sender_mac and (not holder.mac or now - holder.last > STALE):
            holder.mac, holder.earnest = arp.sender_mac, False
        if holder.mac == arp.sender_mac:
            holder.last = now
            holder.earnest = holder.earnest or not directed
        to = "" if arp.sender_ip == arp.target_ip else arp.target_ip
        claimant.claim(now, arp.sender_ip, to)
        if arp.operation == "request":
            self._questions.use((link, arp.sender_ip, arp.target_ip))[0] = now

    def _own(self, link: Link, mac: str, claimant: _Claimant) -> str:
        """An address that the claimant holds for its own use, "" if none is known."""
        for address in claimant.claims:
            holder = self._holders.get((link, address))
            if holder is not None and holder.mac == mac and holder.earnest:
                return address
        return ""


def _is_to_all(arp: Arp) -> bool:
    return arp.dmac == _BROADCAST


def _is_of_another(now: int, arp: Arp, holder: _Holder) -> bool:
    """Whether another than the sender holds the address, not as a virtual one, and lives."""
    if holder.mac in ("", arp.sender_mac) or holder.mac.startswith(_VIRTUAL):
        return False
    return now - holder.last <= STALE


def _most(own: str, sure: bool) -> int:
    """The highest confidence, thousandths: less of one whose own address is not known."""
    if not sure:
        return 600 if own else 300
    return 950 if own else 500


_INSISTED = "it says so again and again, and nobody asks"
_SECOND_ANSWER = "its holder has given the same answer just before"
_CONTRADICTED = "it claimed that address and now asks for it"
_CROSSED = "it tells each of two hosts that it is the other"
