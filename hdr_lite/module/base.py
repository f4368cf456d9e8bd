"""The base class of every detection module, and what the engine gives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from hdr_lite.channels import CHANNELS, UnknownChannel
from hdr_lite.records.evidence import FAMILY_OF, Finding, ThreatLevel


class Context(Protocol):
    """What the engine gives a module; a module reaches nothing else.

    ``options`` are the module's settings, checked against its declarations.
    """

    options: Mapping[str, Any]

    def now(self) -> int:
        """Traffic time, ns."""

    def window(self, ts: int) -> int:
        """Number of the time window, from 1, that holds a time."""

    def is_inside(self, address: str) -> bool:
        """Whether the address belongs to the watched network."""

    def report(self, module: str, finding: Finding) -> str:
        """Set evidence at ``finding.ts``, or now when that is 0.

        Returns its id (that of the first when it is a repeat).
        """

    def subscribe(self, module: "Module", channel: str) -> object:
        """Have messages of a channel kept for the module's ``get_msg``.

        Raises ``UnknownChannel``.
        """

    def get_msg(self, module: "Module", channel: str) -> dict[str, Any] | None:
        """The module's oldest message of the channel as ``{'channel', 'data'}``, or None.

        All subscribers are given the same dict, so that the compatibility layer
        translates a message once, in place, however many modules read it.
        """

    def publish(self, module: "Module", channel: str, message: Any) -> None:
        """Give a message to every module that subscribed to the channel."""

    def log(self, module: str, text: str, verbose: int, debug: int) -> None:
        """Slips' print: to hdr-lite.log, to the terminal at that verbosity."""


@dataclass(frozen=True, slots=True)
class Option:
    """A setting that a module declares: key of ``[modules.NAME]`` in the configuration."""

    name: str
    default: int | float | str | bool
    help: str
    minimum: float | None = None
    maximum: float | None = None


class Module:
    """Base of detection modules. See the package docstring for the shape of one."""

    name: ClassVar[str] = ""
    description: ClassVar[str] = ""
    authors: ClassVar[tuple[str, ...] | list[str]] = ()
    enabled_by_default: ClassVar[bool] = True  #: False: runs when ``[modules] enable`` names it
    budget: ClassVar[int] = 256 * 1024  #: bytes that the module may hold
    budget_reason: ClassVar[str] = ""  #: why it needs more than 256 kB
    options: ClassVar[tuple[Option, ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context

    @classmethod
    def handled(cls) -> tuple[str, ...]:
        """The channels that the class has a method for.

        A public method called ``new_...`` that is no channel raises ``UnknownChannel``, so
        that a misspelt subscription is told rather than never called.
        """
        for name in dir(cls):
            if name.startswith("new_") and name not in CHANNELS and callable(getattr(cls, name)):
                raise UnknownChannel(name)
        return tuple(name for name in CHANNELS if callable(getattr(cls, name, None)))

    # What an author may define -----------------------------------------------------------

    def init(self) -> None:
        """Called once, before any traffic."""

    def pre_main(self) -> object:
        """Called once after init; a true value ends the module."""

    def main(self) -> object:
        """For modules that read with ``get_msg`` (the seed's way) rather than by methods.

        Called again and again in the module's turn while it takes messages; a true value
        ends the module. One written as a generator goes on in a later turn after each yield.
        """
        return None

    def shutdown_gracefully(self) -> None:
        """Called once when the engine stops or the module ends."""

    # What an author may use --------------------------------------------------------------

    def option(self, name: str) -> Any:
        """Value of a declared option."""
        return self._context.options[name]

    def is_inside(self, address: str) -> bool:
        """Whether the address belongs to the watched network."""
        return self._context.is_inside(address)

    def now(self) -> int:
        """Traffic time in ns; detection knows no other."""
        return self._context.now()

    def get_msg(self, channel: str) -> dict[str, Any] | None:
        """The oldest waiting message of a channel given to ``subscribe``, or None."""
        return self._context.get_msg(self, channel)

    def subscribe(self, channel: str) -> object:
        """Have messages of a channel kept for ``get_msg``; to be called in ``init``."""
        return self._context.subscribe(self, channel)

    def publish(self, channel: str, message: Any) -> None:
        """Give a message to every module that subscribed to the channel."""
        self._context.publish(self, channel, message)

    def print(self, text: object, verbose: int = 1, debug: int = 0) -> None:
        """Log a line, as Slips' print: shown from the given verbosity and debug level."""
        self._context.log(self.name, str(text), verbose, debug)

    def set_evidence(
        self,
        type: str,
        *,
        attacker: str,
        threat_level: ThreatLevel,
        confidence: float,
        description: str,
        family: str = "",
        **rest: Any,
    ) -> str:
        """Set evidence about ``attacker``; returns the evidence id.

        ``confidence`` is 0 to 1. ``rest`` are further fields of
        :class:`~hdr_lite.records.evidence.Finding`. ``family`` may be left out for a type
        of :data:`~hdr_lite.records.evidence.FAMILY_OF`.
        """
        finding = Finding(
            type=type,
            family=family or FAMILY_OF[type],
            threat_level=threat_level,
            confidence=max(0, min(1000, round(confidence * 1000))),
            description=description,
            attacker=attacker,
            **rest,
        )
        return self._context.report(self.name, finding)
