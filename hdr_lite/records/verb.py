"""What the engine may ask of the enforcer, and what it hears back.

The enforcer believes none of it: every order is checked there against limits and against who
may not be touched. ``evidence`` is the id of the evidence behind an order; an order that comes
again under the same id for the same target (an engine that died and came back) does nothing.
"""

from typing import NamedTuple


class Block(NamedTuple):
    """Drop everything from and to an address: its evidence carries proof."""

    evidence: str
    address: str  #: an address, or the /64 of an IPv6 one: ``2001:db8:1:2::/64``
    seconds: int  #: of a first offence; repeat offenders stay longer
    cause: str  #: type of the evidence, ``PASSWORD_GUESSING``
    port: int  #: that was attacked, 0 when it is not one


class Limit(NamedTuple):
    """Let an address open nothing new, for it is accused without proof."""

    evidence: str
    address: str  #: as in ``Block``
    seconds: int  #: at most 60; renewed while it goes on
    cause: str
    victim: str  #: the attacked address, "" when there are many
    port: int  #: the attacked port, 0 when there are many
    proto: str  #: ``tcp``, ``udp`` or ""
    mac: str  #: of the frames that accuse it, "" when unknown


class Quarantine(NamedTuple):
    """Leave an inside host nothing but DHCP, our DNS and our own page."""

    evidence: str
    mac: str
    address: str  #: that it is accused under, "" when unknown; must be known as that MAC's
    seconds: int
    cause: str
    #: The IPv4 address that it claims falsely, when that is all there is against it: whether it is
    #: the claimant is then found out first. "" when its evidence carries proof.
    claimed: str


class Enforced(NamedTuple):
    """What became of an order.

    ``outcome`` is ``blocked``, ``limited``, ``quarantined``, ``rated`` (a rate limit on what was
    attacked stands for it), ``observed`` (the mode only watches), ``repeated`` (nothing new) or
    ``refused``; ``reason`` says why it is not what was asked, or what would have been done.
    """

    evidence: str
    target: str
    outcome: str
    seconds: int  #: that it holds for
    reason: str


class Ready(NamedTuple):
    """Enforcer: its tables are in place, blocks can be set."""

    text: str  #: in words: mode, what was restored, what cannot be stopped


Order = Block | Limit | Quarantine
