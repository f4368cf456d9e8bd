"""The scenarios by name, each with what a detector should find in it."""

from tests.traffic.scenarios import arp, mixed, ordinary, scans, ssh  # noqa: F401  (they register)
from tests.traffic.scenarios.registry import SCENARIOS, Scenario, build

__all__ = ["SCENARIOS", "Scenario", "build"]
