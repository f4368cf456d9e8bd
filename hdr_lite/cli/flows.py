"""Print the flows of a capture file, a JSON object a line, under Zeek's names.

They come in the order in which they ended; the same file always gives the same lines. With
--kind, the facts of a protocol are printed instead, or the sums of failed attempts.
"""

import argparse
import json
import sys
from collections.abc import Iterator

from hdr_lite.cli.settings import add_settings_arguments, load_settings
from hdr_lite.cli.zeek import KINDS
from hdr_lite.config import Config
from hdr_lite.native import Meter
from hdr_lite.records.flow import Flow
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingReader, create_ring
from hdr_lite.ring.codec import Record
from hdr_lite.sensor.meter import make_meter
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.capture import CaptureSource, open_file

#: Packets that are read before the ring is looked at.
BATCH = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("file", metavar="FILE", help="a capture file")
    parser.add_argument("--kind", choices=tuple(KINDS), default="conn", help="what to print")
    add_settings_arguments(parser, detects=False)


def run(arguments: argparse.Namespace) -> int:
    """Print them; the exit status."""
    config = load_settings(arguments).config
    kinds, line_of = KINDS[arguments.kind]
    for record in records_of(arguments.file, kinds, config):
        if isinstance(record, Flow) and record.end == "active":
            continue  # a checkpoint: the flow's own line comes
        print(json.dumps(line_of(record), separators=(",", ":")))
    return 0


def records_of(path: str, kinds: tuple[Kind, ...], config: Config) -> Iterator[Record]:
    """The meter's records of these kinds for a capture file.

    ``SourceError`` when it cannot be opened. A file that breaks off, or whose frames are not
    decoded, gives what there is and a sentence on stderr.
    """
    source = open_file(path, config.capture)
    memory = create_ring(config.ring.size)
    try:
        if not source.decoded:
            complaint = f"{path}: link type {source.linktype} is not decoded"
            print(f"hdr-lite flows: {complaint}", file=sys.stderr)
        reader = RingReader(memory, kinds)
        wanted = sum(1 << kind for kind in kinds)
        meter = make_meter(reader.ring, wanted, config.meter, wait=True)
        while _feed(source, meter):
            yield from _drain(reader)
        while not meter.flush():
            yield from _drain(reader)
        yield from _drain(reader)
    finally:
        memory.close()
        source.close()


def _feed(source: CaptureSource, meter: Meter) -> bool:
    """Some packets to the meter; False when there are no more."""
    try:
        source.read(meter, BATCH)
    except EOFError:
        return False
    except SourceError as error:
        print(f"hdr-lite flows: {error}; what came before it counts", file=sys.stderr)
        return False
    return True


def _drain(reader: RingReader) -> Iterator[Record]:
    while records := reader.read(BATCH):
        for _number, _kind, _time, record in records:
            yield record
        reader.commit()
