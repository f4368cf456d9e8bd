"""First packets, as far as they need a privilege: their sockets, their rules, questions.

:func:`choose_source` decides between ``nflog`` and ``capture``. A :class:`FirstPacketsHolder`
keeps the sockets over the lives of sensors, so that what arrives while there is none waits for
the next one; sends for it what the kernel takes from the privileged only; and keeps the rules
that log in a table of their own.
"""

import os
import re
import select
import signal
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from hdr_lite.config import CaptureConfig, Config, UserError
from hdr_lite.enforcer.monitor import Monitor
from hdr_lite.enforcer.netlink import NETLINK_NETFILTER, attribute, attributes, dump
from hdr_lite.enforcer.nft import Nft, NftError
from hdr_lite.enforcer.ruleset import removal, table_name
from hdr_lite.link.codec import Ask, LinkError
from hdr_lite.native import die_with_parent
from hdr_lite.sensor.process import Opening
from hdr_lite.sources.base import SourceError
from hdr_lite.sources.conntrack import is_question
from hdr_lite.sources.netlink import explain
from hdr_lite.sources.nflog import (
    BATCH,
    FirstPackets,
    log_rules,
    open_sockets,
    threshold_request,
)
from hdr_lite.supervisor.blind import flowtables

#: Seconds that nftables may take for a transaction, and until one that failed is tried again.
PATIENCE, RETRY = 3.0, 5.0
#: NFLOG groups of named instances: so many from the one after the default.
_GROUPS = 1000
_FORWARDING = (
    Path("/proc/sys/net/ipv4/ip_forward"),
    Path("/proc/sys/net/ipv6/conf/all/forwarding"),
)
_INET = 1
_NEW_RULE, _GET_RULE = 10 << 8 | 6, 10 << 8 | 7
_TABLE = 1  # attribute of a rule


class Choice(NamedTuple):
    """What serves, and why."""

    holder: "FirstPacketsHolder | None"  #: None: ``capture`` serves
    why: str
    lacking: bool = False  #: whether it is a piece that is lacking, which a person should know


def choose_source(config: Config, instance: str, inside: tuple[str, ...] = ()) -> Choice:
    """``capture.source``, as far as it can be had; opens and installs what ``nflog`` needs.

    ``inside``: interfaces whose connections are wanted; none: those of all.
    """
    wanted = config.capture.source
    if wanted == "capture":
        return Choice(None, "the settings say so")
    if config.capture.filter:
        return Choice(None, "capture.filter is for all packets", lacking=wanted == "nflog")
    if wanted == "auto" and not forwards():
        return Choice(None, "the device does not forward")
    try:
        holder = FirstPacketsHolder(instance, config.capture, inside)
    except UserError as error:
        return Choice(None, str(error), lacking=True)
    return Choice(holder, "the device forwards" if wanted == "auto" else "the settings say so")


def forwards() -> bool:
    """Whether the device forwards IPv4 or IPv6."""
    for path in _FORWARDING:
        with suppress(OSError):
            if path.read_text().strip() != "0":
                return True
    return False


