"""One collector for all tests of a file; storages and a bus of their own."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdr_lite.collector.postgres import PostgresStore
from hdr_lite.collector.sqlite import SqliteStore
from hdr_lite.collector.store import Store
from tests.collector.server import Device, Person, Server
from tests.fleet.cluster import Cluster
from tests.fleet.postgresql import Postgresql

_databases = itertools.count()


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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A server."""
    server = Postgresql()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def database(postgresql: Postgresql) -> str:
    """The URL of an empty database."""
    name = f"test_{next(_databases)}"
    postgresql.run("psql", "-c", f"CREATE DATABASE {name}", postgresql.url())
    return postgresql.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each of the storages, not open yet."""
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "collector.sqlite")
    return PostgresStore(request.getfixturevalue("database"))


@pytest.fixture
def bus_url() -> Iterator[str]:
    """One NATS server with an empty JetStream."""
    cluster = Cluster(1)
    try:
        cluster.start()
        yield cluster.url
    finally:
        cluster.remove()
