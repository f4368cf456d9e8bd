"""The application with its pages, in this process, and people who look at them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import httpx

from hdr_lite.collector import clock
from hdr_lite.collector.accounts import COOKIE
from hdr_lite.collector.app import create_app
from hdr_lite.collector.pages.door import UNKNOWN
from hdr_lite.collector.pages.routes import pages
from hdr_lite.collector.settings import Settings
from hdr_lite.collector.sqlite import SqliteStore
from hdr_lite.collector.store import Role, Session, User

ORIGIN = "https://collector.test:8443"
CA_DIGEST = "q" * 43
ADMIN, OPERATOR, VIEWER = "anna", "otto", "vera"


@dataclass(frozen=True)
class Visitor:
    """A browser of somebody, or of nobody."""

    client: httpx.AsyncClient
    csrf: str = ""

    async def get(self, path: str) -> httpx.Response:
        """Look."""
        return await self.client.get(path)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as a page of ours does."""
        return await self.client.post(
            path, data={"csrf": self.csrf, **fields}, headers={"Origin": ORIGIN}
        )


@dataclass(frozen=True)
class Site:
    """A collector with three users, one of each role, and nobody."""

    store: SqliteStore
    admin: Visitor
    operator: Visitor
    viewer: Visitor
    nobody: Visitor


@asynccontextmanager
async def _open(folder: Path) -> AsyncIterator[Site]:
    store = SqliteStore(folder / "collector.db")
    app = create_app(store, Settings(ca_digest=CA_DIGEST), pages=pages(), refusals=UNKNOWN)
    await store.open()
    clients = []

    def visitor(cookie: str = "", csrf: str = "") -> Visitor:
        headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
        transport = httpx.ASGITransport(app)
        clients.append(httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers))
        return Visitor(clients[-1], csrf)

    async def enter(name: str, role: Role) -> Visitor:
        now = clock.now()
        await store.put_user(User(name, role, now, "no hash: logs in by no password"))
        digest = hashlib.sha256(f"cookie-of-{name}".encode()).digest()
        await store.begin_session(digest, Session(name, role, f"csrf-{name}", now + 3_600_000))
        return visitor(f"cookie-of-{name}", f"csrf-{name}")

    try:
        yield Site(
            store,
            await enter(ADMIN, Role.ADMIN),
            await enter(OPERATOR, Role.OPERATOR),
            await enter(VIEWER, Role.VIEWER),
            visitor(),
        )
    finally:
        for client in clients:
            await client.aclose()
        await store.close()


def visit(folder: Path, test: Callable[[Site], Awaitable[None]]) -> None:
    """Run a test at a site of its own."""

    async def run() -> None:
        async with _open(folder) as site:
            await test(site)

    asyncio.run(run())


class _Reader(HTMLParser):
    """What a browser makes of a page, as far as it matters to whom it could harm."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.links: list[str] = []
        self.active: list[str] = []  #: elements and attributes that do something

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "srcdoc", "formaction"}:
                self.active.append(f"{tag} {name}={value}")
            if name in {"href", "src", "action"}:
                self.links.append(value or "")
        if tag in {"iframe", "object", "embed", "base", "style"} or (
            tag == "script" and not any(name == "src" for name, _ in attrs)
        ):
            self.active.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@dataclass(frozen=True)
class Read:
    """A page as it is read."""

    text: str
    links: list[str]
    active: list[str]


def read(answer: httpx.Response) -> Read:
    """The page of an answer."""
    assert answer.headers["content-type"].startswith("text/html"), answer.headers
    reader = _Reader()
    reader.feed(answer.text)
    return Read(" ".join(" ".join(reader.text).split()), reader.links, reader.active)
