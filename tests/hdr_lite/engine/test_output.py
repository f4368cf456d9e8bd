"""All outputs as one, of which each fails alone."""

import errno
import os
from typing import Any

import pytest

from hdr_lite.engine.ledger import Ledger
from hdr_lite.engine.output import Outputs
from hdr_lite.outputs.file import SilentOutput
from tests.hdr_lite.engine.fakes import Memory, flow
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE


class Full(SilentOutput):
    """An output whose disk is full from a given call on."""

    name = "/out/full"
    wants_flows = True

    def __init__(self, fails_at: str) -> None:
        self.fails_at = fails_at
        self.calls: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name in ("open", "flow", "evidence", "alert", "log", "summary", "flush", "close"):
            return lambda *_: self.called(name)
        return super().__getattribute__(name)

    def called(self, name: str) -> None:
        self.calls.append(name)
        if name == self.fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")


def drive(outputs: Outputs) -> None:
    outputs.flow(flow(0))
    outputs.log(0, "m", "text")
    outputs.flush()
    outputs.summary({})
    outputs.close()


@pytest.mark.parametrize("fails_at", ["open", "flow", "log", "flush", "summary", "close"])
def test_one_fails_and_the_others_go_on(fails_at: str) -> None:
    """An output that cannot be written is told of once and left out; the rest is written."""
    told: list[str] = []
    full, memory = Full(fails_at), Memory()
    outputs = Outputs(told.append)
    outputs.open([full, memory])
    drive(outputs)
    assert told == ["cannot write /out/full: No space left on device"]
    assert len(outputs.given_up) == 1
    assert memory.of("log") == ["m: text"]
    assert memory.of("error") == told
    assert memory.closed
    assert full.calls.count(fails_at) <= 2  # it may be tried once more to close it


def test_what_is_told_bears_the_time_of_the_wall_clock() -> None:
    """A router that booted in 1970 and learnt the time: only dates change, and only from then on;
    what has no time keeps none, and who acts on an evidence is told of it unchanged."""
    step, years = 0, 56 * 365 * 86400 * 10**9
    outputs, memory = Outputs(lambda _: None), Memory(wants_flows=True)
    outputs.open([memory], None, lambda: step)
    for step in (0, years, -years):  # noqa: B007 - what the clock shows
        outputs.flow(flow(0))
        outputs.evidence(EVIDENCE)
        outputs.evidence_final(EVIDENCE)
        outputs.alert(ALERT)
        outputs.goes_on(EVIDENCE)
    assert [f.ts - flow(0).ts for f in memory.of("flow")] == [0, years, -years]
    for kind in ("evidence", "final"):
        assert [e.ts - EVIDENCE.ts for e in memory.of(kind)] == [0, years, -years]
    for field in ("ts", "window_start", "window_end"):
        told = [getattr(alert, field) - getattr(ALERT, field) for alert in memory.of("alert")]
        assert told == [0, years, -years]
    assert {e.id for e in memory.of("evidence")} == {EVIDENCE.id}
    assert memory.of("goes on") == [EVIDENCE] * 3


def test_logs_are_dated_too() -> None:
    """Lines of the logs, unless they are from before there was any traffic."""
    times: list[int] = []
    log = SilentOutput()
    log.error = lambda ts, _text: times.append(ts)  # type: ignore[method-assign]
    log.log = lambda ts, _name, _text: times.append(ts)  # type: ignore[method-assign]
    outputs = Outputs(lambda _: None)
    outputs.open([log], None, lambda: 100)
    for ts in (0, 7):
        outputs.error(ts, "x")
        outputs.log(ts, "m", "x")
    assert times == [0, 0, 107, 107]


def test_flows_are_wanted_where_one_output_does() -> None:
    """The engine asks for flows only if an output reads them."""
    outputs = Outputs(lambda _: None)
    assert not outputs.wants_flows
    outputs.open([Memory(), Memory(wants_flows=True)])
    assert outputs.wants_flows


def test_every_call_reaches_every_output() -> None:
    """What one is told, all are told, in order."""
    outputs, memories = Outputs(lambda _: None), [Memory(), Memory()]
    outputs.open(memories)
    outputs.evidence("e")  # type: ignore[arg-type]
    outputs.evidence_final("f")  # type: ignore[arg-type]
    outputs.alert("a")  # type: ignore[arg-type]
    outputs.error(1, "x")
    outputs.summary({"k": 1})
    expected = [("evidence", "e"), ("final", "f"), ("alert", "a"), ("error", "x")]
    assert [m.lines for m in memories] == [expected, expected]
    assert [m.facts for m in memories] == [{"k": 1}] * 2


class Telling(SilentOutput):
    """One that has figures, and a problem."""

    def __init__(self, name: str, problem: str) -> None:
        self.name, self.problem = name, problem

    def figures(self) -> dict[str, Any]:
        return {self.name: {"bytes": 7}}


def test_what_outputs_say_of_themselves() -> None:
    """A problem is told once, where and what; figures stand side by side."""
    told: list[str] = []
    memory = Memory()
    outputs = Outputs(told.append)
    outputs.open([memory, Telling("a", "it is full"), Telling("b", "")])
    outputs.flush()
    outputs.flush()
    assert told == memory.of("error") == ["a: it is full"]
    assert outputs.figures() == {"a": {"bytes": 7}, "b": {"bytes": 7}}


class Recovering(SilentOutput):
    """Takes nothing the first times."""

    name = "/out/recovering"
    lost = 3

    def __init__(self, times: int) -> None:
        self.left = times
        self.errors: list[str] = []

    def error(self, ts: int, text: str) -> None:
        self.errors.append(text)

    def flush(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_service_waits_for_room() -> None:
    """One line when the first of all outputs cannot be written, one when all can; none is left
    out, and no run has failed."""
    told: list[str] = []
    outputs = Outputs(told.append, patient=True)
    first, second = Recovering(2), Recovering(3)
    outputs.open([first, second])
    for _ in range(5):
        outputs.flush()
    outputs.close()
    assert told == [
        "cannot write /out/recovering: No space left on device; it is tried again",
        "the output files can be written again; 6 lines found no room and are lost",
    ]
    assert first.errors == second.errors == told
    assert (outputs.given_up, first.lost) == ([], 0)


def test_a_service_leaves_out_what_cannot_be_opened() -> None:
    """That is no matter of time."""
    told: list[str] = []
    full, memory = Full("open"), Memory()
    outputs = Outputs(told.append, patient=True)
    outputs.open([full, memory])
    outputs.flush()
    assert told == ["cannot write /out/full: No space left on device"]
    assert (len(outputs.given_up), memory.flushed) == (1, 1)


def test_steps_of_the_ledger() -> None:
    """What outputs are about to write is kept until all have written it; a problem is told."""
    file = os.memfd_create("told", os.MFD_CLOEXEC)
    os.pwrite(file, b"garbage", 0)
    told: list[str] = []
    failing = Recovering(2)
    failing.intent = lambda: (5, b"line")  # type: ignore[method-assign]
    outputs = Outputs(told.append, patient=True)
    outputs.open([failing], Ledger(file))
    assert "cannot be read" in told[0]
    outputs.flush()
    assert Ledger(file).unfinished == (("/out/recovering", 5, b"line"),)
    outputs.flush()
    assert Ledger(file).unfinished == ()
    os.close(file)
