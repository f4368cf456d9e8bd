"""What summary.json says. What may differ between two runs of the same input is in ``run``."""

import platform
import resource
from collections.abc import Mapping, Sequence
from typing import Any

from hdr_lite import __version__
from hdr_lite.engine.casebook import Casebook
from hdr_lite.engine.seat import Seat
from hdr_lite.engine.turn import SECOND
from hdr_lite.engine.windows import Windows
from hdr_lite.records.flow import Stats
from hdr_lite.records.kind import Kind


def summarize(
    *,
    sha256: str,
    stats: Stats | None,
    malformed: Mapping[str, int],
    records: Mapping[Kind, int],
    casebook: Casebook,
    windows: Windows,
    seats: Sequence[Seat],
    seconds: float,
) -> dict[str, Any]:
    """The facts of a run of so many seconds; ``stats`` is absent if the sensor did not end it."""
    evidence: dict[str, dict[str, int]] = {}
    for (kind, level), count in sorted(casebook.evidence.items()):
        evidence.setdefault(kind, {})[level] = count
    return {
        "version": __version__,
        "input": {"sha256": sha256, "complete": stats is not None},
        "sensor": stats.counters if stats else {},
        "malformed": stats.events if stats else {},
        "malformed_records": dict(malformed),
        "records": {kind.name.lower(): records[kind] for kind in sorted(records)},
        "evidence": evidence,
        "findings": casebook.findings,
        "alerts": casebook.alerts,
        "enforced": dict(sorted(casebook.enforced.items())),
        "profiles": casebook.profiles.made,
        "profiles_evicted": casebook.profiles.evicted,
        "windows": windows.current,
        "windows_closed": casebook.windows_closed,
        "modules": {seat.name: _behaviour(seat) for seat in seats},
        "run": {
            **_machine(seconds),
            "records_per_second": round(sum(records.values()) / max(seconds, 1e-9)),
            "sources": stats.sources if stats else [],
            "modules": {seat.name: _costs(seat) for seat in seats},
        },
    }


def figures(
    *,
    records: Mapping[Kind, int],
    casebook: Casebook,
    windows: Windows,
    seats: Sequence[Seat],
) -> dict[str, Any]:
    """How a live engine stands: counts since it was started."""
    return {
        "records": {kind.name.lower(): records[kind] for kind in sorted(records)},
        "evidence": sum(casebook.evidence.values()),
        "findings": casebook.findings,
        "alerts": casebook.alerts,
        "enforced": dict(sorted(casebook.enforced.items())),
        "profiles": len(casebook.profiles),
        "window": windows.current,
        "modules": {
            seat.name: {**_behaviour(seat), **_costs(seat), "waiting": seat.waiting}
            for seat in seats
        },
    }


def _machine(seconds: float) -> dict[str, Any]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall_seconds": round(seconds, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_memory": usage.ru_maxrss * 1024,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def _behaviour(seat: Seat) -> dict[str, Any]:
    """What a replay always repeats."""
    figures = seat.figures
    return {
        "state": seat.state.name.lower(),
        "messages": figures.messages,
        "findings": figures.findings,
        "left_out": figures.left_out,
        "failures": figures.failures,
        "restarts": figures.restarts,
        "dropped": figures.dropped,
    }


def _costs(seat: Seat) -> dict[str, Any]:
    """What depends on the machine, and on how records happened to arrive together."""
    figures = seat.figures
    return {
        "turns": figures.turns,
        "cpu_seconds": round(figures.cpu / SECOND, 6),
        "overruns": figures.overruns,
        "memory": figures.memory,
        "peak_memory": figures.peak,
    }
