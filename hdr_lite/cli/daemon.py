"""Watch interfaces as a service: processes that die are started again, until it is told to stop.

Stays in the foreground; prints 'ready' on standard error once everything works, and tells
systemd (Type=notify). SIGTERM or Ctrl-C stops it within 5 s, SIGHUP reads the settings anew
(what was learned stays). Without -i the settings name the interfaces ([daemon] interfaces), or
all that have an inside address are watched.

examples:
  hdr-lite daemon -c /etc/hdr-lite/hdr-lite.toml
  hdr-lite daemon -i br-lan -o /var/log/hdr-lite
  hdr-lite daemon -P guest -i br-guest -o /var/log/hdr-lite-guest
"""

from hdr_lite.cli import lean  # noqa: F401 - first: it decides what the others import

# isort: split
import argparse
import os
import resource
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hdr_lite.cli.arming import why_unarmed
from hdr_lite.cli.memory import REPORTING_TOTAL, check_memory
from hdr_lite.cli.modules import find_modules
from hdr_lite.cli.run import check_instance, check_interfaces, claim_output, label, outputs
from hdr_lite.cli.runtime import file_name, make_runtime
from hdr_lite.cli.settings import add_blocking_arguments, add_settings_arguments, load_settings
from hdr_lite.cli.spooling import DIRECTORY as SPOOL
from hdr_lite.cli.spooling import is_enrolled, make_directory, spooling
from hdr_lite.config import Config, Settings, UserError, flatten
from hdr_lite.enforcer import run_enforcer
from hdr_lite.enforcer.addresses import names_of_servers
from hdr_lite.enforcer.interfaces import Interfaces, open_files
from hdr_lite.enforcer.prober import open_socket
from hdr_lite.enforcer.ruleset import table_name
from hdr_lite.engine.ledger import Ledger
from hdr_lite.engine.process import Engine
from hdr_lite.link.codec import Answer, Ask, Opened
from hdr_lite.link.end import End
from hdr_lite.link.stop import StopSignal
from hdr_lite.native import set_title
from hdr_lite.outputs.orders import Orders, key_of
from hdr_lite.records.kind import Kind
from hdr_lite.records.verb import Block, Enforced, Limit, Quarantine, Ready
from hdr_lite.ring import RingReader, create_ring
from hdr_lite.sensor.process import Inputs, run_sensor
from hdr_lite.sources import conntrack
from hdr_lite.sources.clock import TrafficClock
from hdr_lite.supervisor.blind import blind_spots, inside_interfaces, is_volatile
from hdr_lite.supervisor.calls import (
    ENFORCER,
    ENGINE,
    FATAL,
    FIRST_PACKETS,
    SENSOR,
    SYNC,
    Calls,
)
from hdr_lite.supervisor.child import title
from hdr_lite.supervisor.control import ControlServer
from hdr_lite.supervisor.daemon import Change, Daemon
from hdr_lite.supervisor.first_packets import Choice, choose_source
from hdr_lite.supervisor.lock import claim
from hdr_lite.supervisor.privileges import (
    SHARED,
    Account,
    Capability,
    Privileges,
    find_account,
    find_group,
    give_up,
    may_change_account,
    permitted,
)
from hdr_lite.supervisor.readiness import Readiness
from hdr_lite.supervisor.role import Role
from hdr_lite.supervisor.status import StatusReport
from hdr_lite.supervisor.terminal import Terminal

