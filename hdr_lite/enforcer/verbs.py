"""What people ask of the enforcer over the control socket: a table of verbs.

Requests and answers are JSON objects. Whoever wrote the request may ask anything; each field
is checked here, and a mistake is an answer with ``error``, a sentence.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from hdr_lite.config import UserError
from hdr_lite.enforcer.armed import MODES
from hdr_lite.enforcer.blocks import LONGEST
from hdr_lite.enforcer.enforcer import Enforcer
from hdr_lite.enforcer.nft import NftError
from hdr_lite.link.figures import own_memory

#: Seconds of a person's block, unless told otherwise; and the longest.
DEFAULT_SECONDS, LONGEST_SECONDS = 3600, 365 * LONGEST
#: Bytes of holds in one answer: a message on the link has 64 KB.
_ROOM = 48 * 1024

Fields = Mapping[str, Any]


class RequestError(ValueError):
    """What was asked makes no sense; the text says why."""


def answer(enforcer: Enforcer, text: str) -> str:
    """The answer to a request, as text."""
    try:
        return json.dumps(_answer(enforcer, json.loads(text)))
    except NftError as error:
        return json.dumps({"error": f"nftables refuses: {error}"})
    except (ValueError, UserError) as error:  # RequestError, TargetError, no JSON
        return json.dumps({"error": str(error)})


def _answer(enforcer: Enforcer, request: object) -> dict[str, Any]:
    fields = request if isinstance(request, dict) else {}
    verb = VERBS.get(str(fields.get("verb")))
    if verb is None:
        raise RequestError(f"the verbs are {', '.join(VERBS)}")
    return verb(enforcer, fields)


def _figures(enforcer: Enforcer, fields: Fields) -> dict[str, Any]:
    memory = own_memory() if fields.get("memory") else 0
    return {**enforcer.figures(), "memory": memory}


def _blocked(enforcer: Enforcer, _fields: Fields) -> dict[str, Any]:
    """As many as there is room for, those of people and of proof first."""
    holds = list(enforcer.holds())
    shown = list(_fitting(holds))
    return {"mode": enforcer.orders.mode, "held": shown, "more": len(holds) - len(shown)}


def _fitting(holds: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    room = _ROOM
    for hold in holds:
        room -= len(json.dumps(hold)) + 2
        if room < 0:
            return
        yield hold


def _block(enforcer: Enforcer, fields: Fields) -> dict[str, Any]:
    if enforcer.orders.mode == "observe":
        raise RequestError("the mode is observe, nothing is touched: 'hdr-lite arm block' first")
    seconds = fields.get("seconds", DEFAULT_SECONDS)
    if type(seconds) is not int or not 0 < seconds <= LONGEST_SECONDS:
        raise RequestError(f"seconds is a number from 1 to {LONGEST_SECONDS}")
    done = enforcer.block_by_hand(_text(fields, "address"), seconds, _text(fields, "why", ""))
    if done.outcome == "refused":
        raise RequestError(done.reason)
    return {"target": done.target, "outcome": done.outcome, "seconds": done.seconds}


def _unblock(enforcer: Enforcer, fields: Fields) -> dict[str, Any]:
    address = _text(fields, "address")
    return {"target": address, "held": enforcer.unblock(address)}


def _release(enforcer: Enforcer, _fields: Fields) -> dict[str, Any]:
    return {"released": enforcer.release()}


def _arm(enforcer: Enforcer, fields: Fields) -> dict[str, Any]:
    if fields.get("confirmed") is True:
        return {"state": enforcer.confirm()}
    mode = _text(fields, "mode", "block")
    if mode not in MODES:
        raise RequestError(f"the modes are {', '.join(MODES)}")
    seconds = fields.get("confirm")
    if seconds is not None and (type(seconds) is not int or not 0 < seconds <= LONGEST):
        raise RequestError(f"confirm is a number of seconds from 1 to {LONGEST}")
    return {"state": enforcer.arm(mode, seconds)}


def _panic(enforcer: Enforcer, _fields: Fields) -> dict[str, Any]:
    return {"state": enforcer.panic()}


def _why(enforcer: Enforcer, fields: Fields) -> dict[str, Any]:
    return enforcer.why(_text(fields, "address"))


def _text(fields: Fields, name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or len(value) > 64:
        raise RequestError(f"{name} is a text of at most 64 characters")
    return value


VERBS: Mapping[str, Callable[[Enforcer, Fields], dict[str, Any]]] = MappingProxyType(
    {
        "figures": _figures,
        "blocked": _blocked,
        "block": _block,
        "unblock": _unblock,
        "release": _release,
        "arm": _arm,
        "panic": _panic,
        "why": _why,
    }
)
