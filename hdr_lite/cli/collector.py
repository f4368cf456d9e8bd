"""Keep and show what devices report (needs the extra "collector": docs/collector.md).

examples:
  hdr-lite collector serve --name collector.example.org     the first start tells admin's password
  hdr-lite collector token --note office                    a token for 'hdr-lite enrol'
  hdr-lite collector user anna --role operator
  hdr-lite collector backup /backup/collector.tar.gz
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hdr_lite.cli import collector_fleet
from hdr_lite.config import UserError

if TYPE_CHECKING:
    from hdr_lite.collector.store import Store

R = TypeVar("R")

_DATA = Path("/var/lib/hdr-lite-collector")
_STORE = "sqlite:///FILE or postgresql://USER@HOST/DATABASE; else a file in DIR"
_NEEDED = (
    "argon2",
    "asyncpg",
    "cryptography",
    "httptools",
    "jinja2",
    "litestar",
    "msgspec",
    "nats",
    "uvicorn",
    "uvloop",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _serve_arguments(
        _action(actions, "serve", serve, "serve devices and people, until told to stop")
    )
    token = _action(actions, "token", make_token, "make an enrolment token")
    token.add_argument("--note", default="", help="what it is for; names a device that has no name")
    token.add_argument("--hours", type=_hours, default=1.0, help="that it is good for (1)")
    token.add_argument("--ca", type=Path, metavar="FILE", help="CA that devices pin (PEM)")
    token.add_argument(
        "--system-trust", action="store_true", help="devices trust their system's CAs instead"
    )
    user = _action(actions, "user", put_user, "make a user, or give one a new password and role")
    user.add_argument("name")
    user.add_argument("--role", choices=("viewer", "operator", "admin"), default="viewer")
    backup = _action(actions, "backup", back_up, "copy everything into one file, while it runs")
    backup.add_argument("file", type=Path)
    restore = _action(actions, "restore", put_back, "put a backup into an empty data directory")
    restore.add_argument("file", type=Path)
    collector_fleet.add_arguments(actions)


def run(arguments: argparse.Namespace) -> int:
    """Do what the action says; the exit status."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(
            f"the collector needs {', '.join(missing)}: pip install 'hdr-lite[collector]'"
        )
    action: Callable[[argparse.Namespace], int] = arguments.action
    return action(arguments)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from hdr_lite.collector.serving import Place, run
    from hdr_lite.collector.settings import Settings
    from hdr_lite.supervisor.readiness import Readiness

    manager = Readiness()
    host, port = arguments.listen
    place = Place(
        data=arguments.data,
        store=arguments.store,
        bus=arguments.bus,
        bus_size=arguments.bus_size << 30,
        host=host,
        port=port,
        names=arguments.name,
        certificate=arguments.cert,
        key=arguments.key,
        ca=arguments.ca,
        plain=arguments.plain,
        proxies=arguments.proxy,
    )

    def settings(ca: str, digest: str) -> Settings:
        return Settings(
            ca=ca,
            ca_digest=digest,
            days=arguments.days,
            size=arguments.size << 30,
            alerts_per_minute=arguments.alerts_per_minute,
        )

    def ready(password: str, port: int) -> None:
        if password:
            print(f"the user 'admin' has the password {password} (told this once)", flush=True)
        print(f"ready on port {port}", file=sys.stderr, flush=True)
        manager.ready("ready")

    run(place, settings, ready)
    return 0


def make_token(arguments: argparse.Namespace) -> int:
    """Make an enrolment token and print it."""
    from hdr_lite.collector.invitations import invite
    from hdr_lite.collector.serving import Place, ca_of

    place = Place(data=arguments.data, ca=arguments.ca, plain=arguments.system_trust)
    _, digest = ca_of(place)

    async def make(store: "Store") -> str:
        return str(await invite(store, digest, arguments.note, arguments.hours, "command line"))

    print(_with_store(arguments, make))
    return 0


def put_user(arguments: argparse.Namespace) -> int:
    """Make a user or change one, and print the new password."""
    import re

    from hdr_lite.collector import clock
    from hdr_lite.collector.accounts import NAME, hash_password, new_password
    from hdr_lite.collector.store import Role, User

    name, role = arguments.name, Role[arguments.role.upper()]
    if not re.fullmatch(NAME, name):
        raise UserError("a user's name is made of a to z, 0 to 9, '.', '_' and '-'")
    password = new_password()

    async def put(store: "Store") -> None:
        await store.put_user(User(name, role, clock.now(), hash_password(password)))

    _with_store(arguments, put)
    print(f"the user '{name}' has the role {arguments.role} and the password {password}")
    return 0


def back_up(arguments: argparse.Namespace) -> int:
    """Copy everything into one file."""
    from hdr_lite.collector.backup import back_up

    size = back_up(arguments.data, arguments.file)
    print(f"{arguments.file}: {size:,} bytes; it holds secrets")
    return 0


def put_back(arguments: argparse.Namespace) -> int:
    """Put a backup into place."""
    from hdr_lite.collector.backup import restore
    from hdr_lite.collector.serving import lock, ready_folder

    ready_folder(arguments.data)
    with lock(arguments.data):
        restore(arguments.file, arguments.data)
    print(f"{arguments.data} is as it was")
    return 0


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--listen", type=_endpoint, metavar="ADDRESS:PORT", default=("::", 8443), help="([::]:8443)"
    )
    add(
        "--name",
        action="append",
        default=[],
        help="that its own certificate is for, again for more",
    )
    add(
        "--cert",
        type=Path,
        metavar="FILE",
        help="certificate with its chain (PEM) instead of its own",
    )
    add("--key", type=Path, metavar="FILE", help="and the key to it")
    add(
        "--ca",
        type=Path,
        metavar="FILE",
        help="and the CA that devices pin, else they trust the system's",
    )
    add("--plain", action="store_true", help="no TLS: a proxy on this machine does it")
    add("--proxy", default="", metavar="ADDRESS", help="whose X-Forwarded-For is believed")
    add("--bus", default="", metavar="URLS", help="nats://HOST:4222,… that batches go to")
    add("--bus-size", type=int, default=10, metavar="GIB", help="that may wait there (10)")
    add("--days", type=int, default=90, help="that alerts are kept (90)")
    add("--size", type=int, default=20, metavar="GIB", help="that alerts may take (20)")
    add("--alerts-per-minute", type=int, default=6000, metavar="N", help="of one device (6000)")


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    action: Callable[[argparse.Namespace], int],
    help: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=help, description=help, allow_abbrev=False)
    parser.set_defaults(action=action)
    parser.add_argument("--data", type=Path, default=_DATA, metavar="DIR", help=f"({_DATA})")
    parser.add_argument("--store", default="", metavar="URL", help=_STORE)
    return parser


def _with_store(arguments: argparse.Namespace, do: "Callable[[Store], Awaitable[R]]") -> R:
    """Open the storage beside a collector that may be running."""
    from hdr_lite.collector.serving import make_store, ready_folder

    ready_folder(arguments.data)

    async def main() -> R:
        store = make_store(arguments.store, arguments.data)
        await store.open()
        try:
            return await do(store)
        finally:
            await store.close()

    return asyncio.run(main())


def _endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) < 65536:
        raise argparse.ArgumentTypeError("this is no ADDRESS:PORT")
    return host.strip("[]") or "::", int(port)


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= 168:
        raise argparse.ArgumentTypeError("a token is good for 168 hours at most")
    return hours
