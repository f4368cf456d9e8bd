"""Management sessions: who is logged in keeps the way in, until he guesses passwords there. Pure.

An address and one of our ports: what comes from there towards that port, and what goes back, is
dropped by no block and no limit.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from hdr_lite.enforcer.blocks import Recent
from hdr_lite.enforcer.never_block import Facts
from hdr_lite.enforcer.ruleset import FOREVER, SESSIONS, Element

Session = tuple[str, int]


class Welcome:
    """Which sessions are spared now. Changes are returned as elements to set."""

    def __init__(self) -> None:
        self._spared: dict[Session, None] = {}
        self._unwelcome = Recent(256)

    def end(self, address: str, port: int) -> list[Element]:
        """Whoever guesses passwords at a port is no friend there, logged in or not."""
        self._unwelcome.repeated(f"{address} {port}")
        if (address, port) not in self._spared:
            return []
        del self._spared[(address, port)]
        return [_element((address, port), 0)]

    def update(self, facts: Facts) -> list[Element]:
        """Spare the sessions of now, of inside addresses only."""
        wanted = {
            session: None
            for session in sorted(facts.sessions)
            if f"{session[0]} {session[1]}" not in self._unwelcome and is_inside(facts, session[0])
        }
        gone = [_element(s, 0) for s in self._spared if s not in wanted]
        new = [_element(s, FOREVER) for s in wanted if s not in self._spared]
        self._spared = wanted
        return gone + new

    def everything(self) -> Iterable[Element]:
        """An element for each."""
        return [_element(session, FOREVER) for session in self._spared]

    def ports_of(self, address: str) -> tuple[int, ...]:
        """Where an address is spared."""
        return tuple(port for spared, port in self._spared if spared == address)


def is_inside(facts: Facts, address: str) -> bool:
    """Whether an address is in a network of an inside interface."""
    host = ip_address(address)
    return any(
        c.interface not in facts.outside and c.network.version == host.version and host in c.network
        for c in facts.connected
    )


def _element(session: Session, seconds: int) -> Element:
    address, port = session
    name = SESSIONS[":" in address]
    return Element(name, f"{address} . {port}", seconds, there=seconds != 0)
