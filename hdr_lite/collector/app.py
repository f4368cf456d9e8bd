"""The ASGI application, from a storage and settings."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme

from hdr_lite import __version__
from hdr_lite.collector import administration, api, clock
from hdr_lite.collector.accounts import Accounts, Authentication, check_origin
from hdr_lite.collector.ingest import Ingest
from hdr_lite.collector.live import Live
from hdr_lite.collector.settings import Settings
from hdr_lite.collector.store import Sink, Store, Unavailable

_LOG = logging.getLogger("hdr_lite.collector")
_RETAIN_EVERY = 60.0
_MOST_BODY = 64 << 10  #: of what people and their programs send

#: A page of ours loads what is ours, is framed by nobody, and sends its forms to us.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "Cache-Control": "no-store",
}


def create_app(
    store: Store,
    settings: Settings,
    *,
    sink: Sink | None = None,
    pages: Sequence[Router] = (),
    refusals: Mapping[int | type[Exception], Any] | None = None,
) -> Litestar:
    """``sink`` is where batches go, the storage itself unless there is a bus before it.

    ``pages`` are served beside the API: in their handlers ``store``, ``accounts``, ``listeners``
    and ``settings`` can be asked for by name, ``request.user`` is a :class:`accounts.Who` or None.
    ``refusals`` answer what no handler was found for.
    """
    accounts, listeners = Accounts(store, settings), Live(store)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        retention = asyncio.create_task(_retain(store, settings))
        try:
            yield
        finally:
            retention.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await retention

    return Litestar(
        [
            Ingest(store, sink or store, settings).router(),
            *api.routers(),
            *administration.routers(),
            *pages,
        ],
        state=State({"store": store}),
        dependencies={
            "store": _given(store),
            "accounts": _given(accounts),
            "listeners": _given(listeners),
            "settings": _given(settings),
        },
        middleware=[DefineMiddleware(Authentication, exclude=["^/v1/"])],
        before_request=check_origin,
        exception_handlers={Unavailable: _unavailable, **(refusals or {})},
        response_headers=HEADERS,
        request_max_body_size=_MOST_BODY,
        openapi_config=_openapi(),
        response_cache_config=ResponseCacheConfig(default_expiration=None),
        lifespan=[lifespan],
        logging_config=None,
        debug=False,
    )


def _given(thing: object) -> Provide:
    return Provide(lambda: thing, sync_to_thread=False)


def _openapi() -> OpenAPIConfig:
    schemes: dict[str, SecurityScheme | Reference] = {
        "bearer": SecurityScheme(type="http", scheme="bearer", description="hdrk.ID.SECRET"),
    }
    return OpenAPIConfig(
        title="HDR-lite collector",
        version=__version__,
        path="/api/schema",
        render_plugins=[JsonRenderPlugin(path="/")],
        use_handler_docstrings=True,
        components=Components(security_schemes=schemes),
        security=[{"bearer": []}],
    )


def _unavailable(_: Request[Any, Any, Any], error: Unavailable) -> Response[dict[str, Any]]:
    _LOG.warning("the storage is unavailable: %s", error)
    return Response(
        {"status_code": 503, "detail": "the storage is unavailable"},
        status_code=503,
        headers={"Retry-After": "5"},
    )


async def _retain(store: Store, settings: Settings) -> None:
    """See to retention now and then, as long as the application runs."""
    while True:
        try:
            removed = await store.retain(settings.days, settings.size, clock.now())
        except Unavailable as error:
            _LOG.warning("retention waits: %s", error)
        else:
            if removed:
                _LOG.info("retention removed %d alerts", removed)
        await asyncio.sleep(_RETAIN_EVERY)
