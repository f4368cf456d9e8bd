"""What a module of Slips finds under the names it knows: Module, utils, multiprocessing.

The module runs in the engine as every other does: there is no process of its own, no Redis
and no root to drop. Its words are translated to the typed API.
"""

import ipaddress
import json  # offered to modules by slips_files.common.imports
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

from hdr_lite.compat.messages import translate
from hdr_lite.module.base import Context
from hdr_lite.module.base import Module as TypedModule
from hdr_lite.records.evidence import FAMILY_OF, ThreatLevel

__all__ = ["Database", "Module", "Subscription", "json", "multiprocessing", "utils"]

#: First word of an IDEA category -> family, for types that we do not know.
_FAMILY_OF_CATEGORY: Mapping[str, str] = MappingProxyType(
    {
        "Recon": "scan",
        "Attempt": "bruteforce",
        "Availability": "flood",
        "Malware": "malware",
        "Intrusion": "exploit",
        "Information": "policy",
    }
)


class _Process:
    """Stands in for multiprocessing.Process, which modules name as a base class."""


class _Utils:
    """The part of Slips' utils that a module's start needs."""

    def drop_root_privs(self) -> None:
        """Nothing: the engine runs without privileges long before a module starts."""


multiprocessing = SimpleNamespace(Process=_Process)
utils = _Utils()


class Subscription(NamedTuple):
    """What ``db.subscribe`` returns, to be put into ``self.channels``."""

    channel: str


class Database:
    """``self.db``: Slips' database, as far as modules subscribe, publish and set evidence."""

    def __init__(self, module: "Module") -> None:
        self._module = module

    def subscribe(self, channel: str) -> Subscription:
        """Have the channel's messages kept. An unknown channel is an error naming the nearest."""
        TypedModule.subscribe(self._module, channel)
        return Subscription(channel)

    def publish(self, channel: str, message: Any) -> None:
        """Give a message to every module that subscribed."""
        self._module.publish(channel, message)

    def setEvidence(  # noqa: N802, PLR0913 - Slips' own name and arguments
        self,
        evidence_type: str,
        attacker_direction: str,
        attacker: str,
        threat_level: str,
        confidence: float,
        description: str,
        timestamp: object = "",
        category: str = "",
        *,
        profileid: str = "",
        twid: str = "",
        **more: Any,
    ) -> str:
        """Set evidence; returns its id.

        ``timestamp`` and ``twid`` are not looked at: evidence carries the time of the flow
        that was read last, and its window follows from that. An attacker that is no address
        (a domain) becomes the victim, and the profile's address is accused. Further
        arguments that Slips knows (source_target_tag, conn_count, port, proto, uid, victim)
        are taken; port, proto and victim are kept.
        """
        last = self._module.last_message
        saddr, daddr = getattr(last, "saddr", ""), getattr(last, "daddr", "")
        victim = str(more.get("victim", "")) or {saddr: daddr, daddr: saddr}.get(attacker, "")
        if not _is_address(attacker):
            attacker, victim = profileid.removeprefix("profile_"), attacker
        uid = getattr(last, "uid", "")
        return self._module.set_evidence(
            evidence_type,
            family=FAMILY_OF.get(evidence_type)
            or _FAMILY_OF_CATEGORY.get(category.partition(".")[0], "anomaly"),
            attacker=attacker,
            direction=attacker_direction,
            victim=victim,
            threat_level=_level(threat_level),
            confidence=float(confidence),
            description=description,
            category=category,
            port=int(more.get("port") or 0),
            proto=str(more.get("proto") or getattr(last, "proto", "")),
            uids=(uid,) if uid else (),
            ts=getattr(last, "ts", 0),
        )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _level(name: str) -> ThreatLevel:
    try:
        return ThreatLevel[name.upper()]
    except KeyError:
        allowed = ", ".join(level.name.lower() for level in ThreatLevel)
        raise ValueError(f"threat level '{name}' is none of {allowed}") from None


class Module(TypedModule):
    """Slips' abstract Module: ``init``, ``pre_main``, ``main`` in a loop, ``get_msg``, ``db``."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.db = Database(self)
        self.channels: dict[str, Subscription] = {}
        self.last_message: object = None  #: the typed message behind the text read last

    def get_msg(self, channel: str) -> dict[str, Any] | None:
        """The oldest message of a channel in ``self.channels`` with ``data`` as Slips' text.

        The text is made once for a message, however many legacy modules read it: all
        subscribers are given the same dict, in which it is remembered.
        """
        token = self.channels.get(channel)
        shared = super().get_msg(token.channel if token else channel)
        if shared is None:
            return None
        if "text" not in shared:
            shared["text"] = translate(shared["data"], self._context.window)
        self.last_message = shared["data"]
        return {"type": "message", "channel": shared["channel"], "data": shared["text"]}
