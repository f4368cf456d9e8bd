"""The scenarios by name, each with what a detector should find in it."""

from tests.traffic.scenarios import (  # noqa: F401  (they register)
    arp,
    guessing,
    mixed,
    ordinary,
    poisoning,
    probing,
    scans,
    services,
    ssh,
)
from tests.traffic.scenarios.registry import SCENARIOS, Scenario, build

__all__ = ["SCENARIOS", "Scenario", "build"]
