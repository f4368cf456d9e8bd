# ruff: noqa: A005  (a verb's file has the verb's name, and nobody imports it as a top module)
"""Decode a capture file and count what its frames hold, without detection.

The counts have tshark's meaning: a layer counts wherever it is in the frame,
tunnels and the headers quoted in ICMP errors included. Exit status 0 for a capture
that could be read at least in part, 2 for a file that is none.

examples:
  hdr-lite inspect office.pcap
  hdr-lite inspect --json office.pcap | python3 -m json.tool
"""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from hdr_lite.native import Capture, Tally
from hdr_lite.sources.capture import open_capture

#: Packets between two looks at the clock.
BATCH = 65536

#: Seconds between two lines of progress.
PROGRESS_INTERVAL = 0.5

#: What the table says, in order: a name of ``Tally.facts()`` and its words.
ROWS = (
    ("frames", "frames"),
    ("bytes", "bytes on the wire"),
    ("captured", "bytes captured"),
    ("ip4", "with IPv4"),
    ("ip6", "with IPv6"),
    ("arp", "with ARP"),
    ("other", "with none of these"),
    ("tcp", "with TCP"),
    ("udp", "with UDP"),
    ("icmp", "with ICMP"),
    ("icmp6", "with ICMPv6"),
    ("frag", "IP fragments"),
    ("malformed", "malformed"),
    ("tcp4", "TCP conversations over IPv4"),
    ("tcp6", "TCP conversations over IPv6"),
    ("udp4", "UDP conversations over IPv4"),
    ("udp6", "UDP conversations over IPv6"),
    ("tcp_tuples", "TCP address and port pairs"),
    ("udp_tuples", "UDP address and port pairs"),
    ("ip_pairs", "IP address pairs"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    parser.add_argument("file", metavar="FILE", type=Path, help="a capture file")


def run(arguments: Namespace) -> int:
    """Count what the file holds and print it; the exit status."""
    path: Path = arguments.file
    capture = open_capture(str(path))
    try:
        tally = Tally(capture.linktype)
        if not tally.known:
            say(
                f"{path}: link type {capture.linktype_name} ({capture.linktype}) is not decoded,"
                " frames and bytes are counted only"
            )
        stopped = read(capture, tally, path)
        facts: dict[str, object] = {
            **tally.facts(),
            "linktype": capture.linktype,
            "linktype_name": capture.linktype_name,
        }
    finally:
        capture.close()
    if stopped:
        say(f"{path}: stopped after {facts['frames']} frames: {stopped}")
    if facts["uncounted"]:
        say(f"{path}: more distinct conversations than memory for them, their counts are too low")
    facts["events"] = dict(sorted(tally.events().items()))
    print(json.dumps(facts) if arguments.json else table(facts, tally.events()))
    return 0


def say(sentence: str) -> None:
    """One line on stderr."""
    print(f"hdr-lite inspect: {sentence}", file=sys.stderr)


def read(capture: Capture, tally: Tally, path: Path) -> str:
    """Count to the end of the file; why it ended before its end, if it did."""
    progress = Progress(path) if sys.stderr.isatty() else None
    try:
        while True:
            capture.tally(tally, BATCH)
            if progress:
                progress.show(capture.position())
    except EOFError:
        return ""
    except OSError as error:
        return str(error.strerror)
    finally:
        if progress:
            progress.clear()


class Progress:
    """The share of the file that was read, on a terminal's stderr."""

    def __init__(self, path: Path) -> None:
        """Progress through the file at ``path``."""
        self.size = path.stat().st_size
        self.next = time.monotonic() + PROGRESS_INTERVAL

    def show(self, position: int) -> None:
        """Tell that ``position`` bytes were read, if it is time to."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + PROGRESS_INTERVAL
        share = min(100, 100 * position // self.size) if self.size else 0
        print(f"\r{share:3d} % read", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave an empty line."""
        print("\r          \r", end="", file=sys.stderr, flush=True)


def table(facts: dict[str, object], events: dict[str, int]) -> str:
    """The counts for a person: aligned, malformed events below."""
    lines = [f"{'link type':<28} {facts['linktype_name']} ({facts['linktype']})"]
    lines += [f"{words:<28} {facts[name]:>14,}" for name, words in ROWS]
    if events:
        lines += ["", "malformed, by event"]
        lines += [f"  {name:<26} {count:>14,}" for name, count in sorted(events.items())]
    return "\n".join(lines)
