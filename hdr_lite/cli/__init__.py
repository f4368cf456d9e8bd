"""The program: ``hdr-lite VERB``, a file per verb, and the one place that wires parts together.

A verb is a module of this package with ``add_arguments(parser)`` and
``run(arguments) -> int``, the exit status; it is listed in :data:`VERBS` and imported only
when it is called, so that a small verb stays small. Exit status: 0 done, 1 failed while
running, 2 wrong usage, configuration or unreadable input. A user's mistake is one sentence
on standard error.
"""

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

from hdr_lite import __version__

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

PROGRAM = "hdr-lite"

#: How standard output fails that cannot take what is written to it.
_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


class Verb(Protocol):
    """What the module of a verb holds."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what the verb takes."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit status."""


class Entry(NamedTuple):
    """A line of the table of verbs."""

    module: str
    help: str


VERBS = {
    "run": Entry("hdr_lite.cli.run", "watch interfaces or read a capture file: traffic to alerts"),
    "daemon": Entry("hdr_lite.cli.daemon", "watch interfaces as a service, until told to stop"),
    "status": Entry(
        "hdr_lite.cli.status", "how a running service is: processes, figures, blind spots"
    ),
    "blocked": Entry("hdr_lite.cli.control", "list who is blocked, limited and quarantined"),
    "block": Entry("hdr_lite.cli.control", "block an address"),
    "unblock": Entry("hdr_lite.cli.control", "let an address or MAC go"),
    "release": Entry("hdr_lite.cli.control", "let everybody go"),
    "why": Entry("hdr_lite.cli.control", "why an address is held, or may never be"),
    "arm": Entry("hdr_lite.cli.control", "choose what is done: observe, limit or block"),
    "panic": Entry("hdr_lite.cli.control", "let everybody go, remove all rules and stay off"),
    "inspect": Entry("hdr_lite.cli.inspect", "count what a capture file holds, without detection"),
    "flows": Entry(
        "hdr_lite.cli.flows", "print the flows of a capture file, one JSON object a line"
    ),
    "modules": Entry(
        "hdr_lite.cli.modules", "list the detection modules, their channels and budgets"
    ),
    "enrol": Entry("hdr_lite.cli.enrol", "report alerts to a collector from now on"),
    "collector": Entry("hdr_lite.cli.collector", "keep and show what devices report"),
    "config": Entry(
        "hdr_lite.cli.config", "show every setting, what it means and where it came from"
    ),
}

_EPILOG = """\
examples:
  hdr-lite run -f office.pcap -o out          read a capture, write out/alerts.log and more
  hdr-lite run -i eth0 -i wlan0 -o out        watch two interfaces until Ctrl-C
  hdr-lite -i wlp3s0 -o local_conn_detector   the same without a verb, as Slips is called
  hdr-lite inspect office.pcap                what is in the file?
  hdr-lite config --set meter.flows=65536     what would be set, and from where?

'hdr-lite VERB --help' tells what each takes."""


class Parser(argparse.ArgumentParser):
    """argparse whose complaint is one sentence, and status 2."""

    def error(self, message: str) -> NoReturn:
        """Print the mistake and end."""
        self.exit(2, f"{self.prog}: {message} (try '{self.prog} --help')\n")

    def print_help(self, file: "SupportsWrite[str] | None" = None) -> None:
        """Print the help; argparse's own swallows that it cannot be written."""
        (file or sys.stdout).write(self.format_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; the exit status."""
    _open_streams()
    try:
        try:
            return _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            sys.stdout.flush()  # while there is somebody to catch what it raises
    except BrokenPipeError:  # 'hdr-lite flows FILE | head' has seen enough
        _give_up_output()
        return 1
    except OSError as error:
        if error.errno not in _CANNOT_WRITE or error.filename is not None:
            raise
        _give_up_output()
        print(f"{PROGRAM}: cannot write to standard output: {error.strerror}", file=sys.stderr)
        return 1


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        print(_overview())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"{PROGRAM} {__version__}")
        return 0
    if words[0].startswith("-"):
        words.insert(0, "run")
    if words[0] not in VERBS:
        print(f"{PROGRAM}: {_unknown(words[0])}", file=sys.stderr)
        return 2
    return _call(words[0], words[1:])


def _open_streams() -> None:
    """Standard streams that were closed before we started swallow what is written to them.

    Each takes the lowest free descriptor, which is its own: no file of ours becomes one.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr: what it cannot spell


def _give_up_output() -> None:
    """What is still buffered goes nowhere, so that the interpreter's end does not fail on it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _overview() -> str:
    verbs = "\n".join(f"  {name:<9} {entry.help}" for name, entry in VERBS.items())
    what = "HDR-lite finds infected machines and attackers by how they behave on the network."
    return f"usage: {PROGRAM} VERB [options]\n\n{what}\n\nverbs:\n{verbs}\n\n{_EPILOG}"


def _unknown(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, VERBS, n=1, cutoff=0.0)[0]
    return f"unknown verb '{word}': the nearest is '{near}' (verbs: {', '.join(VERBS)})"


def _call(name: str, words: list[str]) -> int:
    verb: Verb = import_module(VERBS[name].module)  # before anything else of ours: see ``lean``
    from hdr_lite.config import UserError

    try:
        parser = Parser(
            prog=f"{PROGRAM} {name}",
            description=verb.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        verb.add_arguments(parser)
        return verb.run(parser.parse_args(words))
    except UserError as error:
        from hdr_lite.outputs.text import one_line

        print(f"{PROGRAM} {name}: {one_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
