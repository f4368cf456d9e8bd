"""One collector for all tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.server import Device, Person, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A collector at its first start."""
    with Server(Path(tmp_path_factory.mktemp("collector")) / "data") as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Person:
    """Its administrator."""
    return Person(server)


@pytest.fixture
def device(server: Server, admin: Person) -> Device:
    """A device of its own for each test."""
    return Device(server, admin.token())
