"""The channels that modules subscribe to: name, message type, meaning.

Names are Slips' where Slips has one. Channels with a ``kind`` carry the meter's
records; the others are published by the engine or by modules.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hdr_lite.records.alert import Alert
from hdr_lite.records.application import Arp, Dns, Http, Ssh, SshLogin, Tls
from hdr_lite.records.evidence import Evidence
from hdr_lite.records.flow import Attempts, Conn, Fate, Flow, Probes
from hdr_lite.records.kind import Kind


class Channel(NamedTuple):
    """One channel. ``message`` is the type of what it carries."""

    name: str
    message: type
    meaning: str
    kind: Kind | None = None


class WindowMessage(NamedTuple):
    """A profile's window was touched or closed (``tw_modified``, ``tw_closed``)."""

    profile: str
    window: int
    start: int  #: ns
    end: int


class AddressMessage(NamedTuple):
    """An address seen for the first time (``new_ip``, ``new_profile``)."""

    ts: int
    address: str


class UnknownChannel(ValueError):
    """A module named a channel that does not exist."""

    def __init__(self, name: str) -> None:
        from difflib import get_close_matches

        near = get_close_matches(name, CHANNELS, n=1, cutoff=0.0)
        super().__init__(f"unknown channel '{name}': the nearest is '{near[0]}'")


_TABLE = (
    Channel("new_conn", Conn, "a connection at its start", Kind.CONN),
    Channel(
        "conn_fate",
        Fate,
        "a connection was answered, refused, not answered, or given up at once",
        Kind.FATE,
    ),
    Channel("attempts", Attempts, "failed attempts, summed", Kind.ATTEMPTS),
    Channel("probes", Probes, "much was tried that nothing has answered yet", Kind.PROBES),
    Channel("new_flow", Flow, "a finished flow, or the checkpoint of a long one", Kind.FLOW),
    Channel("new_dns", Dns, "a DNS question with its answer", Kind.DNS),
    Channel("new_http", Http, "an HTTP request with its response", Kind.HTTP),
    Channel("new_ssl", Tls, "a TLS handshake", Kind.TLS),
    Channel("new_ssh", Ssh, "an SSH connection that ended", Kind.SSH),
    Channel("ssh_login", SshLogin, "an ssh login was refused or let in", Kind.SSH_LOGIN),
    Channel("new_arp", Arp, "an ARP message", Kind.ARP),
    Channel("new_ip", AddressMessage, "an address seen for the first time"),
    Channel("new_profile", AddressMessage, "a profile was made"),
    Channel("tw_modified", WindowMessage, "a window had new traffic or evidence"),
    Channel("tw_closed", WindowMessage, "a window closed"),
    Channel("evidence_added", Evidence, "evidence was set"),
    Channel("new_alert", Alert, "an alert was raised"),
    Channel("control_module", str, "stop_message: finish and shut down"),
    Channel("finished_modules", str, "name of a module that has shut down"),
)

CHANNELS: Mapping[str, Channel] = MappingProxyType({c.name: c for c in _TABLE})


def channel(name: str) -> Channel:
    """The channel of that name; ``UnknownChannel`` names the nearest one otherwise."""
    try:
        return CHANNELS[name]
    except KeyError:
        raise UnknownChannel(name) from None
