"""Which modules live on when settings change."""

from dataclasses import dataclass, field
from typing import Any, cast

from hdr_lite.engine.loader import Found
from hdr_lite.engine.reload import reseat
from hdr_lite.engine.seat import Seat


@dataclass
class FakeSeat:
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True


def found(name: str, enabled: bool = True, **options: Any) -> Found:
    return Found(name, "shipped", enabled, None, options)


def test_who_stays_who_ends_who_starts() -> None:
    """Unchanged modules are left alone; ended ones shut down; changed ones end and start."""
    same, off, changed = FakeSeat("a"), FakeSeat("b"), FakeSeat("d", {"x": 1})
    wanted = [found("a"), found("b", enabled=False), found("c"), found("d", x=2), found("e")]
    made: list[str] = []

    def make(module: Found) -> Seat | None:
        made.append(module.name)
        return None if module.name == "e" else cast("Seat", FakeSeat(module.name))

    before = cast("list[Seat]", [same, off, changed])
    seats, done = reseat(before, wanted, make)
    assert [seat.name for seat in seats] == ["a", "c", "d"]
    assert cast("object", seats[0]) is same
    assert (same.stopped, off.stopped, changed.stopped) == (False, True, True)
    assert made == ["c", "d", "e"]
    assert done == ["b ended", "d ended", "c started", "d started"]
