"""``hdr-lite collector consume`` and ``load``: past one machine, and whether it holds."""

import argparse
import asyncio
import ipaddress
import json
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from hdr_lite.config import UserError

_MOST_DEVICES = 10_000
_MOST_ALERTS = 5_000_000


def add_arguments(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare what the two actions take."""
    text = "write what the bus holds to PostgreSQL, until told to stop"
    parser = actions.add_parser("consume", help=text, description=text, allow_abbrev=False)
    parser.set_defaults(action=consume)
    parser.add_argument("--store", required=True, metavar="URL", help="postgresql://…")
    parser.add_argument("--bus", required=True, metavar="URLS", help="nats://HOST:4222,…")
    parser.add_argument(
        "--bus-size", type=int, default=10, metavar="GIB", help="that may wait there (10)"
    )

    text = "send it alerts of simulated devices, and tell how fast it took them"
    parser = actions.add_parser("load", help=text, description=text, allow_abbrev=False)
    parser.set_defaults(action=load)
    add = parser.add_argument
    add("url", nargs="+", help="of the collector: https://127.0.0.1:8443")
    add("--store", required=True, metavar="URL", help="its storage, in which devices are enrolled")
    add("--ca", type=Path, metavar="FILE", help="its CA (PEM), for https")
    add("--devices", type=_up_to(_MOST_DEVICES), default=10, metavar="N", help="(10)")
    add("--batch", type=_up_to(1000), default=100, metavar="N", help="alerts in a batch (100)")
    add("--alerts", type=_up_to(_MOST_ALERTS), default=10_000, metavar="N", help="in all (10,000)")
    add("--really", action="store_true", help="to another machine than this one")


def consume(arguments: argparse.Namespace) -> int:
    """Write until told to stop."""
    from hdr_lite.collector.consuming import run
    from hdr_lite.supervisor.readiness import Readiness

    manager = Readiness()

    def ready() -> None:
        print("ready", file=sys.stderr, flush=True)
        manager.ready("ready")

    run(arguments.store, arguments.bus, arguments.bus_size << 30, ready)
    return 0


def load(arguments: argparse.Namespace) -> int:
    """Send, and print the figures as JSON."""
    from hdr_lite.collector import load as generator
    from hdr_lite.collector.serving import make_store

    for url in arguments.url:
        _check_url(url, arguments.really)
    context = ssl.create_default_context(cafile=arguments.ca) if arguments.ca else None
    each = -(-arguments.alerts // arguments.devices)

    outcome = generator.Outcome()

    async def main() -> None:
        store = make_store(arguments.store, Path())
        await store.open()
        identities = await generator.enrol(store, arguments.devices)
        work = [
            (identity, list(generator.batches(identity.id, each, arguments.batch)))
            for identity in identities
        ]
        try:
            await generator.run(arguments.url, work, context, outcome)
        finally:
            for identity in identities:
                await store.revoke(identity.id)
            await store.close()

    asyncio.run(main())
    figures = {
        "alerts": outcome.alerts,
        "seconds": round(outcome.seconds, 3),
        "alerts_per_second": round(outcome.alerts / outcome.seconds),
        "ms_median": round(outcome.quantile(0.5), 2),
        "ms_p99": round(outcome.quantile(0.99), 2),
        "sent_again": outcome.again,
    }
    print(json.dumps(figures))
    return 0


def _check_url(text: str, really: bool) -> None:
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or not url.port:
        raise UserError(f"'{text}' is no http://HOST:PORT or https://HOST:PORT")
    try:
        loopback = ipaddress.ip_address(url.hostname).is_loopback
    except ValueError:
        loopback = False
    if not (loopback or really):
        raise UserError(f"{url.hostname} is no loopback address: say --really if it is meant")


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not 1 <= value <= most:
            raise argparse.ArgumentTypeError(f"from 1 to {most:,}")
        return value

    return number