#: What the supervisor keeps: to start children anew as other users (SETUID, SETGID, SETPCAP) with
#: what they need (NET_RAW, NET_ADMIN), and to end them (KILL).
_SUPERVISOR = frozenset(Capability) - {Capability.CHOWN}
#: Of the control socket, that are the enforcer's to answer; it checks what they ask for.
_ENFORCER_VERBS = frozenset("blocked block unblock release arm panic why".split())
#: Bytes of a file that the process which talks to the network may write.
_MOST_WRITTEN = 64 * 1024
#: Descriptors that a process may have open.
_MOST_OPEN = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "-i",
        "--interface",
        metavar="IFACE",
        action="append",
        help="watch this interface; may be repeated",
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="over [daemon] directory")
    parser.add_argument(
        "-P",
        "--instance",
        metavar="NAME",
        default="",
        help="name of this instance, where several run side by side",
    )
    parser.add_argument(
        "--runtime",
        metavar="DIR",
        help="where lock and control socket are (default: /run/hdr-lite)",
    )
    add_blocking_arguments(parser)
    add_settings_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run until told to stop; the exit status."""
    readiness = Readiness()
    settings = _load(arguments)
    check_instance(arguments.instance)
    set_title(title("lite", arguments.instance))
    runtime = make_runtime(arguments.runtime)
    name = file_name(arguments.instance)
    holder = f"process {os.getpid()}"
    lock = claim(runtime / f"{name}.lock", label(arguments.instance), holder)
    try:
        return _Service(arguments, settings, readiness, runtime / name).run()
    finally:
        os.close(lock)


class _Service:
    """The parts, wired together."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        settings: Settings,
        readiness: Readiness,
        files: Path,
    ) -> None:
        """``files`` is what the instance's own files are called, without what follows the dot."""
        self._arguments = arguments
        self._instance: str = arguments.instance
        self._readiness = readiness
        self._control = files.with_name(f"{files.name}.sock")
        self._told = _open_told(files.with_name(f"{files.name}.told"))
        self._config = config = settings.config
        self._output = str(Path(arguments.output or config.daemon.directory).absolute())
        #: Counts what is put into the spool, to wake the one who sends; outlives both.
        self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._spooling = spooling(config, self._news)
        self._inputs = Inputs(interfaces=_interfaces(arguments, config))
        self._group = find_group(config.daemon.group)
        self._changes_users = may_change_account()
        self._unarmed = why_unarmed()  #: why there is no enforcer; "" when there is one
        if self._unarmed and config.enforcer.mode != "observe":
            raise UserError(f"enforcer.mode = {config.enforcer.mode}: {self._unarmed}")
        self._blocked_on: dict[str, int] = {}
        self._packets: socket.socket | None = None  # the enforcer's
        if not self._unarmed:
            table_name(self._instance)  # a name that can be no part of one is told now
            names_of_servers()  # compiles expressions: in the enforcer that copies a megabyte
            self._blocked_on = open_files(files.parent, self._inputs.interfaces)
        self._clock = TrafficClock()  # its offset outlives sensors and engines
        found = find_modules(settings)
        self._engine = Engine(config, replay=False)
        self._memory = create_ring(config.ring.size)
        check_memory(
            settings,
            found,
            self._memory,
            interfaces=len(self._inputs.interfaces),
            blocks=not self._unarmed,
            reports=is_enrolled(config.sync.state),
        )
        self._source = Choice(None, "")

    def run(self) -> int:
        """The service from start to end; its exit status."""
        # All connections of a device, unless a person names the interfaces.
        named = self._inputs.interfaces if _named(self._arguments, self._config) else ()
        self._source = choose_source(self._config, self._instance, named)
        holder = self._source.holder
        try:
            return self._serve()
        finally:
            if holder is not None:
                holder.close()

    def _serve(self) -> int:
        terminal = Terminal(sys.stdout, sys.stderr, label=label(self._instance))
        holder = self._source.holder
        if holder is not None:
            self._inputs = self._inputs._replace(first_packets=holder.opening)
        elif self._source.lacking:
            terminal.notice(f"capture serves, not nflog: {self._source.why}")
        roles = self._roles()
        self._prepare_output(roles)
        daemon = Daemon(
            roles,
            terminal,
            instance=self._instance,
            readiness=self._readiness,
            control=lambda handler: ControlServer(self._control, self._group, handler),
            status=StatusReport(self._instance, self._facts, self._blind),
            reload=self._reload,
            keeper=holder,
        )
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        kept = _SUPERVISOR & permitted()
        give_up(Privileges(capabilities=kept, bounding=_SUPERVISOR))
        return daemon.run()

    def _roles(self) -> tuple[Role, ...]:
        """The table of processes, in the order of the data."""
        enforcer = Role(
            "enforcer",
            self._run_enforcer,
            ready=Ready,
            privileges=self._privileges("enforcer", ENFORCER, Capability.NET_ADMIN),
            keeps=tuple(self._blocked_on.values()),
            open=self._open_packets,
            routes={Enforced: "engine"},
            order=key_of,
            reloads=True,
            verbs=_ENFORCER_VERBS,
        )
        return (
            self._sensor(),
            Role(
                "engine",
                self._run_engine,
                ready=Answer,
                privileges=self._privileges("engine", ENGINE),
                keeps=(*self._memory, self._told, self._news),
                routes={Block: "enforcer", Limit: "enforcer", Quarantine: "enforcer"},
                reloads=True,
                follows=True,
            ),
            *(() if self._unarmed else (enforcer,)),
            *self._sync(),
        )

    def _sync(self) -> tuple[Role, ...]:
        """Where the device is enrolled; no process elsewhere."""
        if not is_enrolled(self._config.sync.state):
            return ()
        from hdr_lite.sync.process import ASKS, run_sync

        def main(end: End, stop: StopSignal) -> int:
            spool = Path(self._config.sync.spool or SPOOL)
            return run_sync(self._config.sync, spool, end, stop, self._news)

        privileges = self._privileges("sync", SYNC)
        limits = {**privileges.limits, resource.RLIMIT_FSIZE: _MOST_WRITTEN}
        return (
            Role(
                "sync",
                main,
                ready=Answer,
                privileges=replace(privileges, limits=limits),
                keeps=(self._news,),
                asks=frozenset(ASKS),
            ),
        )

    def _sensor(self) -> Role:
        """With first packets it has no privilege: their holder asks the kernel for it."""
        holder = self._source.holder
        if holder is None:
            privileges = self._privileges("sensor", SENSOR, Capability.NET_RAW)
            keeps = tuple(self._memory)
            return Role(
                "sensor", self._run_sensor, ready=Opened, privileges=privileges, keeps=keeps
            )
        return Role(
            "sensor",
            self._run_sensor,
            ready=Opened,
            privileges=self._privileges("sensor", FIRST_PACKETS),
            keeps=(*self._memory, *holder.descriptors),
            open=holder.hand_over_singly,
            takes={Ask: holder.ask},
        )

    def _privileges(self, name: str, calls: Calls, *capabilities: Capability) -> Privileges:
        """What a process keeps: its own account where the system has one."""
        accounts = (f"hdr-lite-{name}", *SHARED)
        return Privileges(
            account=find_account(accounts) if self._changes_users else None,
            capabilities=frozenset(capabilities),
            limits={
                resource.RLIMIT_CORE: 0,
                resource.RLIMIT_NOFILE: _MOST_OPEN,
                resource.RLIMIT_DATA: self._config.memory.total,
            },
            calls=calls,
            fatal=FATAL,
        )

    # The processes ------------------------------------------------------------------------

    def _run_sensor(self, end: End, stop: StopSignal) -> int:
        return run_sensor(
            self._inputs, self._config, self._memory, self._engine.wanted, end, stop, self._clock
        )

    def _run_engine(self, end: End, _stop: StopSignal) -> int:
        claim_output(self._output, self._instance)
        files = outputs(self._output, self._config, end, append=True)
        # All kinds: a module that a reload switches on may read others than those of now.
        if not self._unarmed:
            files = [self._orders(end), *files]  # before anything is written
        if self._spooling is not None:
            files.append(self._spooling.output)
        reader = RingReader(self._memory, tuple(Kind))
        return self._engine.run(reader, files, end, Ledger(self._told), self._clock.steps)

    def _orders(self, end: End) -> Orders:
        return Orders(end.send, self._engine.is_inside, self._config.enforcer.timeout)

    def _run_enforcer(self, end: End, stop: StopSignal) -> int:
        holder = f"{label(self._instance)} (process {os.getppid()})"
        interfaces = Interfaces(self._blocked_on, holder)
        return run_enforcer(self._config, self._instance, end, stop, interfaces, self._packets)

    def _open_packets(self) -> None:
        """In the enforcer, before it gives CAP_NET_RAW up: by what it asks over ARP."""
        with suppress(PermissionError):
            self._packets = open_socket()

    def _prepare_output(self, roles: tuple[Role, ...]) -> None:
        """Make the directories where engine and enforcer write, and give them to their users."""
        path = Path(self._output)
        with suppress(OSError):  # the engine tells what is wrong
            path.mkdir(mode=0o750, parents=True, exist_ok=True)
        accounts = {role.name: role.privileges.account for role in roles}
        self._give(path, accounts["engine"])
        if not self._unarmed:
            # The others' directories may be in it: it stays ours, and the enforcer's group writes.
            state = Path(self._config.enforcer.state).absolute().parent
            make_directory(state, None, accounts["enforcer"], 0o1771)
        if self._spooling is not None:
            names = ("hdr-lite-sync", *SHARED)
            sender = find_account(names) if self._changes_users else None
            self._spooling.prepare(accounts["engine"], sender)

    def _give(self, path: Path, account: Account | None) -> None:
        if account is not None:
            group = account.gid if self._group is None else self._group
            with suppress(OSError):
                os.chown(path, account.uid, group)

    # What is asked ------------------------------------------------------------------------

    def _facts(self) -> dict[str, Any]:
        return {
            "source": "nflog" if self._source.holder else "capture",
            "source_why": self._source.why,
            "interfaces": list(self._inputs.interfaces),
            "output": self._output,
        }

    def _blind(self) -> list[str]:
        spots = blind_spots(self._inputs.interfaces)
        if self._unarmed:
            spots.append(f"nobody can be blocked: {self._unarmed}")
        elif is_volatile(Path(self._config.enforcer.state).parent):
            spots.append(f"blocks do not survive a reboot: {self._config.enforcer.state} is memory")
        if is_volatile(Path(self._output)):
            spots.append(f"alerts do not survive a reboot: {self._output} is memory")
        if self._spooling is not None:
            spots.extend(self._spooling.blind())
        if self._source.holder and not conntrack.has_timestamps():
            spots.append(
                "when connections older than the sensor began:"
                " set net.netfilter.nf_conntrack_timestamp to 1"
            )
        return spots

    def _reload(self) -> Change:
        """The settings as they are now. ``UserError``: the old ones hold."""
        new = _load(self._arguments)
        old, wanted = self._config, self._engine.wanted
        find_modules(new)
        config, notes = _within_a_life(old, new.config)
        self._engine = Engine(config, replay=False)
        self._config = config
        stale = (config.capture, config.meter) != (old.capture, old.meter)
        stale = stale or bool(self._engine.wanted & ~wanted)
        restart = {"sensor"} if stale else set()
        enrolled, self._spooling = self._spooling is not None, spooling(config, self._news)
        if (self._spooling is not None) != enrolled:
            restart.add("engine")  # it alone may open a spool, before it reads anything
        sync = self._sync()
        return Change(
            settings=_to_json(config),
            restart=frozenset(restart),
            notes=tuple(f"{key}: takes effect at the next start" for key in notes),
            new=sync,
            gone=frozenset(() if sync else {"sync"}),
        )


