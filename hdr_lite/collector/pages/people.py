"""Who uses the collector: login, their own account, users, keys of programs, audit."""

import asyncio
import re

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from hdr_lite.collector import clock
from hdr_lite.collector.accounts import (
    NAME,
    SHORTEST_PASSWORD,
    Refused,
    hash_password,
    new_key,
    new_password,
)
from hdr_lite.collector.api import AnyRequest, People, Storage, session_cookie
from hdr_lite.collector.pages.door import Wrong, form_of, name_of, our_path, see_other
from hdr_lite.collector.pages.render import page
from hdr_lite.collector.pages.reports import Cursor
from hdr_lite.collector.pages.words import ROLES, span
from hdr_lite.collector.store import Role, User
from hdr_lite.config import UserError

_PAGE = 100
_MOST_DAYS = 3650


@get("/login")
async def login(request: AnyRequest, next: FromQuery[str] = "/") -> Response[str]:
    """The form."""
    if request.user is not None:
        return see_other(our_path(next))
    return _login(our_path(next))


@post("/login", status_code=200)
async def log_in(request: AnyRequest, accounts: People) -> Response[str]:
    """A session for who knows the password."""
    form = await form_of(request)
    wanted, name = our_path(form.get("next", "")), form.get("user", "")
    login = await accounts.log_in(request, name, form.get("password", ""))
    if isinstance(login, Refused):
        if login.wait:
            trouble = f"Too many attempts. Try again in {span(login.wait)}."
            return _login(wanted, name, trouble, 429)
        return _login(wanted, name, "User or password is wrong.", 403)
    answer = see_other(wanted)
    answer.set_cookie(session_cookie(login.cookie))
    return answer


@post("/logout", status_code=200)
async def log_out(request: AnyRequest, accounts: People) -> Response[str]:
    """End the session."""
    await accounts.log_out(request)
    answer = see_other("/login")
    answer.set_cookie(session_cookie(""))
    return answer


@get("/account")
async def account(request: AnyRequest) -> Response[str]:
    """One's own."""
    return _account(request)


@post("/account/password", status_code=200)
async def change_password(request: AnyRequest, accounts: People) -> Response[str]:
    """One's own; every session of it ends."""
    form = await form_of(request)
    try:
        changed = await accounts.set_password(request, form.get("old", ""), form.get("new", ""))
    except UserError as error:
        return _account(request, f"{error}.")
    if not changed:
        return _account(request, "The present password is another.")
    return see_other("/login")


@get("/users")
async def users(request: AnyRequest, store: Storage) -> Response[str]:
    """People and keys."""
    return await _users(request, store)


@post("/users", status_code=200)
async def add_user(request: AnyRequest, store: Storage, accounts: People) -> Response[str]:
    """A new one, with a password that is shown once."""
    form = await form_of(request)
    name, role = form.get("name", "").strip(), _role(form)
    if not re.fullmatch(NAME, name):
        raise Wrong("a name is of a-z, 0-9, dot, dash and underscore, beginning with a letter")
    if await store.user(name) is not None:
        raise Wrong(f"there is already a user {name}")
    password = new_password()
    hashed = await asyncio.to_thread(hash_password, password)
    await store.put_user(User(name, role, clock.now(), hashed))
    await accounts.note(request, "user made", f"{name} {ROLES[role]}")
    return await _users(request, store, f"Password of {name}", password)


@post("/users/role", status_code=200)
async def change_role(request: AnyRequest, store: Storage, accounts: People) -> Response[str]:
    """Another role."""
    form = await form_of(request)
    user, role = await _other(request, store, form), _role(form)
    await store.put_user(User(user.name, role, user.created, user.password))
    await accounts.note(request, "user changed", f"{user.name}: {ROLES[role]}")
    return see_other("/users")


@post("/users/password", status_code=200)
async def reset_password(request: AnyRequest, store: Storage, accounts: People) -> Response[str]:
    """A new password, shown once."""
    user = await _other(request, store, await form_of(request))
    password = new_password()
    hashed = await asyncio.to_thread(hash_password, password)
    await store.put_user(User(user.name, user.role, user.created, hashed))
    await accounts.note(request, "user changed", f"{user.name}: new password")
    return await _users(request, store, f"New password of {user.name}", password)


@post("/users/remove", status_code=200)
async def remove_user(request: AnyRequest, store: Storage, accounts: People) -> Response[str]:
    """And their sessions."""
    user = await _other(request, store, await form_of(request))
    await store.remove_user(user.name)
    await accounts.note(request, "user removed", user.name)
    return see_other("/users")


@post("/keys", status_code=200)
async def add_key(request: AnyRequest, store: Storage, accounts: People) -> Response[str]:
    """A bearer key, shown once."""
    form = await form_of(request)
    name, days = name_of(form.get("name", "")), form.get("days", "")
    if not (name and days.isdecimal() and int(days) <= _MOST_DAYS):
        raise Wrong("a key has a name and a number of days")
    key, text, digest = new_key(name, _role(form), int(days), request.user.name)
    await store.add_key(key, digest)
    await accounts.note(request, "key made", f"{key.id} {name} {ROLES[key.role]}")
    return await _users(request, store, f"Key {name}: send it as a bearer token", text)


@post("/keys/{key:str}/remove", status_code=200)
async def remove_key(
    request: AnyRequest, store: Storage, accounts: People, key: FromPath[str]
) -> Response[str]:
    """Withdraw it."""
    if not await store.remove_key(key):
        raise NotFoundException
    await accounts.note(request, "key removed", key)
    return see_other("/users")


@get("/audit")
async def audit(request: AnyRequest, store: Storage, before: Cursor = 0) -> Response[str]:
    """Who did what, newest first."""
    found = await store.events(limit=_PAGE, before=before)
    context = {
        "page": found,
        "paged": before > 0,
        "older": f"/audit?before={found.next}",
        "newest": "/audit",
    }
    return page("audit.html", context, who=request.user, nav="/audit")


async def _other(request: AnyRequest, store: Storage, form: dict[str, str]) -> User:
    """Whom a form is about. Nobody changes himself here: so one admin always remains."""
    user = await store.user(form.get("name", ""))
    if user is None:
        raise NotFoundException
    if user.name == request.user.name:
        raise Wrong("nobody changes his own role or removes himself")
    return user


async def _users(
    request: AnyRequest, store: Storage, title: str = "", secret: str = ""
) -> Response[str]:
    context = {
        "users": await store.users(),
        "keys": await store.keys_of_machines(),
        "roles": ROLES,
        "title": title,
        "secret": secret,
    }
    return page("users.html", context, who=request.user, nav="/users")


def _role(form: dict[str, str]) -> Role:
    try:
        return Role(int(form.get("role", "")))
    except ValueError as error:
        raise Wrong("there is no such role") from error


def _login(wanted: str, user: str = "", trouble: str = "", status: int = 200) -> Response[str]:
    context = {"next": wanted, "user": user, "trouble": trouble}
    return page("login.html", context, who=None, status=status)


def _account(request: AnyRequest, trouble: str = "") -> Response[str]:
    context = {"trouble": trouble, "least": SHORTEST_PASSWORD}
    return page("account.html", context, who=request.user, status=400 if trouble else 200)
