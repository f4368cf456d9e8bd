"""Turn the traffic of interfaces, or of a capture file, into alerts.

A capture file is read to its end, and the same file always gives the same output. An
interface is watched until Ctrl-C or SIGTERM; 'ready' on standard error tells that it has
begun. Alerts are printed as they are raised; the output directory holds them all:

  alerts.log     a line per evidence and per alert, for a person
  alerts.json    the same as IDMEFv2, a JSON object a line
  evidence.jsonl evidence with its reasons, a JSON object a line
  flows.jsonl    flows, with --flows
  errors.log, hdr-lite.log, summary.json

examples:
  hdr-lite run -f office.pcap -o out
  hdr-lite run -i eth0 -F 'not port 22' --disable arp
  hdr-lite run -i br-lan -P inside -o /tmp/inside   one of several that run side by side
  hdr-lite run -i br-lan --mode block --allow 192.168.1.7 --timeout 10m
"""

import argparse
import json
import os
import re
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from hdr_lite.cli import PROGRAM
from hdr_lite.cli.arming import enforcer_of_a_run
from hdr_lite.cli.memory import check_memory
from hdr_lite.cli.modules import find_modules
from hdr_lite.cli.runtime import make_runtime
from hdr_lite.cli.settings import add_blocking_arguments, add_settings_arguments, load_settings
from hdr_lite.config import Config, Settings, UserError
from hdr_lite.engine.output import Output
from hdr_lite.engine.process import Engine
from hdr_lite.link.codec import Done, Raised
from hdr_lite.link.end import End
from hdr_lite.link.stop import StopSignal
from hdr_lite.native import set_title
from hdr_lite.outputs import Console, file_outputs
from hdr_lite.outputs.orders import Orders
from hdr_lite.outputs.text import one_line
from hdr_lite.ring import RingReader, create_ring
from hdr_lite.sensor.process import Inputs, run_sensor
from hdr_lite.supervisor.child import Main, title
from hdr_lite.supervisor.lock import claim
from hdr_lite.supervisor.process import Outcome, Supervisor
from hdr_lite.supervisor.terminal import Terminal

_INSTANCE = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_HASH_STEP = 256 * 1024
#: Characters of an alert's or evidence's line that the terminal shows; alerts.log has all of it.
_LINE = 8192


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("-f", "--file", metavar="FILE", help="read this capture (pcap, pcapng)")
    source.add_argument(
        "-i",
        "--interface",
        metavar="IFACE",
        action="append",
        help="watch this interface; may be repeated",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        help="where the output goes (default: output/SOURCE_DATE, as Slips)",
    )
    parser.add_argument(
        "-P",
        "--instance",
        metavar="NAME",
        default="",
        help="name of this instance, where several run side by side: shown by ps and in messages",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object at the end and nothing else"
    )
    parser.add_argument("--runtime", metavar="DIR", help="where its locks are (with --mode)")
    add_blocking_arguments(parser)
    add_settings_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run until the file ends or a signal comes; the exit status."""
    settings = load_settings(arguments)
    inputs = _inputs(arguments)
    output = arguments.output or default_output(inputs)
    set_title(title("lite", arguments.instance))
    started = time.monotonic()
    outcome = _supervise(arguments, settings, inputs, output)
    seconds = time.monotonic() - started
    status = outcome.status
    if outcome.stopped and inputs.file and status == 0:
        print(
            f"{label(arguments.instance)}: stopped before the end of {inputs.file}",
            file=sys.stderr,
        )
        status = 1
    if outcome.done is not None:
        source = inputs.file or ", ".join(inputs.interfaces)
        report = _report_json if arguments.json else _report
        print(report(outcome.done, source, output, seconds, status))
    return status


def _supervise(
    arguments: argparse.Namespace, settings: Settings, inputs: Inputs, output: str
) -> Outcome:
    """Wire the parts together and run them."""
    config, instance = settings.config, arguments.instance
    found = find_modules(settings)
    engine = Engine(config, replay=bool(inputs.file))
    memory = create_ring(config.ring.size)
    enforcer_main = _enforcer(arguments, config, inputs)
    check_memory(
        settings,
        found,
        memory,
        interfaces=len(inputs.interfaces),
        blocks=enforcer_main is not None,
        reports=False,
    )

    def sensor_main(end: End, stop: StopSignal) -> int:
        return run_sensor(inputs, config, memory, engine.wanted, end, stop)

    def engine_main(end: End, _stop: StopSignal) -> int:
        claim_output(output, instance)
        files = outputs(output, config, end)
        if enforcer_main is not None:  # before anything is written
            files = [Orders(end.send, engine.is_inside, config.enforcer.timeout), *files]
        return engine.run(RingReader(memory, engine.kinds), files, end)

    terminal = Terminal(
        sys.stdout,
        sys.stderr,
        label=label(instance),
        size=_size(inputs.file),
        alerts=not arguments.json,
    )
    digest = hash_file(inputs.file) if inputs.file else None
    supervisor = Supervisor(
        sensor_main,
        engine_main,
        terminal,
        enforcer=enforcer_main,
        instance=instance,
        digest=digest,
        live=not inputs.file,
    )
    return supervisor.run()


def _enforcer(arguments: argparse.Namespace, config: Config, inputs: Inputs) -> Main | None:
    name = arguments.instance
    runtime = make_runtime(arguments.runtime) if config.enforcer.mode != "observe" else Path()
    return enforcer_of_a_run(config, name, label(name), runtime, inputs.interfaces)


def outputs(directory: str, config: Config, end: End, *, append: bool = False) -> list[Output]:
    """The files, and the alerts for the terminal, which is the supervisor's."""
    console = Console(lambda line: end.send(Raised(line[:_LINE])), config.output.verbose > 1)
    if not config.output.flows:
        return [*file_outputs(directory, append=append), console]
    from hdr_lite.cli import zeek

    return [*file_outputs(directory, zeek.conn, append=append), console]


