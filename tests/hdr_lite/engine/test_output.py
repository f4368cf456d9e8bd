"""All outputs as one, of which each fails alone."""

import errno
from typing import Any

import pytest

from hdr_lite.engine.output import Outputs
from hdr_lite.outputs.file import SilentOutput
from tests.hdr_lite.engine.fakes import Memory, flow


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
    assert outputs.failed == 1
    assert memory.of("log") == ["m: text"]
    assert memory.of("error") == told
    assert memory.closed
    assert full.calls.count(fails_at) <= 2  # it may be tried once more to close it


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
