"""The module author's harness: build a module, feed it records, look at what it found.

A test needs neither engine nor capture::

    harness = Harness(LocalConnectionDetector)
    harness.feed(record(Flow, at=1.5, saddr="10.0.0.1", daddr="10.0.0.2"))
    assert [f.type for f in harness.findings] == ["ConnectionToLocalDevice"]

Exceptions of the module pass through. Traffic time is what the records say.
"""

import gc
import ipaddress
import sys
from collections import deque
from collections.abc import Mapping
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, TypeVar, get_type_hints

from hdr_lite.channels import CHANNELS, channel
from hdr_lite.module.base import Module
from hdr_lite.records.evidence import Finding

R = TypeVar("R")

SECOND = 1_000_000_000

#: The inside of the watched network unless a test says otherwise.
HOME = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10")

_ZERO: Mapping[Any, Any] = MappingProxyType({str: "", int: 0, bool: False})
_blanks: dict[type[Any], tuple[tuple[str, ...], dict[str, Any]]] = {}  #: by class, once made
_SHARED = (type, ModuleType, FunctionType)


def record(kind: type[R], at: float = 0.0, **fields: Any) -> R:
    """A record of a class of ``hdr_lite.records`` at a time in seconds.

    Fields that are not given are 0, "", False, or empty; ``ts`` (``first`` and ``last`` of
    sums) is the time.
    """
    if kind not in _blanks:
        _blanks[kind] = _blank(kind)
    times, values = _blanks[kind]
    return kind(**(values | dict.fromkeys(times, round(at * SECOND)) | fields))


def _blank(kind: type[Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The fields that are times, and the others with their zeroes."""
    hints = get_type_hints(kind)
    times = tuple(name for name in hints if name in ("ts", "first", "last"))
    return times, {
        name: _ZERO.get(hint, () if str(hint).startswith("tuple") else None)
        for name, hint in hints.items()
        if name not in times
    }


def _channel_of(message: object) -> str:
    """The first channel that carries this type of message."""
    for row in CHANNELS.values():
        if row.message is type(message):
            return row.name
    raise TypeError(f"no channel carries {type(message).__name__}")


def _time_of(message: object) -> int:
    """When a record is told: the end of a flow or a sum, else its time."""
    last: int = getattr(message, "last", 0) or getattr(message, "ts", 0)
    if type(message).__name__ == "Flow":
        last += getattr(message, "duration", 0)
    return last


class FakeContext:
    """A ``Context`` with a clock, home networks and queues of its own."""

    def __init__(
        self, options: Mapping[str, Any], home: tuple[str, ...], window: float = 3600.0
    ) -> None:
        self.options = options
        self.clock = 0  #: ns; moved by the harness
        self.findings: list[Finding] = []
        self.log_lines: list[str] = []
        self.published: list[tuple[str, Any]] = []
        self.queues: dict[str, deque[dict[str, Any]]] = {}
        self._window = round(window * SECOND)
        self._home = [ipaddress.ip_network(network) for network in home]

    def now(self) -> int:
        """Traffic time, ns."""
        return self.clock

    def window(self, ts: int) -> int:
        """Windows are counted from time 0."""
        return ts // self._window + 1

    def is_inside(self, address: str) -> bool:
        """Whether a home network holds the address."""
        ip = ipaddress.ip_address(address)
        return any(ip in network for network in self._home)

    def report(self, module: str, finding: Finding) -> str:
        """Collect; the id is the finding's number."""
        self.findings.append(finding)
        return f"{module}-{len(self.findings)}"

    def subscribe(self, module: Module, name: str) -> object:
        """Keep a queue for the channel."""
        return self.queues.setdefault(channel(name).name, deque())

    def get_msg(self, module: Module, name: str) -> dict[str, Any] | None:
        """The oldest message, or None."""
        queue = self.queues.get(name)
        return queue.popleft() if queue else None

    def publish(self, module: Module, name: str, message: Any) -> None:
        """Remember what was published."""
        self.published.append((channel(name).name, message))

    def log(self, module: str, text: str, verbose: int, debug: int) -> None:
        """Remember the line."""
        self.log_lines.append(text)


class Harness:
    """One module with a context of its own."""

    def __init__(
        self, module: type[Module], *, home: tuple[str, ...] = HOME, **options: Any
    ) -> None:
        """``options`` override the defaults that the module declares."""
        declared = {option.name: option.default for option in module.options}
        unknown = sorted(set(options) - set(declared))
        if unknown:
            raise ValueError(f"{module.name} declares no option {unknown[0]!r}")
        self.context = FakeContext(declared | options, home)
        self.module = module(self.context)
        self._handled = frozenset(module.handled())
        self.module.init()
        self.ended = bool(self.module.pre_main())

    @property
    def findings(self) -> list[Finding]:
        """All evidence so far."""
        return self.context.findings

    def feed(self, *messages: object, on: str = "") -> list[Finding]:
        """Give messages to the module; the findings they led to.

        The channel is that of the message's type, or ``on``. The clock never goes back.
        """
        before = len(self.findings)
        for message in messages:
            name = on or _channel_of(message)
            self.context.clock = max(self.context.clock, _time_of(message))
            if name in self._handled:
                getattr(self.module, name)(message)
            if name in self.context.queues:
                self.context.queues[name].append({"channel": name, "data": message})
                self._run_main()
        return self.findings[before:]

    def _run_main(self) -> None:
        while not self.ended and any(self.context.queues.values()):
            waiting = sum(map(len, self.context.queues.values()))
            self.ended = bool(self.module.main())
            if sum(map(len, self.context.queues.values())) == waiting:
                return

    def held(self) -> int:
        """Bytes of the objects that the module holds, classes, code and context apart."""
        seen = {id(self.context), id(self.module)}
        pending: list[object] = list(vars(self.module).values())
        total = 0
        while pending:
            item = pending.pop()
            if id(item) in seen or isinstance(item, _SHARED):
                continue
            seen.add(id(item))
            total += sys.getsizeof(item)
            pending.extend(gc.get_referents(item))
        return total
