"""/api/*: tokens, users, keys and the audit log: what operators and administrators do."""

import asyncio
from typing import Annotated

from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import JSONBody, PathParameter, SkipValidation

from hdr_lite.collector import clock
from hdr_lite.collector.accounts import at_least, hash_password, new_key, new_password
from hdr_lite.collector.api import AnyRequest, Before, Limit, People, Storage, TextPath
from hdr_lite.collector.invitations import invite
from hdr_lite.collector.settings import Settings
from hdr_lite.collector.store import Event, Invitation, Key, Page, Role, User
from hdr_lite.collector.views import (
    MadeKey,
    MadeToken,
    MadeUser,
    NewKey,
    NewToken,
    NewUser,
    UserView,
)

Chosen = NamedDependency[SkipValidation[Settings]]
Id = Annotated[str, PathParameter(max_length=8)]


@get("/tokens")
async def tokens(store: Storage) -> list[Invitation]:
    """Enrolment tokens, newest first, without their secrets."""
    return await store.invitations()


@post("/tokens")
async def make_token(
    request: AnyRequest,
    store: Storage,
    accounts: People,
    settings: Chosen,
    data: JSONBody[NewToken],
) -> MadeToken:
    """A token for one device, told this once."""
    hours = data.hours or settings.token_hours
    token = await invite(store, settings.ca_digest, data.note, hours, request.user.name)
    await accounts.note(request, "token made", f"{token.id} {data.note}")
    return MadeToken(token.id, str(token), clock.now() + int(hours * 3_600_000))


@delete("/tokens/{token:str}")
async def withdraw_token(request: AnyRequest, store: Storage, accounts: People, token: Id) -> None:
    """It can be used no more."""
    if not await store.withdraw(token):
        raise NotFoundException("there is no such token that could be used")
    await accounts.note(request, "token withdrawn", token)


@get("/users")
async def users(store: Storage) -> list[UserView]:
    """By name."""
    return [UserView(user.name, user.role, user.created) for user in await store.users()]


@post("/users")
async def put_user(
    request: AnyRequest, store: Storage, accounts: People, data: JSONBody[NewUser]
) -> MadeUser:
    """Make one, or change role and password; ends their sessions."""
    known = await store.user(data.name)
    if known and known.role == Role.ADMIN and data.role != Role.ADMIN:
        await _keep_an_admin(store, data.name)
    made = "" if data.password else new_password()
    hashed = await asyncio.to_thread(hash_password, data.password or made)
    created = known.created if known else clock.now()
    await store.put_user(User(data.name, data.role, created, hashed))
    await accounts.note(request, "user changed" if known else "user made", data.name)
    return MadeUser(data.name, data.role, made)


@delete("/users/{name:str}")
async def remove_user(
    request: AnyRequest, store: Storage, accounts: People, name: TextPath
) -> None:
    """And their sessions. The last administrator stays."""
    await _keep_an_admin(store, name)
    if not await store.remove_user(name):
        raise NotFoundException("there is no such user")
    await accounts.note(request, "user removed", name)


@get("/keys")
async def keys(store: Storage) -> list[Key]:
    """Bearer keys of machines, without their secrets."""
    return await store.keys_of_machines()


@post("/keys")
async def make_key(
    request: AnyRequest, store: Storage, accounts: People, data: JSONBody[NewKey]
) -> MadeKey:
    """A bearer key for a machine, told this once."""
    key, text, known = new_key(data.name, data.role, data.days, request.user.name)
    await store.add_key(key, known)
    await accounts.note(request, "key made", f"{key.id} {key.name}")
    return MadeKey(key.id, text, key.expires)


@delete("/keys/{key:str}")
async def remove_key(request: AnyRequest, store: Storage, accounts: People, key: Id) -> None:
    """It opens nothing any more."""
    if not await store.remove_key(key):
        raise NotFoundException("there is no such key")
    await accounts.note(request, "key removed", key)


@get("/audit")
async def audit(store: Storage, limit: Limit = 100, before: Before = 0) -> Page[Event]:
    """Who did what, newest first."""
    return await store.events(limit=limit, before=before)


async def make_first_admin(store: Storage) -> str:
    """The password of ``admin`` where there is no user yet; else ""."""
    password = new_password()
    hashed = await asyncio.to_thread(hash_password, password)
    made = await store.put_first_user(User("admin", Role.ADMIN, clock.now(), hashed))
    return password if made else ""


async def _keep_an_admin(store: Storage, name: str) -> None:
    admins = [user.name for user in await store.users() if user.role == Role.ADMIN]
    if admins == [name]:
        raise HTTPException("this is the last administrator", status_code=409)


def routers() -> list[Router]:
    """By role."""
    operators = [tokens, make_token, withdraw_token]
    administrators = [users, put_user, remove_user, keys, make_key, remove_key, audit]
    return [
        Router("/api", route_handlers=operators, guards=[at_least(Role.OPERATOR)]),
        Router("/api", route_handlers=administrators, guards=[at_least(Role.ADMIN)]),
    ]
