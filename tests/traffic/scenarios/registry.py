"""A scenario is a function that fills a trace; its decorator says what is to be found."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.traffic.dice import Dice
from tests.traffic.timeline import Trace


@dataclass(frozen=True, slots=True)
class Scenario:
    """One labelled behaviour."""

    name: str
    meaning: str  #: the function's docstring, its first line
    evidence: tuple[str, ...]  #: evidence types that must appear
    accused: str  #: the address they accuse, "" when nobody is
    fill: Callable[[Trace], None]


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    *evidence: str, accused: str = ""
) -> Callable[[Callable[[Trace], None]], Callable[[Trace], None]]:
    """Register the function under its own name; without ``evidence`` nobody may be accused."""

    def register(fill: Callable[[Trace], None]) -> Callable[[Trace], None]:
        meaning = (fill.__doc__ or "").splitlines()[0]
        SCENARIOS[fill.__name__] = Scenario(fill.__name__, meaning, evidence, accused, fill)
        return fill

    return register


def build(name: str, seed: int = 1) -> Trace:
    """The scenario's trace; KeyError when there is none of that name."""
    chosen = SCENARIOS[name]
    trace = Trace(Dice(name, seed))
    chosen.fill(trace)
    return trace
