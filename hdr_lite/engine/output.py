"""What every output is to the engine, and the one that speaks to them all.

An output is opened by the engine and never raises anything but ``OSError``. In a run of its own
one that does (a full disk, a directory that may not be written) is closed and left out, the
reason is told once, and the run ends with status 1. A service is patient: what could not be
written waits in the output, as far as it has room, and is tried again at each flush. The others
go on in any case.

All times here are the traffic's, which runs on evenly while the wall clock is set. People compare
with wall clocks: what is told bears the time that those show, so that a router which booted years
in the past, and learnt the time, tells the right one from there on.

With a ledger each flush is one step of it: what is about to be written is kept first, so that
whoever comes after an engine that was killed completes it, once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from hdr_lite.engine.ledger import Intent, Ledger
from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence
from hdr_lite.records.flow import Flow

#: Evidence of one flush: so that its lines fit into the ledger.
MOST_AT_ONCE = 16


class Output(Protocol):
    """One place where results go. Every call but ``open`` and ``close`` may only buffer."""

    name: str  #: for messages, such as the file's name
    wants_flows: bool  #: whether ``flow`` is worth calling: it is called where any output says so
    lost: int  #: lines for which there was no room while they could not be written
    problem: str  #: for errors.log, in words; whoever tells it takes it away

    def open(self) -> None:
        """Called once, in the engine process, before anything else."""

    def intent(self) -> tuple[int, bytes]:
        """What the next flush will write, and behind how many bytes; empty where it may be lost."""

    def redo(self, position: int, data: bytes) -> None:
        """See that an intent of a process that was killed is carried out, and only once."""

    def flow(self, flow: Flow) -> None:
        """A finished flow, or a checkpoint of a long one."""

    def evidence(self, evidence: Evidence) -> None:
        """New evidence; repeats of it are not told one by one."""

    def evidence_final(self, evidence: Evidence) -> None:
        """The window of an evidence that was repeated has closed: its final count."""

    def alert(self, alert: Alert) -> None:
        """An alert was raised."""

    def goes_on(self, evidence: Evidence) -> None:
        """Blocking evidence was repeated, some time after its profile's last alert or this."""

    def error(self, ts: int, text: str) -> None:
        """A line for errors.log; ``ts`` is traffic time, 0 before there was any."""

    def log(self, ts: int, name: str, text: str) -> None:
        """A line for hdr-lite.log, said by the module of that name (or ``engine``)."""

    def summary(self, facts: Mapping[str, Any]) -> None:
        """The counts of the whole run; called once, last."""

    def figures(self) -> Mapping[str, Any]:
        """What ``hdr-lite status`` tells of it, under names of its own."""

    def flush(self) -> None:
        """Give what is buffered to the system; ``OSError`` leaves what could not be written."""

    def close(self) -> None:
        """Called once."""


