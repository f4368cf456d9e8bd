"""Ask a running service about blocks, and tell it what to do.

For root and the group hdr-lite. Exit status: 0 done, 2 refused, or nothing runs.

examples:
  hdr-lite blocked
  hdr-lite block 203.0.113.5 --for 2h --why "scans us"
  hdr-lite unblock 203.0.113.5
  hdr-lite why 203.0.113.5
  hdr-lite arm block --confirm 10m     blocks, and goes back to observe unless confirmed
  hdr-lite arm --confirmed
  hdr-lite panic
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from hdr_lite.cli.duration import seconds
from hdr_lite.cli.runtime import find_socket
from hdr_lite.supervisor.control import ask

Answer = Mapping[str, Any]


class _Verb(NamedTuple):
    """A line of the table."""

    lines: Callable[[Answer], Iterator[str]]  #: the answer as a person reads it
    argument: str = ""  #: name of its one argument, of which the service knows what it may be
    help: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    name = parser.prog.rpartition(" ")[2]  # this module stands for several
    parser.set_defaults(verb=name)
    verb = _VERBS[name]
    if name == "arm":
        _add_arming(parser)
    elif verb.argument:
        parser.add_argument(verb.argument, help=verb.help)
    if name == "block":
        parser.add_argument(
            "--for",
            dest="seconds",
            type=seconds,
            metavar="T",
            default=3600,
            help="such as 90s, 10m, 2h, 7d (default: 1h)",
        )
        parser.add_argument("--why", metavar="TEXT", default="", help="a note for whoever asks")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("-P", "--instance", metavar="NAME", default="", help="of that instance")
    parser.add_argument("--runtime", metavar="DIR", help="where its control socket is")


def _add_arming(parser: argparse.ArgumentParser) -> None:
    modes = ("observe", "limit", "block")
    parser.add_argument("mode", nargs="?", choices=modes, help="what is done from now on: block")
    confirming = parser.add_mutually_exclusive_group()
    confirming.add_argument(
        "--confirm",
        type=seconds,
        metavar="T",
        help="go back to observe after that time, such as 10m, unless confirmed",
    )
    confirming.add_argument(
        "--confirmed", action="store_const", const=True, help="stay as it was armed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask and print; the exit status."""
    fields = vars(arguments)
    names = ("verb", "address", "mode", "confirm", "confirmed", "seconds", "why")
    request = {name: fields[name] for name in names if fields.get(name) is not None}
    answer = ask(find_socket(arguments.runtime, arguments.instance), request)
    if arguments.json:
        print(json.dumps(answer, indent=2))
    else:
        print("\n".join(_VERBS[arguments.verb].lines(answer)))
    return 0


def _blocked(answer: Answer) -> Iterator[str]:
    yield f"mode {answer['mode']}, held: {len(answer['held']) + answer['more']}"
    yield from map(_held, answer["held"])
    if answer["more"]:
        yield f"and {answer['more']} more"


def _held(hold: Answer) -> str:
    by = (
        "by hand" if hold["by_hand"] else f"evidence {hold['evidence']}" if hold["evidence"] else ""
    )
    reasons = ", ".join(text for text in (hold["cause"], by) if text)
    return f"  {hold['target']:<40}  {hold['set']}, {hold['seconds']} s left, {reasons}"


def _why(answer: Answer) -> Iterator[str]:
    if answer["never"]:
        yield f"never touched: {answer['never']}"
    yield from map(_held, answer["held"])
    if not answer["never"] and not answer["held"]:
        yield f"{answer['target']} is not held (mode {answer['mode']})"
    if answer["sessions"]:
        ports = ", ".join(map(str, answer["sessions"]))
        yield f"it is logged in: port {ports} of this device stays open to it"
    if answer["offences"]:
        yield f"earlier blocks that count: {answer['offences']}; its next one is doubled as often"


def _block(answer: Answer) -> Iterator[str]:
    yield f"{answer['target']} is {answer['outcome']} for {answer['seconds']} s"


def _unblock(answer: Answer) -> Iterator[str]:
    yield f"{answer['target']} {'was let go' if answer['held'] else 'was not held'}"


def _release(answer: Answer) -> Iterator[str]:
    yield f"{answer['released']} were let go"


def _state(answer: Answer) -> Iterator[str]:
    yield str(answer["state"])


_ADDRESS = "an address, an IPv6 /64 or a MAC"
_VERBS: Mapping[str, _Verb] = MappingProxyType(
    {
        "blocked": _Verb(_blocked),
        "block": _Verb(_block, "address", "an address or an IPv6 /64"),
        "unblock": _Verb(_unblock, "address", _ADDRESS),
        "release": _Verb(_release),
        "why": _Verb(_why, "address", _ADDRESS),
        "arm": _Verb(_state),
        "panic": _Verb(_state),
    }
)
