"""New settings for an engine that goes on: what it has learned stays.

Thresholds and the watched networks change in place. A module that is new starts, one that
is switched off ends, one whose options changed starts anew; the others notice nothing.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hdr_lite.engine.loader import Found
from hdr_lite.engine.seat import Seat


class Plan(NamedTuple):
    """What becomes of the modules."""

    keep: list[Seat]
    end: list[Seat]
    start: list[Found]


def plan(seats: Sequence[Seat], found: Sequence[Found]) -> Plan:
    """From the seats that there are to the modules that shall run."""
    wanted = {module.name: module for module in found if module.runs}
    same = [seat for seat in seats if _is_same(seat, wanted.get(seat.name))]
    names = {seat.name for seat in same}
    ended = [seat for seat in seats if seat.name not in names]
    return Plan(same, ended, [module for name, module in wanted.items() if name not in names])


def _is_same(seat: Seat, found: Found | None) -> bool:
    return found is not None and dict(found.options) == dict(seat.options)


def reseat(
    current: Sequence[Seat], found: Sequence[Found], make: Callable[[Found], Seat | None]
) -> tuple[list[Seat], list[str]]:
    """The seats of the modules that shall run, in order of their names, and what was done.

    ``make`` seats a module and starts it, or says why not and gives None.
    """
    what = plan(current, found)
    done: list[str] = []
    for seat in what.end:
        seat.stop()
        done.append(f"{seat.name} ended")
    seats = list(what.keep)
    for module in what.start:
        made = make(module)
        if made is not None:
            seats.append(made)
            done.append(f"{module.name} started")
    return sorted(seats, key=lambda seat: seat.name), done