class Outputs:
    """All outputs as one, of which each fails alone."""

    def __init__(self, complain: Callable[[str], None], *, patient: bool = False) -> None:
        """``complain`` is told, once for each output that fails, why.

        ``patient``: one that cannot be written now is kept, and the first only is told of.
        """
        self._outputs: list[Output] = []
        self._complain = complain
        self._patient = patient
        self._ailing = False  # something could not be written the last time
        self._ledger: Ledger | None = None
        self._steps: Callable[[], int] = _no_step
        self._untold = 0  # evidence since the last flush
        self.given_up: list[str] = []  #: those that are left out, and why
        self.wants_flows = False

    def open(
        self,
        outputs: Sequence[Output],
        ledger: Ledger | None = None,
        steps: Callable[[], int] | None = None,
    ) -> None:
        """From here on these are told; what one that was killed has begun is completed.

        ``steps``: by how many ns the wall clock has been set since traffic time began.
        """
        self._outputs = list(outputs)
        self._ledger = ledger
        self._steps = steps or _no_step
        self.wants_flows = any(output.wants_flows for output in outputs)
        patient, self._patient = self._patient, False  # a file that cannot be opened is left out
        self._each(lambda output: output.open())
        self._patient = patient
        if ledger is not None:
            self._complete(ledger)

    def _complete(self, ledger: Ledger) -> None:
        for name, position, data in ledger.unfinished:
            for output in self._outputs:
                if output.name == name:
                    output.redo(position, data)
        self.flush()

    def flow(self, flow: Flow) -> None:
        if by := self._steps():
            flow = flow._replace(ts=flow.ts + by)
        self._each(lambda output: output.flow(flow))

    def evidence(self, evidence: Evidence) -> None:
        told = self._dated(evidence)
        self._each(lambda output: output.evidence(told))
        self._untold += 1
        if self._ledger is not None and self._untold >= MOST_AT_ONCE:
            self.flush()

    def evidence_final(self, evidence: Evidence) -> None:
        told = self._dated(evidence)
        self._each(lambda output: output.evidence_final(told))

    def alert(self, alert: Alert) -> None:
        if by := self._steps():
            start, end = alert.window_start + by, alert.window_end + by
            alert = replace(alert, ts=alert.ts + by, window_start=start, window_end=end)
        self._each(lambda output: output.alert(alert))

    def goes_on(self, evidence: Evidence) -> None:
        self._each(lambda output: output.goes_on(evidence))

    def error(self, ts: int, text: str) -> None:
        at = ts and ts + self._steps()
        self._each(lambda output: output.error(at, text))

    def log(self, ts: int, name: str, text: str) -> None:
        at = ts and ts + self._steps()
        self._each(lambda output: output.log(at, name, text))

    def summary(self, facts: Mapping[str, Any]) -> None:
        self._each(lambda output: output.summary(facts))

    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for output in self._outputs:
            found.update(output.figures())
        return found

    def flush(self) -> None:
        self._untold = 0
        ledger = self._ledger
        if ledger is not None:
            told = [(output.name, output.intent()) for output in self._outputs]
            ledger.intend([Intent(name, *what) for name, what in told if what[1]])
            if ledger.problem:
                text, ledger.problem = ledger.problem, ""
                self._tell(text)
        before, waiting = self._ailing, False
        for output in list(self._outputs):
            waiting |= not self._try(output, output.flush)
            if output.problem:
                text, output.problem = f"{output.name}: {output.problem}", ""
                self._tell(text)
        if waiting and self._patient:
            return
        if ledger is not None:
            ledger.done()
        if before:
            self._tell_recovery()

    def close(self) -> None:
        self._patient = False  # there is no next time
        for output in list(self._outputs):
            self._try(output, output.close)

    def _dated(self, evidence: Evidence) -> Evidence:
        by = self._steps()
        return replace(evidence, ts=evidence.ts + by) if by else evidence

    def _each(self, call: Callable[[Output], object]) -> None:
        for output in list(self._outputs):
            self._try(output, partial(call, output))

    def _try(self, output: Output, call: Callable[[], object]) -> bool:
        """Whether that worked."""
        try:
            call()
        except OSError as error:
            if self._patient:
                self._wait_for(output, error)
            else:
                self._give_up(output, error)
            return False
        return True

    def _wait_for(self, output: Output, error: OSError) -> None:
        """It keeps what it has until it can be written. One disk that is full is one line."""
        if not self._ailing:
            self._ailing = True
            self._tell(f"cannot write {output.name}: {_why(error)}; it is tried again")

    def _tell_recovery(self) -> None:
        self._ailing = False
        lost = sum(output.lost for output in self._outputs)
        for output in self._outputs:
            output.lost = 0
        text = f"; {lost} lines found no room and are lost" if lost else ""
        self._tell(f"the output files can be written again{text}")

    def _tell(self, text: str) -> None:
        self._complain(text)
        self.error(0, text)

    def _give_up(self, output: Output, error: OSError) -> None:
        self._outputs.remove(output)
        self.given_up.append(f"cannot write {output.name}: {_why(error)}")
        self._tell(self.given_up[-1])
        try:
            output.close()
        except OSError:
            return  # closing tries to write what is left; that it fails was told


def _no_step() -> int:
    return 0


def _why(error: OSError) -> str:
    return error.strerror or str(error)
