"""What a live bench tells: figures, each with the budget it must keep."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``most`` and ``least`` are its budget; without them it only informs."""

    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the budget is kept; ``None`` without one."""
        if self.most is None and self.least is None:
            return None
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    def row(self) -> dict[str, Any]:
        """As the table of ``scripts/bench`` has it."""
        named = {"name": f"{self.name}, {self.unit}" if self.unit else self.name}
        limits = {"budget": self.most, "at_least": self.least, "holds": self.holds}
        kept = {key: limit for key, limit in limits.items() if limit is not None}
        return {**named, "value": self.value, **kept}