def _size(path: str) -> int:
    """Bytes of a regular file, of which progress can show the share."""
    try:
        facts = Path(path).stat()
    except (OSError, ValueError):
        return 0  # the sensor tells what is wrong with it
    return facts.st_size if stat.S_ISREG(facts.st_mode) else 0


def _inputs(arguments: argparse.Namespace) -> Inputs:
    check_instance(arguments.instance)
    interfaces = check_interfaces(arguments.interface or ())
    return Inputs(arguments.file or "", interfaces)


def check_instance(name: str) -> None:
    """``UserError`` when it is no name of an instance."""
    if name and not _INSTANCE.fullmatch(name):
        raise UserError(f"-P {name}: a name is 1 to 32 letters, digits, dots, - and _")


def check_interfaces(names: Sequence[str]) -> tuple[str, ...]:
    """The names; ``UserError`` when one is empty or given twice."""
    for name in names:
        if not name:
            raise UserError("-i needs the name of an interface")
        if names.count(name) > 1:
            raise UserError(f"-i {name} is given twice")
    return tuple(names)


def default_output(inputs: Inputs) -> str:
    """``output/office.pcap_2026-11-24_12-30-00`` in the current directory, in UTC."""
    source = Path(inputs.file).name or "_".join(inputs.interfaces)
    return f"output/{source}_{time.strftime('%Y-%m-%d_%H-%M-%S', time.gmtime())}"


def label(instance: str) -> str:
    """``hdr-lite``, or ``hdr-lite[NAME]``."""
    return f"{PROGRAM}[{instance}]" if instance else PROGRAM


def claim_output(directory: str, instance: str) -> int:
    """Make the output directory and lock it; the lock's descriptor, to be kept open.

    ``UserError`` when it cannot be made, or when another instance writes there: its lock
    ends with it, however it ends.
    """
    path = Path(directory)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        if isinstance(error, FileExistsError):  # mkdir's word for it
            reason = "is no directory"
        raise UserError(f"cannot write to the output directory {directory}: {reason}") from None
    holder = f"{label(instance)}, process {os.getppid()}"
    return claim(path / ".lock", f"the output directory {directory}", holder)


def hash_file(path: str) -> Iterator[str]:
    """SHA-256 of a file in steps: "" while there is more to read, then the digest in hex.

    ``-`` for a pipe, which can be read but once, and for what cannot be read.
    """
    if not _size(path):
        yield "-"
        return
    from hashlib import sha256

    digest, block = sha256(), bytearray(_HASH_STEP)
    try:
        with Path(path).open("rb", buffering=0) as file:
            while count := file.readinto(block):
                digest.update(memoryview(block)[:count])
                yield ""
    except OSError:
        yield "-"  # it went away while it was read: the sensor tells
    else:
        yield digest.hexdigest()


def _report(done: Done, source: str, output: str, seconds: float, _status: int) -> str:
    counts = (
        f"{done.packets:,} packets, {done.flows:,} flows, {done.evidence:,} evidence, "
        f"{done.alerts:,} alerts in {seconds:.1f} s"
    )
    files = "alerts.log, alerts.json, evidence.jsonl, …"
    return f"{one_line(source)}: {counts}\nwritten to {one_line(output)}/: {files}"


def _report_json(done: Done, source: str, output: str, seconds: float, status: int) -> str:
    facts = {"source": source, "output": output, "seconds": round(seconds, 3), "status": status}
    return json.dumps({**facts, **done._asdict()})
