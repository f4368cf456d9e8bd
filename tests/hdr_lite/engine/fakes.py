"""Fakes at the engine's edges: a ring that is a list, a link that remembers, an output."""

import os
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import hdr_lite.modules
from hdr_lite.config import Config, ModulesConfig
from hdr_lite.engine.process import Engine
from hdr_lite.link.codec import Digest, Message
from hdr_lite.module.testing import record
from hdr_lite.outputs.file import SilentOutput
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence
from hdr_lite.records.flow import Conn, Flow, Stats
from hdr_lite.records.kind import Kind

SECOND = 1_000_000_000
KIND_OF = {Conn: Kind.CONN, Flow: Kind.FLOW, Stats: Kind.STATS}


class FakeReader:
    """Gives deliveries in batches of the sizes that ``sizes`` yields (all at once by default)."""

    used = 0
    capacity = 1 << 18

    def __init__(self, deliveries: Iterable[tuple[Any, ...]], sizes: Iterator[int] | None = None):
        self.left = list(deliveries)
        self.ended = not self.left
        self.malformed: dict[str, int] = {}
        self.committed = 0
        self._sizes = sizes
        self._read = 0
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def read(self, limit: int) -> list[tuple[Any, ...]]:
        size = limit if self._sizes is None else min(limit, next(self._sizes))
        batch, self.left = self.left[:size], self.left[size:]
        self._read += len(batch)
        self.ended = not self.left
        return batch

    def read_exact(
        self, limit: int, watch: int = -1, gone: Callable[[], bool] = bool
    ) -> list[tuple[Any, ...]]:
        return self.read(limit)

    def commit(self) -> None:
        self.committed = self._read

    def fileno(self) -> int:
        return self._event

    def arm(self) -> bool:
        return not self.left

    def close(self) -> None:
        os.close(self._event)


class FakeLink:
    """Remembers what is sent; has the digest of the input to give."""

    def __init__(self, messages: Iterable[Message] = (Digest("d1ge57"),)):
        self.sent: list[Message] = []
        self._waiting = list(messages)
        self._reader, self._writer = os.pipe()
        os.write(self._writer, b"x")

    def fileno(self) -> int:
        return self._reader

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def receive(self) -> Iterator[Message]:
        waiting, self._waiting = self._waiting, []
        return iter(waiting)

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.sent if isinstance(message, kind)]


class Memory(SilentOutput):
    """Keeps everything that an output is told."""

    name = "memory"

    def __init__(self, wants_flows: bool = False):
        self.wants_flows = wants_flows
        self.lines: list[tuple[str, Any]] = []
        self.facts: dict[str, Any] = {}
        self.flushed = 0
        self.closed = False

    def flow(self, flow: Flow) -> None:
        self.lines.append(("flow", flow))

    def evidence(self, evidence: Evidence) -> None:
        self.lines.append(("evidence", evidence))

    def evidence_final(self, evidence: Evidence) -> None:
        self.lines.append(("final", evidence))

    def alert(self, alert: Alert) -> None:
        self.lines.append(("alert", alert))

    def goes_on(self, evidence: Evidence) -> None:
        self.lines.append(("goes on", evidence))

    def error(self, ts: int, text: str) -> None:
        self.lines.append(("error", text))

    def log(self, ts: int, name: str, text: str) -> None:
        self.lines.append(("log", f"{name}: {text}"))

    def summary(self, facts: Mapping[str, Any]) -> None:
        self.facts = dict(facts)

    def flush(self) -> None:
        self.flushed += 1

    def close(self) -> None:
        self.closed = True

    def of(self, what: str) -> list[Any]:
        return [value for kind, value in self.lines if kind == what]


def deliveries(records: Iterable[Any], first: int = 1) -> list[tuple[Any, ...]]:
    """Records as the ring would give them, with the final counters behind them."""
    made = [(n, KIND_OF[type(r)], r.ts, r) for n, r in enumerate(records, first)]
    end = made[-1][2] if made else 0
    counters = {"packets": len(made), "flows": len(made), "dropped.DNS": 3, "evicted_flows": 0}
    stats = Stats(True, counters, {"ipv4.truncated": 2}, [])
    return [*made, (first + len(made), Kind.STATS, end, stats)]


def flow(at: float, saddr: str = "10.0.0.1", daddr: str = "10.0.0.2", **fields: Any) -> Flow:
    """A flow at a time in seconds (from 1000 on, so that no time is 0)."""
    return record(Flow, at=1000 + at, saddr=saddr, daddr=daddr, **fields)


def write_module(directory: Any, name: str, body: str, head: str = "") -> None:
    """A module of the operator's whose class has this body."""
    folder = directory / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    indented = "\n".join("    " + line for line in body.strip("\n").splitlines())
    (folder / f"{name}.py").write_text(
        "from hdr_lite.module import *\n"
        f"{head}\n"
        "class Made(Module):\n"
        f"    name = {name!r}\n"
        f"    description = 'made by a test'\n"
        f"{indented}\n"
    )


def modules_config(directory: Any, **more: Any) -> ModulesConfig:
    """Only the modules in the directory run."""
    shipped = pkgutil.iter_modules(hdr_lite.modules.__path__)
    names = tuple(info.name for info in shipped if info.name not in more.get("enable", ()))
    names += tuple(more.pop("disable", ()))
    return ModulesConfig(directory=str(directory), disable=names, **more)


class Run:
    """A whole run of the engine over records, with its outputs."""

    def __init__(
        self,
        directory: Any,
        records: Iterable[Any],
        *,
        config: Config | None = None,
        replay: bool = True,
        sizes: Iterator[int] | None = None,
        outputs: Iterable[Any] = (),
        **more: Any,
    ):
        config = config or Config(modules=modules_config(directory))
        self.engine = Engine(config, replay=replay, **more)
        self.memory = Memory()
        self.link = FakeLink()
        self.reader = FakeReader(deliveries(records), sizes)
        try:
            self.status = self.engine.run(self.reader, [self.memory, *outputs], self.link)
        finally:
            self.link.close()
            self.reader.close()

    def of(self, what: str) -> list[Any]:
        return self.memory.of(what)
