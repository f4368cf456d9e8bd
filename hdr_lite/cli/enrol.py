"""Enrol this device at a collector, which gets its alerts from then on.

The token is the collector's ('hdr-lite collector token'): good once, for a short time. '-' reads
it from standard input, so that it stands in no list of processes. Needs root, or the service's
own user. Exit status: 0 done, or enrolled; 1 not enrolled (--status); 2 refused.

examples:
  hdr-lite enrol https://192.0.2.1:8443 --token hdr1.0123abcd.…
  hdr-lite enrol --status
  hdr-lite enrol --rotate         a new secret; the old one is of no use any more
  hdr-lite enrol --forget         report to nobody; the collector is to revoke the device
"""

import argparse
import os
import re
import socket
import ssl
import sys
from dataclasses import replace
from pathlib import Path

import msgpack

from hdr_lite import __version__
from hdr_lite.cli.runtime import find_socket
from hdr_lite.cli.settings import add_settings_arguments, load_settings
from hdr_lite.cli.spooling import make_directory, spooling
from hdr_lite.config import Config, SyncConfig, UserError
from hdr_lite.records.batch import CA_PATH, ENROL_PATH, MEDIA_TYPE, Token, digest_text, read_token
from hdr_lite.supervisor.control import ask
from hdr_lite.supervisor.privileges import SHARED, Account, find_account, may_change_account
from hdr_lite.sync.channel import Channel, ChannelError, Reply, Trust, find_proxy
from hdr_lite.sync.enrolment import (
    Enrolment,
    forget_enrolment,
    load_enrolment,
    read_url,
    save_enrolment,
)
from hdr_lite.sync.protocol import new_secret, reason, rotation, unpack
from hdr_lite.sync.sender import knows_time, open_channel

