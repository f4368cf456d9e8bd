"""Fixtures for all tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.traffic.scenarios import build


@pytest.fixture(scope="session")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``capture(scenario, seed=1)``: a file with the generator's scenario, made once."""
    folder = tmp_path_factory.mktemp("captures")

    def make(scenario: str, seed: int = 1) -> Path:
        path = folder / f"{scenario}-{seed}.pcap"
        if not path.exists():
            build(scenario, seed).write(path)
        return path

    return make
