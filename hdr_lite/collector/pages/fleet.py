"""Devices, and how they come to be some: enrolment."""

import asyncio
import re

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from hdr_lite.collector.administration import Chosen
from hdr_lite.collector.api import AnyRequest, People, Storage
from hdr_lite.collector.invitations import MOST_HOURS, invite
from hdr_lite.collector.pages.door import Wrong, form_of, name_of, see_other
from hdr_lite.collector.pages.render import page
from hdr_lite.collector.pages.reports import Cursor, Text, names_of
from hdr_lite.collector.store import AlertFilter, Device

_FEW = 8
_PAGE = 50
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_NOTICES = {"renamed": "It has its new name.", "revoked": "It is revoked: its secret is forgotten."}


@get("/devices")
async def devices(request: AnyRequest, store: Storage, before: Cursor = 0) -> Response[str]:
    """A part of the list, newest first."""
    found = await store.devices(limit=_PAGE, before=before)
    context = {
        "page": found,
        "paged": before > 0,
        "older": f"/devices?before={found.next}",
        "newest": "/devices",
    }
    return page("devices.html", context, who=request.user, nav="/devices", live=not before)


@get("/devices/{id:str}")
async def device(
    request: AnyRequest, store: Storage, id: FromPath[str], done: Text = ""
) -> Response[str]:
    """One, with its health."""
    shown = await _device(store, id)
    blocks, latest = await asyncio.gather(
        store.blocks(device=id, limit=_FEW),
        store.alerts(AlertFilter(device=id), limit=_FEW),
    )
    context = {
        "device": shown,
        "blocks": blocks,
        "latest": latest.items,
        "notice": _NOTICES.get(done, ""),
    }
    return page("device.html", context, who=request.user, nav="/devices", live=True)


@post("/devices/{id:str}/rename", status_code=200)
async def rename(
    request: AnyRequest, store: Storage, accounts: People, id: FromPath[str]
) -> Redirect:
    """Give it another name."""
    name = name_of((await form_of(request)).get("name", ""))
    if not name:
        raise Wrong("a device has a name")
    if not await store.rename(id, name):
        raise NotFoundException
    await accounts.note(request, "device renamed", f"{id} {name}")
    return see_other(f"/devices/{id}?done=renamed")


@post("/devices/{id:str}/revoke", status_code=200)
async def revoke(
    request: AnyRequest, store: Storage, accounts: People, id: FromPath[str]
) -> Redirect:
    """Take its secret from it."""
    if not await store.revoke(id):
        raise NotFoundException
    await accounts.note(request, "device revoked", id)
    return see_other(f"/devices/{id}?done=revoked")


@get("/enrolment")
async def enrolment(request: AnyRequest, store: Storage) -> Response[str]:
    """The tokens."""
    return await _enrolment(request, store)


@post("/enrolment", status_code=200)
async def make(
    request: AnyRequest, store: Storage, accounts: People, settings: Chosen
) -> Response[str]:
    """Make a token: the one answer that shows it."""
    form = await form_of(request)
    hours = form.get("hours", "")
    if not (hours.isdecimal() and 1 <= int(hours) <= MOST_HOURS):
        raise Wrong(f"a token holds for 1 to {MOST_HOURS} hours")
    note = name_of(form.get("note", ""))
    token = await invite(store, settings.ca_digest, note, int(hours), request.user.name)
    await accounts.note(request, "token made", f"{token.id} {note}")
    command = f"hdr-lite enrol {_address(request)} --token {token}"
    return await _enrolment(request, store, command, token.id)


@post("/enrolment/{token:str}/withdraw", status_code=200)
async def withdraw(
    request: AnyRequest, store: Storage, accounts: People, token: FromPath[str]
) -> Redirect:
    """Take a token back."""
    if not await store.withdraw(token):
        raise NotFoundException
    await accounts.note(request, "token withdrawn", token)
    return see_other("/enrolment")


async def _device(store: Storage, id: str) -> Device:
    device = await store.device(id)
    if device is None:
        raise NotFoundException
    return device


async def _enrolment(
    request: AnyRequest, store: Storage, command: str = "", made: str = ""
) -> Response[str]:
    found = await store.invitations()
    context = {
        "invitations": found,
        "command": command,
        "made": next((token for token in found if token.id == made), None),
        "names": await names_of(store, [token.device for token in found if token.used]),
    }
    return page("enrolment.html", context, who=request.user, nav="/enrolment")


def _address(request: AnyRequest) -> str:
    """Where this collector is, as the browser reached it; nothing that a shell would read."""
    host = request.headers.get("host", "")
    return f"https://{host}" if _HOST.fullmatch(host) else "https://COLLECTOR"
