"""Who may: passwords, sessions with their CSRF secret, bearer keys, roles, and the audit log.

A browser is known by a cookie, a machine by ``Authorization: Bearer hdrk.ID.SECRET``. The storage
has digests of both only.
"""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import Guard

from hdr_lite.collector import clock
from hdr_lite.collector.limits import Rate
from hdr_lite.collector.settings import Settings
from hdr_lite.collector.store import Event, Key, Role, Session, Store, User
from hdr_lite.config import UserError

COOKIE = "__Host-hdr-session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
NAME = r"^[a-z][a-z0-9._-]{0,31}(?!\n)$"
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

_SAFE = ("GET", "HEAD", "OPTIONS")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_HOUR = 3_600_000

AnyRequest = Request[Any, Any, Any]
AnyConnection = ASGIConnection[Any, Any, Any, Any]

#: OWASP's second choice: 19 MiB and two passes, so that a handful at once is no load.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NOBODY = _hasher.hash("nobody's")


@dataclass(frozen=True, slots=True)
class Who:
    """Behind a request: ``request.user``, None where nobody has logged in."""

    name: str
    role: Role
    csrf: str  #: what a form must send back; "" of a machine
    digest: bytes  #: of the cookie or key


@dataclass(frozen=True, slots=True)
class Login:
    """A login that succeeded: the cookie's value goes to the browser and nowhere else."""

    cookie: str
    who: Who


@dataclass(frozen=True, slots=True)
class Refused:
    """A login that was refused; ``wait`` seconds, 0: the password was wrong."""

    wait: float


def hash_password(password: str) -> str:
    """As it is kept; UserError where it is too short."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UserError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return _hasher.hash(password)


def new_password() -> str:
    """One to be told once."""
    return secrets.token_urlsafe(15)


def new_key(name: str, role: Role, days: float, by: str) -> tuple[Key, str, bytes]:
    """A bearer key, its text to be told once, and the digest that is kept."""
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    text = f"hdrk.{key_id}.{secret}"
    now = clock.now()
    expires = now + int(days * 24 * _HOUR) if days else 0
    return Key(key_id, name, role, now, expires, by), text, digest(text)


def digest(text: str) -> bytes:
    """What is kept of a secret that nobody can guess."""
    return hashlib.sha256(text.encode()).digest()


class Accounts:
    """Logins and what was done."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._hours = settings.session_hours
        self._by_address = Rate(10, 300)  # failures
        self._by_name = Rate(30, 900)
        self._hashing = asyncio.Semaphore(2)  # 19 MiB each

    async def log_in(self, request: AnyRequest, name: str, password: str) -> Login | Refused:
        """A new session. Failures of an address and of a name are counted."""
        whence, name = address(request), name[:64]
        if wait := max(self._by_address.wait(whence), self._by_name.wait(name)):
            return Refused(wait)
        user = await self._store.user(name)
        if not await self._is_right(user.password if user else _NOBODY, password) or user is None:
            self._by_address.spend(whence)
            self._by_name.spend(name)
            await self.note(request, "login refused", name, who=name)
            return Refused(0)
        cookie = secrets.token_urlsafe(32)
        expires = clock.now() + self._hours * _HOUR
        csrf = secrets.token_urlsafe(32)
        session = Session(user.name, user.role, csrf, expires)
        await self._store.begin_session(digest(cookie), session)
        await self.note(request, "login", "", who=user.name)
        return Login(cookie, Who(user.name, user.role, csrf, digest(cookie)))

    async def log_out(self, request: AnyRequest) -> None:
        """End the session behind the request."""
        if isinstance(request.user, Who):
            await self._store.end_session(request.user.digest)
            await self.note(request, "logout", "")

    async def set_password(self, request: AnyRequest, old: str, new: str) -> bool:
        """One's own; False: the old one is wrong."""
        user = await self._store.user(request.user.name)
        if user is None or not await self._is_right(user.password, old):
            return False
        hashed = await asyncio.to_thread(hash_password, new)
        await self._store.put_user(User(user.name, user.role, user.created, hashed))
        await self.note(request, "password changed", user.name)
        return True

    async def note(self, request: AnyRequest, action: str, about: str, *, who: str = "") -> None:
        """Add to the audit log."""
        name = who or request.user.name
        event = Event(0, clock.now(), name, action, about[:200], address(request))
        await self._store.note(event)

    async def _is_right(self, hashed: str, password: str) -> bool:
        if len(password) > LONGEST_PASSWORD:
            return False
        async with self._hashing:
            return await asyncio.to_thread(_verify, hashed, password)


class Authentication(AbstractAuthenticationMiddleware):
    """Finds out who asks. Whether they may is the guards' to say."""

    async def authenticate_request(self, connection: AnyConnection) -> AuthenticationResult:
        """By bearer key, else by cookie."""
        store: Store = connection.app.state.store
        bearer = connection.headers.get("Authorization", "")
        if bearer.startswith("Bearer "):
            known = digest(bearer.removeprefix("Bearer ").strip())
            key = await store.key(known, clock.now())
            return AuthenticationResult(Who(key.name, key.role, "", known) if key else None, None)
        cookie = connection.cookies.get(COOKIE)
        if not cookie:
            return AuthenticationResult(None, None)
        known = digest(cookie)
        session = await store.session(known, clock.now())
        who = Who(session.user, session.role, session.csrf, known) if session else None
        return AuthenticationResult(who, None)


def at_least(role: Role) -> Guard:
    """A guard: 401 for nobody, 403 for those who may not."""

    def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        if connection.user is None:
            raise NotAuthorizedException("log in, or send a bearer key")
        if connection.user.role < role:
            raise PermissionDeniedException(f"this needs the role {role.name.lower()}")

    return guard


async def check_origin(request: AnyRequest) -> None:
    """Before each request: what changes something comes from our own pages, or from a machine.

    A browser says whence a request comes (Origin); whoever is known by a cookie has to send back
    the session's CSRF secret besides, in a header or in the field of a form.
    """
    if request.method in _SAFE or request.scope["path"].startswith("/v1/"):
        return
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        raise PermissionDeniedException("this request comes from another site")
    who = request.user
    if not isinstance(who, Who) or not who.csrf:
        return
    sent = request.headers.get(CSRF_HEADER, "")
    if not sent and request.headers.get("Content-Type", "").startswith(_FORMS):
        sent = str((await request.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest(sent.encode(), who.csrf.encode()):
        raise PermissionDeniedException("the CSRF secret is missing or wrong")


def address(request: AnyRequest) -> str:
    """Whence a request comes."""
    return request.client.host if request.client else ""


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
