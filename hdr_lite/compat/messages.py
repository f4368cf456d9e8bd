"""Typed messages as the text that modules of Slips unpack.

Slips' channels carry JSON in JSON. ``new_flow`` is the object ``{profileid, twid, flow}``
whose ``flow`` is the text of ``{uid: text of the flow's fields}``; the other channels about
traffic have the fields directly in ``flow``. Windows and addresses are plain text.
"""

import json
from collections.abc import Callable
from typing import Any

from hdr_lite.channels import AddressMessage, WindowMessage
from hdr_lite.records.flow import Flow

_SECOND = 1_000_000_000

#: Connection states that Slips calls established (RSTR is what its RSTP means in Zeek).
_ESTABLISHED = frozenset({"S1", "SF", "S2", "S3", "RSTO", "RSTP", "RSTR", "OTH"})

#: Number of the time window of a time in ns.
WindowOf = Callable[[int], int]


def flow_fields(flow: Flow) -> dict[str, Any]:
    """A flow under the names that Slips gives its fields. Times are in seconds."""
    return {
        "ts": flow.ts / _SECOND,
        "dur": flow.duration / _SECOND,
        "saddr": flow.saddr,
        "sport": flow.sport,
        "daddr": flow.daddr,
        "dport": flow.dport,
        "proto": flow.proto,
        "origstate": flow.state,
        "state": "Established" if flow.state in _ESTABLISHED else "Not Established",
        "pkts": flow.spkts + flow.dpkts,
        "allbytes": flow.sbytes + flow.dbytes,
        "spkts": flow.spkts,
        "sbytes": flow.sbytes,
        "dpkts": flow.dpkts,
        "dbytes": flow.dbytes,
        "appproto": flow.service,
        "smac": flow.smac,
        "dmac": flow.dmac,
        "history": flow.history,
        "uid": flow.uid,
        "flow_type": "conn",
        "label": "normal",
        "module_labels": {},
    }


def _fields(record: Any) -> dict[str, Any]:
    """A record's fields under our names."""
    if hasattr(record, "_asdict"):
        return dict(record._asdict())
    return {name: getattr(record, name) for name in record.__slots__}


def _about(profile: str, window: int) -> dict[str, Any]:
    return {"profileid": f"profile_{profile}", "twid": f"timewindow{window}"}


def translate(message: Any, window_of: WindowOf) -> str:
    """The text that Slips' channel of the same name would carry."""
    if isinstance(message, str):
        return message
    if isinstance(message, AddressMessage):
        return message.address
    if isinstance(message, WindowMessage):
        return f"profile_{message.profile}_timewindow{message.window}"
    if isinstance(message, Flow):
        flow = json.dumps({message.uid: json.dumps(flow_fields(message))})
        return json.dumps(_about(message.saddr, window_of(message.ts)) | {"flow": flow})
    fields = _fields(message)
    if "profile" in fields:  # evidence and alerts know their window
        about = _about(message.profile, message.window)
    else:
        source = fields.get("saddr") or fields.get("sender_ip", "")
        about = _about(source, window_of(fields.get("ts") or fields.get("last", 0)))
    return json.dumps(
        about | {"uid": fields.get("uid", ""), "flow": json.dumps(fields, default=_plain)}
    )


def _plain(value: Any) -> Any:
    """What json cannot write: nested records as objects."""
    return _fields(value)
