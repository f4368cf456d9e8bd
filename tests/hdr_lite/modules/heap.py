"""What a module holds of the heap that the engine gives it, which is what its budget limits."""

from collections.abc import Iterable

from hdr_lite.module import Module
from hdr_lite.module.testing import Harness
from hdr_lite.native import Budget


def peak_of(module: type[Module], messages: Iterable[object]) -> int:
    """The most bytes that a module held while it was fed; records are the engine's own."""
    harness, budget = Harness(module), Budget(64 << 20)
    for message in messages:
        budget.enter()
        try:
            harness.feed(message)
        finally:
            budget.leave()
        harness.findings.clear()
    return budget.peak
