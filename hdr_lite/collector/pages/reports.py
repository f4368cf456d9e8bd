"""Who attacks whom: overview, alerts, attackers, blocks."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from hdr_lite.collector import clock
from hdr_lite.collector.api import AnyRequest, Storage
from hdr_lite.collector.pages.chart import counts, time_chart
from hdr_lite.collector.pages.evidence import case_of
from hdr_lite.collector.pages.render import page
from hdr_lite.collector.pages.words import FAMILIES
from hdr_lite.collector.store import LEVELS, AlertFilter, Overview, Store
from hdr_lite.records.evidence import FAMILY_OF

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

#: Spans of time that are offered: how long, and the step of the chart.
SPANS = {
    "1h": (_HOUR, 5 * _MINUTE),
    "24h": (_DAY, 30 * _MINUTE),
    "7d": (7 * _DAY, 4 * _HOUR),
    "30d": (30 * _DAY, _DAY),
}
_LATEST = AlertFilter()
_FEW = 8
_PAGE = 50

Text = Annotated[str, QueryParameter(max_length=64)]
Cursor = Annotated[int, QueryParameter(ge=0, le=(1 << 63) - 1)]


async def names_of(store: Store, devices: Iterable[str]) -> dict[str, str]:
    """What the devices of a page are called."""
    wanted = dict.fromkeys(filter(None, devices))
    found = await asyncio.gather(*(store.device(device) for device in wanted))
    return {device.id: device.name for device in found if device is not None}


def _since(span: str, now: int) -> int:
    return now - SPANS[span][0] if span in SPANS else 0


def _link(path: str, **values: str | int) -> str:
    """An address with those of the values that say something."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


@get("/")
async def overview(request: AnyRequest, store: Storage, span: Text = "24h") -> Response[str]:
    """What is attacked where and by whom, now."""
    if span not in SPANS:
        span = "24h"
    length, step = SPANS[span]
    now = clock.now()
    until = now + 1
    seen = await store.overview((until - length) // step * step + step, until, step)
    latest = (await store.alerts(_LATEST, limit=_FEW)).items
    ids = [at.device for at in seen.devices[:_FEW]] + [alert.device for alert in latest]
    context = {
        "overview": seen,
        "span": span,
        "spans": list(SPANS),
        "levels": LEVELS,
        "chart": await asyncio.to_thread(time_chart, seen),
        "counts": counts(seen),
        "latest": latest,
        "names": await names_of(store, ids),
        "now": now,
        **_sums(seen),
    }
    return page("overview.html", context, who=request.user, nav="/", live=True)


@get("/alerts")
async def alerts(  # noqa: PLR0913 - each is a field of the filter
    request: AnyRequest,
    store: Storage,
    span: Text = "",
    level: Text = "",
    family: Text = "",
    type: Text = "",
    attacker: Text = "",
    device: Text = "",
    before: Cursor = 0,
) -> Response[str]:
    """A part of the list, newest first."""
    now = clock.now()
    which = AlertFilter(
        since=_since(span, now),
        device=device.strip(),
        attacker=attacker.strip(),
        type=type.strip(),
        family=family,
        level=level,
    )
    found = await store.alerts(which, limit=_PAGE, before=before)
    asked: dict[str, str | int] = {
        "span": span if span in SPANS else "",
        "level": level,
        "family": family,
        "type": which.type,
        "attacker": which.attacker,
        "device": which.device,
    }
    context = {
        "page": found,
        "which": which,
        "span": span,
        "spans": list(SPANS),
        "levels": LEVELS,
        "families": FAMILIES,
        "types": sorted(FAMILY_OF),
        "filtered": any(asked.values()),
        "paged": before > 0,
        "older": _link("/alerts", **asked, before=found.next),
        "newest": _link("/alerts", **asked),
        "names": await names_of(store, [device, *(alert.device for alert in found.items)]),
        "now": now,
    }
    return page("alerts.html", context, who=request.user, nav="/alerts", live=not before)


@get("/alerts/{number:int}")
async def alert(request: AnyRequest, store: Storage, number: FromPath[int]) -> Response[str]:
    """One, with the evidence behind it."""
    payload = await store.alert(number) if 0 < number < 1 << 63 else None
    if payload is None:
        return _gone(request, "alert", "/alerts")
    context = {
        "alert": payload.alert,
        "case": await asyncio.to_thread(case_of, payload),
        "names": await names_of(store, [payload.alert.device]),
    }
    return page("alert.html", context, who=request.user, nav="/alerts")


@get("/attackers")
async def attackers(
    request: AnyRequest, store: Storage, span: Text = "", before: Cursor = 0
) -> Response[str]:
    """A part of the list, last seen first."""
    now = clock.now()
    found = await store.attackers(since=_since(span, now), limit=_PAGE, before=before)
    span = span if span in SPANS else ""
    context = {
        "page": found,
        "span": span,
        "spans": list(SPANS),
        "paged": before > 0,
        "older": _link("/attackers", span=span, before=found.next),
        "newest": _link("/attackers", span=span),
        "now": now,
    }
    return page(
        "attackers.html",
        context,
        who=request.user,
        nav="/attackers",
        live=not before,
    )


@get("/attacker")
async def attacker(request: AnyRequest, store: Storage, address: Text) -> Response[str]:
    """One, across the devices."""
    address = address.strip()
    found, held, latest = await asyncio.gather(
        store.attacker(address),
        store.blocks(address=address, limit=_PAGE),
        store.alerts(AlertFilter(attacker=address), limit=_FEW),
    )
    who, places = found or (None, [])
    shown = places[:_PAGE]
    ids = [at.device for at in shown] + [block.device for block in held.items]
    ids += [alert.device for alert in latest.items]
    context = {
        "address": address,
        "attacker": who,
        "places": shown,
        "unlisted": who.devices - len(shown) if who else 0,
        "blocks": held.items,
        "latest": latest.items,
        "names": await names_of(store, ids),
    }
    return page(
        "attacker.html",
        context,
        who=request.user,
        nav="/attackers",
        live=True,
        status=200 if who or held.items else 404,
    )


@get("/blocks")
async def blocks(
    request: AnyRequest, store: Storage, device: Text = "", address: Text = "", before: Cursor = 0
) -> Response[str]:
    """Whom the devices hold."""
    device, address = device.strip(), address.strip()
    found = await store.blocks(device=device, address=address, limit=_PAGE, before=before)
    context = {
        "page": found,
        "device": device,
        "address": address,
        "paged": before > 0,
        "older": _link("/blocks", device=device, address=address, before=found.next),
        "newest": _link("/blocks", device=device, address=address),
        "names": await names_of(store, [device, *(block.device for block in found.items)]),
    }
    return page("blocks.html", context, who=request.user, nav="/blocks", live=not before)


def _sums(seen: Overview) -> dict[str, Any]:
    """What the buckets come to."""
    families: Counter[str] = Counter()
    levels: Counter[str] = Counter()
    for bucket in seen.buckets:
        families[bucket.family] += bucket.alerts
        levels[bucket.level] += bucket.alerts
    return {
        "total": levels.total(),
        "critical": levels["critical"],
        "high": levels["high"],
        "families": sorted(families.items(), key=lambda item: (-item[1], item[0]))[:_FEW],
    }


def _gone(request: AnyRequest, what: str, nav: str) -> Response[str]:
    context = {
        "heading": f"There is no such {what}",
        "reason": "It may have been removed since it was listed.",
    }
    return page("refusal.html", context, who=request.user, nav=nav, status=404)
