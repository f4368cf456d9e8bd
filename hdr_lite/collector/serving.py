"""The collector as a process: its data directory, its certificate, its server."""

import asyncio
import fcntl
import ipaddress
import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import uvicorn
import uvloop
from litestar import Litestar

from hdr_lite.collector.administration import make_first_admin
from hdr_lite.collector.app import create_app
from hdr_lite.collector.certificates import own_names, prepare, read_ca
from hdr_lite.collector.pages.door import UNKNOWN
from hdr_lite.collector.pages.routes import pages
from hdr_lite.collector.settings import Settings
from hdr_lite.collector.sqlite import SqliteStore
from hdr_lite.collector.store import Store
from hdr_lite.config import UserError
from hdr_lite.records.batch import digest_text

_MOST_CONNECTIONS = 5_000
_KEEP_ALIVE = 75  #: s
_DATABASE = "collector.db"


#: Hears the admin's password at the first start, else "", and the port.
Ready = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a collector listens and keeps what it has."""

    data: Path
    store: str = ""  #: URL, "": a SQLite file in ``data``
    bus: str = ""  #: URLs of NATS servers that batches go to, by commas
    bus_size: int = 10 << 30  #: bytes of batches that may wait there
    host: str = "::"
    port: int = 8443
    names: Sequence[str] = ()  #: that its own certificate is for, beyond this machine's
    certificate: Path | None = None  #: PEM files that take the place of its own
    key: Path | None = None
    ca: Path | None = None  #: that devices then pin, None: they trust the system's
    plain: bool = False  #: no TLS: there is a proxy on this machine that does it
    proxies: str = ""  #: whose X-Forwarded-For is believed


def make_store(url: str, data: Path, bus: str = "", bus_size: int = 0) -> Store:
    """The storage that a URL names, with a bus before it if there is one."""
    if url.startswith("postgresql://"):
        return _make_postgres(url, bus, bus_size)
    if bus:
        raise UserError("a bus needs a storage behind it that several can use: postgresql://…")
    if not url:
        return SqliteStore(data / _DATABASE)
    if url.startswith("sqlite:///"):
        return SqliteStore(Path(url.removeprefix("sqlite:///")))
    raise UserError(f"'{url}' is no storage (sqlite:///FILE, postgresql://USER@HOST/DATABASE)")


def _make_postgres(url: str, bus: str, bus_size: int) -> Store:
    from hdr_lite.collector.postgres import PostgresStore  # one machine's collector loads neither

    if not bus:
        return PostgresStore(url)
    from hdr_lite.collector.fleet import FleetStore
    from hdr_lite.collector.jetstream import Bus

    return FleetStore(url, Bus(bus, bus_size))


def ready_folder(data: Path) -> None:
    """The data directory is there, for its owner only."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {data}: {error.strerror}") from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise UserError(f"cannot write into {data}")


def lock(data: Path) -> IO[bytes]:
    """Held as long as a collector serves from that directory."""
    file = (data / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise UserError(f"a collector runs already with {data}") from error
    return file


def ca_of(place: Place) -> tuple[str, str]:
    """PEM of the CA that devices pin, and how tokens carry it; "" and "-": the system's trust."""
    path = place.ca
    if path is None:
        if place.certificate or place.plain:
            return "", "-"
        path = place.data / "ca.pem"
        if not path.exists():
            raise UserError(f"there is no {path} yet: the first 'collector serve' makes it")
    pem, der = read_ca(path)
    return pem, digest_text(der)


def run(place: Place, settings: Callable[[str, str], Settings], ready: Ready) -> None:
    """Serve until told to stop. ``settings`` makes them from the CA."""
    ready_folder(place.data)
    with lock(place.data):
        context = _tls(place)
        chosen = settings(*ca_of(place))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(place, chosen, context, ready))


async def _serve(
    place: Place, settings: Settings, context: ssl.SSLContext | None, ready: Ready
) -> None:
    store = make_store(place.store, place.data, place.bus, place.bus_size)
    await store.open()
    try:
        password = await make_first_admin(store)
        server = _Server(
            _config(create_app(store, settings, pages=pages(), refusals=UNKNOWN), place, context)
        )
        server.on_ready = lambda port: ready(password, port)
        await server.serve()
        if not server.started:
            raise UserError(f"cannot listen on {place.host} port {place.port}")
    finally:
        await store.close()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    on_ready: Callable[[int], None]

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self.on_ready(self.servers[0].sockets[0].getsockname()[1])


def _config(app: Litestar, place: Place, context: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        # To asyncio a socket of "::" is IPv6's alone; without a name it makes one for each family.
        host=None if place.host == "::" else place.host,  # type: ignore[arg-type]
        port=place.port,
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(place.proxies),
        forwarded_allow_ips=place.proxies or None,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=5,
    )
    config.load()
    config.ssl = context
    return config


def _tls(place: Place) -> ssl.SSLContext | None:
    if place.plain:
        if not _is_loopback(place.host):
            raise UserError("without TLS it listens on a loopback address only")
        return None
    certificate, key = place.certificate, place.key
    if certificate is None:
        prepare(place.data, [*own_names(), *place.names])
        certificate, key = place.data / "server.pem", place.data / "server.key"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UserError(f"cannot use the certificate {certificate}: {error}") from error
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