_DEVICE = re.compile("[0-9a-f]{32}")
#: Where a device says what it is.
_MODELS = ("/proc/device-tree/model", "/sys/class/dmi/id/product_name")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("url", nargs="?", help="the collector, such as https://192.0.2.1:8443")
    parser.add_argument("--token", metavar="T", help="the collector's token; - reads it")
    parser.add_argument(
        "--name", default=socket.gethostname(), help="of this device (default: the host's)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="where it is enrolled")
    what.add_argument("--rotate", action="store_true", help="get a new secret")
    what.add_argument("--forget", action="store_true", help="report to nobody any more")
    parser.add_argument("-P", "--instance", metavar="NAME", default="", help="of that instance")
    parser.add_argument("--runtime", metavar="DIR", help="where its control socket is")
    add_settings_arguments(parser, detects=False)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for; the exit status."""
    config = load_settings(arguments).config
    if arguments.status:
        return _status(config.sync)
    if arguments.rotate:
        return _rotate(config.sync)
    if arguments.forget:
        return _forget(config.sync, arguments)
    if not arguments.url or not arguments.token:
        raise UserError("it takes the collector's URL and --token, or --status, --rotate, --forget")
    return _enrol(config, arguments)


def _status(config: SyncConfig) -> int:
    enrolment = load_enrolment(config.state)
    if enrolment is None:
        print("not enrolled")
        return 1
    trusted = "its own CA" if enrolment.ca else "any CA that the system trusts"
    print(f"enrolled at {enrolment.url} as {enrolment.name}, device {enrolment.device}")
    print(f"trusted is {trusted}")
    return 0


def _rotate(config: SyncConfig) -> int:
    channel, enrolment = open_channel(config)
    message = rotation(enrolment)
    reply = _ask(channel, "POST", message.path, message.headers, message.body)
    secret = new_secret(reply)
    if reply.status != 200 or secret is None:
        raise UserError(f"the collector gives no new secret: {reason(reply)}")
    save_enrolment(config.state, replace(enrolment, secret=secret))
    print("the secret is a new one; the old one ends once this was used")
    return 0


def _forget(config: SyncConfig, arguments: argparse.Namespace) -> int:
    if not forget_enrolment(config.state):
        print("not enrolled")
        return 0
    told = _reload(arguments, "it reports to nobody any more")
    print(f"forgotten: revoke the device at the collector, too; {told}")
    return 0


def _enrol(config: Config, arguments: argparse.Namespace) -> int:
    state = config.sync.state
    before = load_enrolment(state)
    if before is not None:
        raise UserError(f"enrolled at {before.url} already: 'hdr-lite enrol --forget' ends that")
    engine, sender = _accounts()
    make_directory(Path(state).absolute(), sender, engine, 0o2751)
    if not os.access(state, os.W_OK):  # told before the token is spent
        raise UserError(f"cannot write to {state}")
    enrolment = _exchange(config.sync, arguments.url, _token(arguments.token), arguments.name)
    save_enrolment(state, enrolment)
    spool = spooling(config)
    if spool is not None:
        spool.prepare(engine, sender)
    told = _reload(arguments, "it reports from now on")
    print(f"enrolled at {enrolment.url} as {enrolment.name}, device {enrolment.device}; {told}")
    return 0


def _accounts() -> tuple[Account | None, Account | None]:
    """Whom a service of root's makes engine and sync."""
    if not may_change_account():
        return None, None
    names = ("engine", "sync")
    engine, sender = (find_account((f"hdr-lite-{name}", *SHARED)) for name in names)
    return engine, sender


def _token(text: str) -> Token:
    try:
        return read_token(sys.stdin.readline() if text == "-" else text)
    except ValueError as error:
        raise UserError(str(error)) from None


def _exchange(config: SyncConfig, url: str, token: Token, name: str) -> Enrolment:
    """Give the token for a secret."""
    server = read_url(url)
    proxy = find_proxy(config.proxy, os.environ, server.host)
    client = Trust("", knows_time(), config.certificate, config.key)
    if token.ca != "-":
        blind = client._replace(anybody=True)
        client = client._replace(ca=_fetch_ca(Channel(server, blind, proxy), token.ca))
    said = {
        "token": token.id,
        "secret": token.secret,
        "name": name,
        "version": __version__,
        "model": _model(),
    }
    headers = {"Content-Type": MEDIA_TYPE}
    body: bytes = msgpack.packb(said)
    reply = _ask(Channel(server, client, proxy), "POST", ENROL_PATH, headers, body)
    device, secret = unpack(reply.body).get("device"), new_secret(reply)
    if reply.status != 200 or secret is None or not isinstance(device, str):
        raise UserError(f"the collector does not enrol this device: {reason(reply)}")
    if not _DEVICE.fullmatch(device):
        raise UserError("the collector gives this device a name that is none")
    return Enrolment(url, device, name, secret, client.ca)


def _fetch_ca(channel: Channel, digest: str) -> str:
    """The CA of the token, as PEM: from whoever answers, known by its digest."""
    reply = _ask(channel, "GET", CA_PATH, {})
    try:
        der = ssl.PEM_cert_to_DER_cert(reply.body.decode("ascii").strip() + "\n")
    except (ValueError, IndexError):
        der = b""
    if reply.status != 200 or digest_text(der) != digest:
        raise UserError("who answers there is not the collector that made the token")
    return ssl.DER_cert_to_PEM_cert(der)


def _ask(
    channel: Channel, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> Reply:
    try:
        return channel.ask(method, path, headers, body)
    except ChannelError as error:
        raise UserError(f"the collector: {error}") from None
    finally:
        channel.close()


def _model() -> str:
    for path in _MODELS:
        try:
            return Path(path).read_text(errors="replace").strip(" \n\0")[:64]
        except OSError:
            continue
    return os.uname().machine


def _reload(arguments: argparse.Namespace, done: str) -> str:
    """Have a running service look; what became of it."""
    try:
        ask(find_socket(arguments.runtime, arguments.instance), {"verb": "reload"})
    except UserError as error:
        return f"the service was not told: {error}"
    return f"the service was told: {done}"
