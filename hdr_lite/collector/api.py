"""/api/*: REST for people's programs. OpenAPI at /api/schema says what each takes and gives.

Lists give ``items`` and ``next``; ``before=next`` gets the next part, 0 is the end. Times are ms
since 1970.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException
from litestar.params import (
    FromPath,
    FromQuery,
    JSONBody,
    PathParameter,
    QueryParameter,
    SkipValidation,
)
from litestar.response import Response, ServerSentEvent, ServerSentEventMessage

from hdr_lite.collector import clock
from hdr_lite.collector.accounts import COOKIE, Accounts, Refused, Who, at_least
from hdr_lite.collector.live import Live
from hdr_lite.collector.stix import bundle
from hdr_lite.collector.store import (
    Alert,
    AlertFilter,
    Attacker,
    BlockAt,
    Device,
    Overview,
    Page,
    Role,
    Store,
)
from hdr_lite.collector.views import (
    AlertView,
    AttackerView,
    Login,
    Me,
    PasswordChange,
    Rename,
    alert_view,
)

Storage = NamedDependency[SkipValidation[Store]]
People = NamedDependency[SkipValidation[Accounts]]
Listeners = NamedDependency[SkipValidation[Live]]
AnyRequest = Request[Any, Any, Any]

_MOST_MS = 1 << 42
Moment = Annotated[int, QueryParameter(ge=0, le=_MOST_MS)]
Before = Annotated[int, QueryParameter(ge=0, le=(1 << 53) - 1)]
Limit = Annotated[int, QueryParameter(ge=1, le=500)]
Text = Annotated[str, QueryParameter(max_length=100)]
DeviceId = Annotated[str, QueryParameter(max_length=32)]
DevicePath = Annotated[str, PathParameter(max_length=32)]
TextPath = Annotated[str, PathParameter(max_length=100)]
Level = FromQuery[Literal["", "info", "low", "medium", "high", "critical"]]
_DAY = 86_400_000
_MOST_BUCKETS = 2000


@post("/login", status_code=200)
async def log_in(request: AnyRequest, accounts: People, data: JSONBody[Login]) -> Response[Me]:
    """Begin a session: its cookie, and the CSRF secret. 429: too many failures."""
    login = await accounts.log_in(request, data.user, data.password)
    if isinstance(login, Refused):
        if login.wait:
            raise HTTPException(
                "too many failed logins", status_code=429, headers=_retry(login.wait)
            )
        raise NotAuthorizedException("user or password is wrong")
    who = login.who
    return Response(Me(who.name, who.role, who.csrf), cookies=[session_cookie(login.cookie)])


@post("/logout", status_code=204, guards=[at_least(Role.VIEWER)])
async def log_out(request: AnyRequest, accounts: People) -> Response[None]:
    """End the session."""
    await accounts.log_out(request)
    answer: Response[None] = Response(None)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@get("/me")
async def me(request: AnyRequest) -> Me:
    """Who asks."""
    who: Who = request.user
    return Me(who.name, who.role, who.csrf)


@post("/me/password", status_code=204)
async def change_password(
    request: AnyRequest, accounts: People, data: JSONBody[PasswordChange]
) -> None:
    """One's own; ends one's sessions. 403: the old one is wrong, or a machine asks."""
    if not await accounts.set_password(request, data.old, data.new):
        raise HTTPException("the old password is wrong", status_code=403)


@get("/overview")
async def overview(
    store: Storage, since: Moment = 0, until: Moment = 0, step: Moment = 3_600_000
) -> Overview:
    """What was attacked where and by whom: the last day, unless said otherwise."""
    until = until or clock.now()
    since = since or max(0, until - _DAY)
    if step % 300_000 or not step or not 0 < until - since <= step * _MOST_BUCKETS:
        raise HTTPException(
            f"step is a multiple of 300000, since before until, and at most {_MOST_BUCKETS} steps",
            status_code=400,
        )
    return await store.overview(since, until, step)


@get("/alerts")
async def alerts(  # noqa: PLR0913 - each is a filter
    store: Storage,
    since: Moment = 0,
    until: Moment = 0,
    device: DeviceId = "",
    attacker: Text = "",
    type: Text = "",
    family: Text = "",
    level: Level = "",
    limit: Limit = 50,
    before: Before = 0,
) -> Page[Alert]:
    """Newest arrival first. A page looks at 20,000 alerts at most: it may be short and go on."""
    which = AlertFilter(since, until, device, attacker, type, family, level)
    return await store.alerts(which, limit=limit, before=before)


@get("/alerts/{number:int}")
async def alert(store: Storage, number: FromPath[int]) -> AlertView:
    """One, with the evidence behind it."""
    payload = await store.alert(number) if 0 <= number < 1 << 53 else None
    if payload is None:
        raise NotFoundException("there is no such alert")
    return alert_view(payload)


@get("/export/stix", media_type="application/stix+json;version=2.1")
async def export_stix(  # noqa: PLR0913 - each is a filter
    store: Storage,
    since: Moment = 0,
    until: Moment = 0,
    device: DeviceId = "",
    attacker: Text = "",
    type: Text = "",
    family: Text = "",
    level: Level = "",
    limit: Annotated[int, QueryParameter(ge=1, le=5000)] = 1000,
    before: Before = 0,
) -> Response[bytes]:
    """A STIX 2.1 bundle of alerts, filtered as /api/alerts; ``HDR-Next`` is the next ``before``."""
    which = AlertFilter(since, until, device, attacker, type, family, level)
    page = await store.alerts(which, limit=limit, before=before)
    return Response(
        msgspec.json.encode(bundle(page.items)),
        media_type="application/stix+json;version=2.1",
        headers={"HDR-Next": str(page.next)},
    )


@get("/live")
async def live(listeners: Listeners, store: Storage) -> ServerSentEvent:
    """Server-sent events: ``alert`` with an alert as JSON, as they arrive."""
    if listeners.is_full():
        raise HTTPException("too many listen", status_code=503, headers=_retry(60))

    async def messages() -> AsyncIterator[ServerSentEventMessage]:
        async for new in listeners.listen():
            if new is None:
                yield ServerSentEventMessage(data=None, comment="")
            else:
                data = msgspec.json.encode(new).decode()
                yield ServerSentEventMessage(data=data, event="alert", id=new.number)

    return ServerSentEvent(messages())


@get("/devices")
async def devices(store: Storage, limit: Limit = 100, before: Before = 0) -> Page[Device]:
    """Newest first, each with how it last said it is."""
    return await store.devices(limit=limit, before=before)


@get("/devices/{device:str}")
async def device(store: Storage, device: DevicePath) -> Device:
    """One."""
    found = await store.device(device)
    if found is None:
        raise NotFoundException("there is no such device")
    return found


@post("/devices/{device:str}/name", status_code=204, guards=[at_least(Role.OPERATOR)])
async def rename_device(
    request: AnyRequest,
    store: Storage,
    accounts: People,
    device: DevicePath,
    data: JSONBody[Rename],
) -> None:
    """Call it otherwise."""
    if not await store.rename(device, data.name):
        raise NotFoundException("there is no such device")
    await accounts.note(request, "device renamed", f"{device} {data.name}")


@post("/devices/{device:str}/revoke", status_code=204, guards=[at_least(Role.ADMIN)])
async def revoke_device(
    request: AnyRequest, store: Storage, accounts: People, device: DevicePath
) -> None:
    """For good: it can send nothing any more. What it sent stays."""
    if not await store.revoke(device):
        raise NotFoundException("there is no such device")
    await accounts.note(request, "device revoked", device)


@get("/attackers")
async def attackers(
    store: Storage, since: Moment = 0, limit: Limit = 50, before: Before = 0
) -> Page[Attacker]:
    """Over all devices, last seen first."""
    return await store.attackers(since=since, limit=limit, before=before)


@get("/attackers/{address:str}")
async def attacker(store: Storage, address: TextPath) -> AttackerView:
    """One, and which devices met it."""
    found = await store.attacker(address)
    if found is None:
        raise NotFoundException("there is no such attacker")
    return AttackerView(*found)


@get("/blocks")
async def blocks(
    store: Storage,
    device: DeviceId = "",
    address: Text = "",
    limit: Limit = 100,
    before: Before = 0,
) -> Page[BlockAt]:
    """Whom the devices hold, as they last said."""
    return await store.blocks(device=device, address=address, limit=limit, before=before)


def session_cookie(value: str) -> Cookie:
    """Only ours, over TLS only, never for scripts, never from other sites."""
    return Cookie(COOKIE, value=value, path="/", secure=True, httponly=True, samesite="strict")


def _retry(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(seconds + 0.5)))}


_SEEN = [
    me, change_password, overview, alerts, alert, export_stix, live, devices, device,
    rename_device, revoke_device, attackers, attacker, blocks, log_out,
]  # fmt: skip


def routers() -> list[Router]:
    """All of it; logging in needs no role."""
    return [
        Router("/api", route_handlers=[log_in]),
        Router("/api", route_handlers=_SEEN, guards=[at_least(Role.VIEWER)]),
    ]
