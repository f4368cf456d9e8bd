"""What comes in by a form, and what a refusal looks like."""

import re
from typing import Any
from urllib.parse import urlencode

from litestar import Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
)
from litestar.exceptions.responses import create_exception_response
from litestar.response import Redirect

from hdr_lite.collector.accounts import AnyRequest
from hdr_lite.collector.pages.render import page
from hdr_lite.collector.store import Unavailable

_LONGEST_NAME = 100
_PROGRAMS = ("/api/", "/v1/")  #: whose addresses begin so
_OURS = re.compile(r"/(?![/\\])[\x21-\x7e]{0,500}")
_HEADINGS = {
    400: "That cannot be done",
    403: "Not allowed",
    404: "There is no such thing",
    503: "Not now",
}


class Wrong(ClientException):
    """What a form asks for is not to be had; the text is for the person who asked."""


async def form_of(request: AnyRequest) -> dict[str, str]:
    """The fields of a form."""
    return {k: v for k, v in (await request.form()).items() if isinstance(v, str)}


def name_of(text: str) -> str:
    """A name that was typed: one line of characters that show, no longer than names are."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())[:_LONGEST_NAME]


def our_path(wanted: str) -> str:
    """Where to go after a login; nowhere but here."""
    return wanted if _OURS.fullmatch(wanted) else "/"


def see_other(path: str) -> Redirect:
    """After something was done: to the page that shows it."""
    return Redirect(path, status_code=303)


def _to_login(request: AnyRequest, _: Exception) -> Response[Any]:
    """Who is not logged in does so first, and then gets the page that he asked for."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET" or wanted == "/":
        return see_other("/login")
    return see_other(f"/login?{urlencode({'next': wanted})}")


def _refuse(request: AnyRequest, error: Exception) -> Response[str]:
    """A refusal as a page."""
    status = error.status_code if isinstance(error, HTTPException) else 503
    reason = ""
    if isinstance(error, Wrong | PermissionDeniedException):
        reason = f"{error.detail[:1].upper()}{error.detail[1:]}."
    elif isinstance(error, Unavailable):
        reason = "The storage can answer nothing at present. Nothing was changed."
    context = {"heading": _HEADINGS.get(status, "That cannot be done"), "reason": reason}
    return page("refusal.html", context, who=request.user, status=status)


def _unknown(request: AnyRequest, error: NotFoundException) -> Response[Any]:
    """An address that is none: a page to people, as ever to programs."""
    if request.url.path.startswith(_PROGRAMS):
        return create_exception_response(request, error)
    return page("refusal.html", {"heading": _HEADINGS[404], "reason": ""}, who=None, status=404)


#: For the application: what no router was found for.
UNKNOWN: dict[int | type[Exception], Any] = {NotFoundException: _unknown}
#: For routers of pages.
REFUSALS: dict[int | type[Exception], Any] = {
    NotAuthorizedException: _to_login,
    HTTPException: _refuse,
    Unavailable: _refuse,
}