def _load(arguments: argparse.Namespace) -> Settings:
    """The settings; a device that is enrolled has its collector on the allow list, and the memory
    that reporting takes."""
    settings = load_settings(arguments)
    config = settings.config
    if not is_enrolled(config.sync.state):
        return settings
    if settings.origin("memory.total") == "default":
        config = replace(config, memory=replace(config.memory, total=REPORTING_TOTAL))
        settings = settings._replace(config=config)
    from hdr_lite.sync.enrolment import collector_host

    host = collector_host(config.sync.state)
    if not host:
        return settings
    enforcer = replace(config.enforcer, allow=(*config.enforcer.allow, host))
    return settings._replace(config=replace(config, enforcer=enforcer))


def _open_told(path: Path) -> int:
    """The file where engines keep what they told: they get it open, and may not open it.

    It is in the runtime directory, so in memory, and outlives the supervisor, which a memfd
    would not. ``UserError``.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise UserError(f"cannot open {path}: {(error.strerror or str(error)).lower()}") from None


def _named(arguments: argparse.Namespace, config: Config) -> Sequence[str]:
    return arguments.interface or config.daemon.interfaces


def _interfaces(arguments: argparse.Namespace, config: Config) -> tuple[str, ...]:
    names = _named(arguments, config) or inside_interfaces(config.detection.home)
    if not names:
        raise UserError("no interface has an inside address: name those to watch with -i")
    return check_interfaces(tuple(names))


#: Settings that are fixed when the service starts.
_FIXED = (
    ("capture", ("source", "first_packets", "first_bytes", "login_ports", "login_packets")),
    ("ring", ()),
    ("memory", ()),
    ("daemon", ()),
    ("sync", ()),
    ("detection", ("window", "profiles")),
    ("scheduler", ("queue", "failures")),
    ("output", ("flows",)),
    ("enforcer", ("blocks", "limits", "quarantines", "timeout", "forgive", "state")),
)


def _within_a_life(old: Config, new: Config) -> tuple[Config, list[str]]:
    """The new configuration, without what only a start can change; and what that is."""
    left_out: list[str] = []
    before, after = flatten(old), flatten(new)
    for section, names in _FIXED:
        part = getattr(old, section)
        kept = {name: getattr(part, name) for name in names}
        fixed = replace(getattr(new, section), **kept) if names else part
        new = replace(new, **{section: fixed})
        keys = [f"{section}.{name}" for name in names]
        keys = keys or [key for key in before if key.startswith(f"{section}.")]
        left_out += [key for key in keys if before[key] != after[key]]
    return new, left_out


def _to_json(config: Config) -> str:
    import json

    return json.dumps(flatten(config))
