"""Alerts as a STIX 2.1 bundle: who attacked (indicator), and that it was seen (sighting)."""

import ipaddress
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hdr_lite.collector.store import Alert

#: OASIS's namespace for ids that follow from content.
_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
_EPOCH = "2026-01-01T00:00:00.000Z"


def bundle(alerts: Iterable[Alert]) -> dict[str, Any]:
    """One indicator for each attacker, one sighting of it for each alert. Ids follow from content,
    so that whoever takes two exports that overlap has each thing once."""
    identity = _object(
        "identity", "HDR-lite", _EPOCH, name="HDR-lite collector", identity_class="system"
    )
    objects = {identity["id"]: identity}
    for alert in alerts:
        pattern = _pattern(alert.attacker)
        if pattern is None:
            continue
        seen = _time(alert.time)
        sensor = _object(
            "identity", alert.device, _EPOCH, name=f"sensor {alert.device}", identity_class="system"
        )
        objects[sensor["id"]] = sensor
        indicator = _object(
            "indicator",
            pattern,
            _EPOCH,
            created_by_ref=identity["id"],
            name=f"attacker {alert.attacker}",
            pattern=pattern,
            pattern_type="stix",
            valid_from=seen,
            indicator_types=["malicious-activity"],
        )
        indicator = objects.setdefault(indicator["id"], indicator)
        indicator["valid_from"] = min(indicator["valid_from"], seen)
        sighting = _object(
            "sighting",
            f"{alert.device} {alert.number}",
            _time(alert.received),
            created_by_ref=identity["id"],
            sighting_of_ref=indicator["id"],
            where_sighted_refs=[sensor["id"]],
            first_seen=seen,
            last_seen=seen,
            count=min(max(alert.count, 1), 999_999_999),
            confidence=round(min(max(alert.confidence, 0.0), 1.0) * 100),
            description=alert.description,
            labels=[*alert.types, *alert.families, f"level-{alert.level}"],
        )
        objects[sighting["id"]] = sighting
    return {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": list(objects.values())}


def _object(kind: str, content: str, moment: str, **properties: Any) -> dict[str, Any]:
    name = json.dumps([kind, content])
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{uuid.uuid5(_NAMESPACE, name)}",
        "created": moment,
        "modified": moment,
        **properties,
    }


def _pattern(address: str) -> str | None:
    """None: it is no address (a device may have said anything)."""
    try:
        version = ipaddress.ip_network(address, strict=False).version
    except ValueError:
        return None
    return f"[ipv{version}-addr:value = '{address}']"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
