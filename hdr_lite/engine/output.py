"""What every output is to the engine, and the one that speaks to them all.

An output is opened by the engine and never raises anything but ``OSError``; one that does
(a full disk, a directory that may not be written) is closed and left out, the reason is told
once, and the run ends with status 1. The others go on.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from hdr_lite.records.alert import Alert
from hdr_lite.records.evidence import Evidence
from hdr_lite.records.flow import Flow


class Output(Protocol):
    """One place where results go. Every call but ``open`` and ``close`` may only buffer."""

    name: str  #: for messages, such as the file's name
    wants_flows: bool  #: whether ``flow`` is worth calling: it is called where any output says so

    def open(self) -> None:
        """Called once, in the engine process, before anything else."""

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

    def flush(self) -> None:
        """Give what is buffered to the system."""

    def close(self) -> None:
        """Called once."""


class Outputs:
    """All outputs as one, of which each fails alone."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        """``complain`` is told, once for each output that fails, why."""
        self._outputs: list[Output] = []
        self._complain = complain
        self.failed = 0
        self.wants_flows = False

    def open(self, outputs: Sequence[Output]) -> None:
        """From here on these are told."""
        self._outputs = list(outputs)
        self.wants_flows = any(output.wants_flows for output in outputs)
        self._each(lambda output: output.open())

    def flow(self, flow: Flow) -> None:
        self._each(lambda output: output.flow(flow))

    def evidence(self, evidence: Evidence) -> None:
        self._each(lambda output: output.evidence(evidence))

    def evidence_final(self, evidence: Evidence) -> None:
        self._each(lambda output: output.evidence_final(evidence))

    def alert(self, alert: Alert) -> None:
        self._each(lambda output: output.alert(alert))

    def goes_on(self, evidence: Evidence) -> None:
        self._each(lambda output: output.goes_on(evidence))

    def error(self, ts: int, text: str) -> None:
        self._each(lambda output: output.error(ts, text))

    def log(self, ts: int, name: str, text: str) -> None:
        self._each(lambda output: output.log(ts, name, text))

    def summary(self, facts: Mapping[str, Any]) -> None:
        self._each(lambda output: output.summary(facts))

    def flush(self) -> None:
        self._each(lambda output: output.flush())

    def close(self) -> None:
        self._each(lambda output: output.close())

    def _each(self, call: Callable[[Output], object]) -> None:
        for output in list(self._outputs):
            try:
                call(output)
            except OSError as error:
                self._give_up(output, error)

    def _give_up(self, output: Output, error: OSError) -> None:
        self._outputs.remove(output)
        self.failed += 1
        text = f"cannot write {output.name}: {error.strerror or error}"
        self._complain(text)
        self.error(0, text)
        try:
            output.close()
        except OSError:
            return  # closing tries to write what is left; that it fails was told
