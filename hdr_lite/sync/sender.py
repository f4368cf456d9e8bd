"""A round of sending: batches from the spool, until the collector has all or something fails.

It runs in a process of its own that the sleeping one forks, so that what TLS needs of memory is
given back with it. Each acknowledgement is written to the cursor before the next batch is read;
one that is lost costs a batch sent twice, which the collector notices.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hdr_lite.config import SyncConfig, UserError
from hdr_lite.native import is_clock_synchronised
from hdr_lite.records.batch import Clock, Health
from hdr_lite.spool import Batch, Cursor, SpoolReader, load_cursor, save_cursor
from hdr_lite.spool.cursor import CURSOR
from hdr_lite.sync.channel import Channel, ChannelError, Trust, find_proxy
from hdr_lite.sync.enrolment import Enrolment, load_enrolment, read_url
from hdr_lite.sync.health import reduce
from hdr_lite.sync.protocol import (
    Acknowledged,
    Busy,
    Gap,
    Refused,
    Span,
    Unfit,
    Verdict,
    batch,
    judge,
)

#: Records in a batch, and bytes that they take in the spool: far below what a collector takes.
MOST_RECORDS, MOST_BYTES = 1000, 256 * 1024
#: There once systemd has seen the clock set right.
_TIMESYNC = Path("/run/systemd/timesync/synchronized")
#: Of a sign of life where nothing was ever put into the spool, whose epochs are greater.
_QUIET = Cursor("0000000000000001", 1)
#: Answers without progress, in a row, that are one too many.
_PATIENCE = 3


class Outcome(NamedTuple):
    """What became of a round."""

    error: str = ""  #: "": all was sent
    wait: float | None = None  #: seconds that the collector asked us to wait
    lasting: bool = False  #: it refuses this device
    health: bool = False  #: whether it was reported


class _Failure(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


def send_round(
    config: SyncConfig,
    spool: Path,
    answers: Mapping[int, Mapping[str, Any]],
    tell: Callable[[Mapping[str, Any]], None],
) -> None:
    """One round from the settings to the outcome, which is told last; before, what was taken.

    ``answers`` are those to ``status`` (0) and ``blocked`` (1); none: the health is not reported.
    """
    try:
        channel, enrolment = open_channel(config)
    except UserError as error:
        tell(Outcome(str(error))._asdict())
        return
    health = reduce(answers.get(0, {}), answers.get(1, {})) if answers else None
    round_ = Round(
        enrolment,
        SpoolReader(spool),
        Path(config.state, CURSOR),
        channel,
        health,
        lambda count: tell({"advanced": count}),
    )
    tell(round_.run()._asdict())


def open_channel(config: SyncConfig) -> tuple[Channel, Enrolment]:
    """The way to the collector that this device is enrolled at; ``UserError``."""
    enrolment = load_enrolment(config.state)
    if enrolment is None:
        raise UserError("this device is not enrolled")
    server = read_url(enrolment.url)
    trust = Trust(enrolment.ca, knows_time(), config.certificate, config.key)
    return Channel(server, trust, find_proxy(config.proxy, os.environ, server.host)), enrolment


def clock() -> Clock:
    """This device's clock, and whether it may be believed."""
    return Clock(time.time_ns(), "synchronised" if knows_time() else "unknown")


def knows_time() -> bool:
    """Whether the clock is kept right: the kernel's word, or systemd's where that is kept from us
    (``ProtectClock=`` forbids to ask the kernel)."""
    return is_clock_synchronised() or _TIMESYNC.exists()


class Round:
    """One round; ``run`` does it."""

    def __init__(
        self,
        enrolment: Enrolment,
        reader: SpoolReader,
        cursor: Path,
        channel: Channel,
        health: Health | None,
        advanced: Callable[[int], None],
    ) -> None:
        """``cursor`` is the file; ``advanced`` hears how many numbers were acknowledged."""
        self._enrolment = enrolment
        self._reader = reader
        self._file = cursor
        self._cursor = load_cursor(cursor)
        self._channel = channel
        self._health = health
        self._reported = False
        self._advanced = advanced
        self._most = MOST_RECORDS  # fewer where the collector cannot take them at once
        self._left_out = 0  # alerts that it takes not even alone
        self._unfit = ""  # why
        self._idle = 0  # answers without progress, in a row

    def run(self) -> Outcome:
        """Send all there is, and the health in any case."""
        sent = False
        try:
            while (found := self._next()) is not None or self._health is not None or not sent:
                self._send(self._sign_of_life() if found is None else self._span(found))
                sent = True
        except _Failure as failure:
            return failure.outcome._replace(health=self._reported)
        finally:
            self._channel.close()
        error = f"{self._left_out} alerts were left out: {self._unfit}" if self._left_out else ""
        return Outcome(error, health=self._reported)

    def _next(self) -> Batch | None:
        try:
            return self._reader.read(self._cursor, max(1, self._most), MOST_BYTES)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise _Failure(Outcome(f"the spool cannot be read: {reason}")) from None

    def _span(self, found: Batch) -> Span:
        alerts = [(record.number, record.payload) for record in found.records]
        if not self._most:  # the one that is unfit goes as a number that was dropped
            self._left_out += 1
            self._most, alerts = MOST_RECORDS, []
        return Span(found.epoch, found.first, found.next, alerts)

    def _sign_of_life(self) -> Span:
        epoch, number = self._cursor or _QUIET
        return Span(epoch, number, number, ())

    def _send(self, span: Span) -> None:
        message = batch(self._enrolment, span, clock(), self._health)
        try:
            reply = self._channel.ask("POST", message.path, message.headers, message.body)
        except ChannelError as error:
            raise _Failure(Outcome(str(error))) from None
        self._heed(span, judge(reply))

    def _heed(self, span: Span, verdict: Verdict) -> None:
        match verdict:
            case Acknowledged(number):
                self._reported |= self._health is not None
                self._health = None
                self._go_to(span, number)
            case Gap(number):
                self._go_to(span, number)
            case Unfit(reason) if span.alerts:
                self._most, self._unfit = len(span.alerts) // 2, reason
            case Unfit(reason):  # so it is not because of an alert, and none is left out
                raise _Failure(Outcome(reason))
            case Busy(seconds):
                raise _Failure(Outcome("it is busy", wait=seconds))
            case Refused(reason, lasting):
                raise _Failure(Outcome(reason, lasting=lasting))

    def _go_to(self, span: Span, number: int) -> None:
        """The collector wants that one next: more than was sent where it has had it before, less
        where it has lost some."""
        if number < span.next:
            self._idle += 1
            if self._idle > _PATIENCE:
                raise _Failure(Outcome("it asks for the same again and again"))
        else:
            self._idle = 0
        if span.epoch == _QUIET.epoch:
            return
        before = self._cursor
        self._cursor = Cursor(span.epoch, number)
        if self._cursor != before:
            save_cursor(self._file, self._cursor)
        self._advanced(max(0, number - span.first))
