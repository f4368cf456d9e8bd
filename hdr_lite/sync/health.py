"""How this device is, reduced to what a collector shows of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from hdr_lite.records.batch import MAX_HELD, Health, Held

#: What the enforcer's sets begin with.
_KINDS = ("block", "limit", "quarantine")
#: Sentences told, and characters of each.
_MOST_TEXTS, _MOST_TEXT = 32, 300

Facts = Mapping[str, Any]


def reduce(status: Facts, blocked: Facts) -> Health:
    """Of the answers to ``status`` and ``blocked``; what they lack is left out."""
    enforcer = status.get("enforcer") or {}
    return Health(
        version=str(status.get("version", "")),
        uptime=int(status.get("uptime", 0)),
        memory=int(status.get("memory", 0)),
        source=str(status.get("source", "")),
        mode=str(enforcer.get("mode", "")),
        drops=_drops(status),
        blind=_texts(status.get("blind", ())),
        trouble=_texts(status.get("trouble", ())),
        blocks=list(_held(blocked)),
    )


def _texts(texts: Any) -> list[str]:
    return [str(text)[:_MOST_TEXT] for text in list(texts)[:_MOST_TEXTS]]


def _drops(status: Facts) -> dict[str, int]:
    """What was lost, by where; what is 0 is left out."""
    sensor = status.get("sensor") or {}
    sources = sensor.get("sources", ())
    modules = (status.get("engine") or {}).get("modules", {})
    drops = {
        "kernel": sum(source["dropped"] for source in sources),
        "interface": sum(source["interface_dropped"] for source in sources),
        "ring": sum(sensor.get("ring", {}).get("dropped", {}).values()),
        "modules": sum(module["dropped"] for module in modules.values()),
    }
    return {name: count for name, count in drops.items() if count}


def _held(blocked: Facts) -> Iterator[Held]:
    for hold in list(blocked.get("held", ()))[:MAX_HELD]:
        kind = next((k for k in _KINDS if hold["set"].startswith(k)), hold["set"])
        yield Held(hold["target"], kind, int(hold["seconds"]), str(hold["cause"])[:_MOST_TEXT])
