"""What the supervisor is told about each process that it shall run, and about what is its own.

The table itself, a :class:`Role` for each process in the order of the data, is filled in
where the parts are wired together (``hdr_lite.cli.daemon``).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hdr_lite.link.codec import Message
from hdr_lite.supervisor.child import Main
from hdr_lite.supervisor.privileges import Privileges


@dataclass(frozen=True, slots=True)
class Role:
    """A line of the table of processes."""

    name: str
    main: Main
    ready: type[Message]  #: the first message of this type says that it works
    privileges: Privileges = Privileges()  #: what it keeps
    keeps: tuple[int, ...] = ()  #: descriptors that are handed over; all others are closed
    #: Opens what needs a privilege, before that is given up; it may keep what it opened.
    open: Callable[[], None] | None = None
    #: Message that it sends -> name of the process that gets it.
    routes: Mapping[type[Message], str] = field(default_factory=dict)
    #: Message that it sends -> what the supervisor does about it, without waiting.
    takes: Mapping[type[Message], Callable[[Any], None]] = field(default_factory=dict)
    #: What names an order that is routed to it, and the answer that it sends about that. An
    #: order stays until it is answered: a process that died before that finds it again.
    order: Callable[[Message], str] | None = None
    #: Whether it takes ``Reload``. One that does not is started anew where its settings change.
    reloads: bool = False
    #: Whether it ends by itself once the process before it has; else a SIGTERM ends it.
    follows: bool = False
    verbs: frozenset[str] = frozenset()  #: of the control socket that are its to answer
    asks: frozenset[str] = frozenset()  #: of the control socket that it may ask by ``Request``


class Keeper(Protocol):
    """Sees after something that is the supervisor's own."""

    def fileno(self) -> int:
        """Polls readable when there is something to see after."""

    def look_after(self) -> Iterable[str]:
        """Do so now, also when time has passed; what a person should know of that."""