class FirstPacketsHolder:
    """The sockets and the table of an instance; ``UserError``: what is lacking for them."""

    def __init__(self, instance: str, config: CaptureConfig, inside: tuple[str, ...] = ()) -> None:
        self._table = f"{table_name(instance)}.log"  # no instance's name has a dot in it
        what = _what(instance, config, inside)
        # Where a flow table takes connections over, fewer packets pass the rules.
        sure = 1 if any(flowtables()) else what.packets
        rules = log_rules(what, self._table)
        self._rules = rules.count("\nadd rule ")
        self._install = removal("inet", self._table) + rules
        self._thresholds = tuple(
            threshold_request(what.group, packets, flags=0) for packets in (1, BATCH)
        )
        self._retry_at = 0.0  #: when to try again; 0: there is no need
        with ExitStack() as undo:
            sockets = open_sockets(what)
            undo.callback(sockets.close)
            self._monitor = _open_monitor(self._table)
            undo.callback(self._monitor.close)
            transact(self._install)
            undo.pop_all()
        self.opening = Opening(what, sockets, sure)

    def fileno(self) -> int:
        """Polls readable when somebody changed something in nftables."""
        return self._monitor.fileno()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Those that the sensor gets."""
        return tuple(sock.fileno() for sock in self.opening.sockets)

    def hand_over_singly(self) -> None:
        """Have the kernel begin as each sensor expects it: packet by packet."""
        with suppress(OSError):
            self.opening.sockets.log.send(self._thresholds[0])

    def ask(self, message: Ask) -> None:
        """Send what the sensor asks for; ``LinkError`` when that is more than it may ask."""
        if message.socket == "conntrack" and is_question(message.request):
            sock = self.opening.sockets.conntrack
        elif message.socket == "log" and message.request in self._thresholds:
            sock = self.opening.sockets.log
        else:
            raise LinkError("a request to the kernel that is not the sensor's to make")
        # What fails now (a full buffer, a dump under way) is asked again by the sensor.
        with suppress(OSError):
            sock.send(message.request)

    def look_after(self) -> Iterator[str]:
        """Put the rules back if somebody took them out; what a person should know of that."""
        now = time.monotonic()
        # Harm is done by whomsoever: our own transaction begins by a deletion, too.
        if not self._monitor.harmed() and not 0 < self._retry_at <= now:
            return
        self._retry_at = 0.0
        # Counted twice: somebody else's change may come between the parts of one answer.
        if any(self._rules == count_rules(self._table) for _ in range(2)):
            return
        try:
            transact(self._install)
        except SourceError as error:
            self._retry_at = now + RETRY
            yield f"the rules that log first packets are gone and cannot be put back: {error}"
        else:
            yield "somebody took out the rules that log first packets: they are back"

    def close(self) -> None:
        """Take the table out, close the sockets."""
        with suppress(SourceError):  # what cannot be taken out logs to nobody
            transact(removal("inet", self._table))
        self._monitor.close()
        self.opening.sockets.close()


def _open_monitor(table: str) -> Monitor:
    try:
        return Monitor(table)
    except OSError as error:
        raise explain(error, "rules of first packets", "nf_tables") from None


def _what(instance: str, config: CaptureConfig, inside: tuple[str, ...]) -> FirstPackets:
    for name in inside:
        if not re.fullmatch(r"[\w.:@-]{1,15}", name, re.ASCII):
            raise UserError(f"{name!r} cannot be part of a rule in nftables")
    return FirstPackets(
        packets=config.first_packets,
        snap_length=config.first_bytes,
        group=_group(instance),
        login_ports=tuple(map(int, config.login_ports)),
        login_packets=config.login_packets,
        inside=inside,
    )


def _group(instance: str) -> int:
    default = FirstPackets().group
    return default + 1 + zlib.crc32(instance.encode()) % _GROUPS if instance else default


def count_rules(table: str) -> int:
    """How many rules an ``inet`` table has; 0 where it is gone, or the kernel does not tell."""
    name = table.encode() + b"\0"
    body = struct.pack("=BBH", _INET, 0, 0) + attribute(_TABLE, name)
    try:
        return sum(
            message.type == _NEW_RULE and attributes(message.body[4:]).get(_TABLE) == name
            for message in dump(NETLINK_NETFILTER, _GET_RULE, body)
        )
    except OSError:
        return 0


# Transactions


def transact(transaction: str) -> None:
    """Have a process of a moment do it, so that ours never loads nftables. ``SourceError``."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _live(transaction, writer)
    os.close(writer)
    try:
        if select.select([reader], [], [], PATIENCE)[0]:
            text = os.read(reader, 4096).decode(errors="replace")
        else:
            text = f"nftables did not answer for {PATIENCE:g} s"
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(reader)
        _, status = os.waitpid(pid, 0)
    if text or status:
        raise SourceError(f"rules of first packets: {text or 'nftables ended early'}")


def _live(transaction: str, writer: int) -> NoReturn:
    """The process of a moment: what went wrong goes into the pipe."""
    text = ""
    try:
        signal.set_wakeup_fd(-1)  # signals wake the parent's loop, not through us
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        die_with_parent(signal.SIGKILL)
        Nft().run(transaction)
    except (UserError, NftError) as error:
        text = str(error)
    except BaseException as error:  # noqa: BLE001 - the fence between a child and its parent
        text = f"{type(error).__name__}: {error}"
    finally:
        with suppress(OSError):
            os.write(writer, text.encode())
        os._exit(bool(text))
