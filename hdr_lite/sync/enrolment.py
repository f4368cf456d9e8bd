"""Whom this device reports to, and as whom: one small file that only the process sync may read.

That it is there is what makes the service start that process, and the engine write a spool; so
everybody may see that it is there (``is_enrolled``), and its owner alone what is in it.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from hdr_lite.config import UserError
from hdr_lite.storage import replacing, sync_directory

FILE = "enrolment"
#: Beside it, for all to read: the collector's name or address, which is never to be blocked.
HOST = "collector"
#: Bytes of a secret.
SECRET = 32


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One collector's word on this device."""

    url: str  #: ``https://collector.example:8443``
    device: str  #: 32 hex digits
    name: str  #: what the collector calls it
    secret: bytes = field(repr=False)
    ca: str  #: PEM of the only certificate that is trusted; "": those that the system trusts


class Server(NamedTuple):
    """Where a URL points to."""

    host: str  #: a name or an address, an IPv6 one without brackets
    port: int
    prefix: str  #: of every path, "" or ``/hdr``

    @property
    def authority(self) -> str:
        """``[2001:db8::1]:8443``"""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def read_url(text: str) -> Server:
    """The server that a URL names; ``UserError`` when it is none that one may report to."""
    from urllib.parse import urlsplit

    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        host, port, url = None, None, urlsplit("")
    if url.scheme != "https" or not host or url.query or url.fragment or url.username is not None:
        raise UserError(f"{text!r} is no address of a collector, such as https://192.0.2.1:8443")
    return Server(host, port or 443, url.path.rstrip("/"))


def is_enrolled(state: str) -> bool:
    """Whether there is an enrolment in that directory; nobody needs to be able to read it."""
    return Path(state, FILE).exists()


def collector_host(state: str) -> str:
    """The name or address of the collector that this device is enrolled at; "" without one."""
    if not is_enrolled(state):
        return ""
    try:
        return Path(state, HOST).read_text().strip()
    except (OSError, ValueError):
        return ""


def load_enrolment(state: str) -> Enrolment | None:
    """The enrolment in that directory; None when there is none, ``UserError``: it is unreadable."""
    path = Path(state, FILE)
    try:
        fields_of = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except ValueError:
        fields_of = None
    enrolment = _restore(fields_of) if isinstance(fields_of, dict) else None
    if enrolment is None:
        raise UserError(f"{path} holds no enrolment: 'hdr-lite enrol' makes a new one")
    return enrolment


def _restore(values: Mapping[str, Any]) -> Enrolment | None:
    names = [f.name for f in fields(Enrolment)]
    if not all(isinstance(values.get(name), str) for name in names):
        return None
    with suppress(ValueError):
        secret = bytes.fromhex(values["secret"])
        if len(secret) == SECRET:
            return Enrolment(**{name: values[name] for name in names} | {"secret": secret})
    return None


def save_enrolment(state: str, enrolment: Enrolment) -> None:
    """Put it in place of what is there, whole or not at all; it belongs to the directory's owner.

    ``UserError`` when that is not possible.
    """
    values = {f.name: getattr(enrolment, f.name) for f in fields(Enrolment)}
    text = json.dumps(values | {"secret": enrolment.secret.hex()}).encode()
    path = Path(state, FILE)
    host = read_url(enrolment.url).host.partition("%")[0]
    try:
        _write_beside(path.with_name(HOST), host.encode(), 0o644)
        _write_beside(path, text, 0o600)
    except OSError as error:
        raise UserError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None


def _write_beside(path: Path, text: bytes, mode: int) -> None:
    with replacing(path, mode) as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask
        owner = path.parent.stat()
        if owner.st_uid != os.geteuid():
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(text)
    sync_directory(path.parent)


def forget_enrolment(state: str) -> bool:
    """Take it away, and what was acknowledged with it; whether there was one."""
    path = Path(state, FILE)
    there = path.exists()
    try:
        for name in (FILE, f"{FILE}.new", HOST, f"{HOST}.new"):
            Path(state, name).unlink(missing_ok=True)
        if there:
            sync_directory(path.parent)
    except OSError as error:
        raise UserError(f"cannot remove {path}: {(error.strerror or str(error)).lower()}") from None
    return there
