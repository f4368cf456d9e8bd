"""What was told outlives the engine, wherever that is killed, and nothing of it is believed."""

import errno
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hdr_lite.engine import ledger as ledger_module
from hdr_lite.engine.ledger import AREA, Intent, Ledger
from hdr_lite.engine.output import Output, Outputs
from hdr_lite.engine.scoring import Account
from hdr_lite.link.codec import encode
from hdr_lite.outputs import file_outputs
from hdr_lite.outputs.orders import Orders, order_of
from hdr_lite.records.evidence import Evidence
from hdr_lite.records.verb import Order
from tests.hdr_lite.outputs.samples import ALERT, EVIDENCE, FINDING


@pytest.fixture(name="file")
def _file() -> Iterator[int]:
    descriptor = os.memfd_create("told", os.MFD_CLOEXEC)
    yield descriptor
    os.close(descriptor)


def told(number: int, profile: str = "10.0.0.1") -> Evidence:
    """One of many."""
    identity = f"00000000-0000-5000-8000-{number:012}"
    return replace(EVIDENCE, id=identity, profile=profile, finding=replace(FINDING, port=number))


def account(*numbers: int) -> Account:
    """One that has told so many."""
    made = Account(3)
    for number in numbers:
        made.add(told(number))
    return made


def known(ledger: Ledger, name: str = "10.0.0.1") -> Account:
    """What a new account continues."""
    made = Account(ledger.window)
    ledger.restore(name, made)
    return made


def test_an_account_goes_on(file: int) -> None:
    """Score, number of alerts, what they permitted and what was told are those of before."""
    before = Ledger(file)
    before.enter(1000, 3)
    kept = account(1, 2)
    kept.score, kept.alerts, kept.blocked = 640, 2, {"A": "limit"}
    kept.entries()[0].alerted = True
    before.note("10.0.0.1", kept)
    before.intend(())
    after = Ledger(file)
    assert (after.problem, after.unfinished) == ("", ())
    assert (after.first, after.window) == (1000, 3)
    again = known(after)
    assert (again.score, again.alerts, again.blocked) == (640, 2, {"A": "limit"})
    assert [again.was_told(told(number)) for number in (1, 2, 3)] == [True, True, False]
    assert again.add(told(1)).alerted
    assert not again.add(told(2)).alerted
    assert again.keep() == kept.keep()
    assert known(after, "10.0.0.2").keep() == Account(3).keep()


def test_another_window_begins_with_nothing(file: int) -> None:
    """Accounts are of one window; where it is, is known at once."""
    ledger = Ledger(file)
    ledger.enter(1000, 3)
    ledger.note("10.0.0.1", account(1))
    ledger.intend(())
    ledger.enter(1000, 4)
    for one in (ledger, Ledger(file)):
        assert one.window == 4
        assert known(one).keep() == Account(4).keep()


def test_end_in_good_order(file: int) -> None:
    """After it there is nothing to go on with, and nothing to complain of."""
    ledger = Ledger(file)
    ledger.enter(1000, 3)
    ledger.clear()
    after = Ledger(file)
    assert (after.first, after.window, after.problem) == (0, 0, "")


def test_what_was_not_done(file: int) -> None:
    """An intent is unfinished until it is done, or part of a later one."""
    first, second = Intent("a", 10, b"x"), Intent("b", 0, b"y")
    ledger = Ledger(file)
    ledger.intend([first])
    assert Ledger(file).unfinished == (first,)
    ledger.intend([first, second])
    assert Ledger(file).unfinished == (first, second)
    successor = Ledger(file)
    successor.done()
    assert Ledger(file).unfinished == ()


def test_bounded(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is told: the file is bounded and small while little is kept; the oldest
    accounts are forgotten first, an intent that is too large is not kept."""
    monkeypatch.setattr(ledger_module, "AREA", 64 * 1024)
    monkeypatch.setattr(ledger_module, "KEPT", 8 * 1024)
    ledger = Ledger(file)
    ledger.enter(1, 1)
    for _ in range(1000):
        ledger.note("10.0.0.1", account(1))
        ledger.intend([Intent("a", 0, bytes(100))])
        ledger.done()
    assert os.fstat(file).st_blocks * 512 <= 48 * 1024
    for number in range(1000):
        ledger.note(f"10.0.0.{number}", account(number))
        ledger.intend(())
    assert os.fstat(file).st_size <= 128 * 1024
    ledger.intend([Intent("a", 0, bytes(100_000))])
    after = Ledger(file)
    assert (after.problem, after.unfinished) == ("", ())
    assert known(after, "10.0.0.999").was_told(told(999))
    assert not known(after, "10.0.0.0").was_told(told(0))
    many = account(*range(60))
    for life in range(10):
        again = Account(1)
        again.restore(many.keep())
        for number in range(60):
            again.add(told(1000 * life + number))
        many = again
    assert len(many.keep().told) <= 17 * 256


def pages() -> bytes:
    """A file with something in it."""
    descriptor = os.memfd_create("told", os.MFD_CLOEXEC)
    ledger = Ledger(descriptor)
    ledger.enter(1000, 3)
    ledger.note("10.0.0.1", account(1, 2))
    ledger.intend([Intent("a", 10, b"x")])
    content = os.pread(descriptor, 2 * AREA, 0)
    os.close(descriptor)
    return content


PAGES = pages()
START = PAGES.rindex(b"\0" * 64) + 64  # roughly where its records are


@given(st.integers(-200, len(PAGES) - START - 1), st.binary(max_size=40))
def test_whatever_is_in_it(at: int, damage: bytes) -> None:
    """Any content is taken or refused with a line, and can be written to afterwards."""
    descriptor = os.memfd_create("told", os.MFD_CLOEXEC)
    try:
        os.pwrite(descriptor, PAGES, 0)
        os.pwrite(descriptor, damage, START + at)
        ledger = Ledger(descriptor)
        assert ledger.problem == "" or "may be told again" in ledger.problem
        ledger.enter(5, 1)
        ledger.note("10.0.0.1", account(7))
        ledger.intend([Intent("z", 0, b"z")])
        after = Ledger(descriptor)
        assert (after.problem, after.unfinished) == ("", (Intent("z", 0, b"z"),))
        assert known(after).was_told(told(7))
    finally:
        os.close(descriptor)


def is_sound(content: object) -> bool:
    """Whether it is a record without accounts."""
    match content:
        case [int(), int(window), [], []]:
            return window >= 0
    return False


def account_of(*fields: object) -> list[object]:
    """A record with an account of these fields in it."""
    return [1, 1, [msgpack.packb(["10.0.0.1", *fields])], []]


@given(st.recursive(st.none() | st.integers(-2, 2**40) | st.text() | st.binary(), st.lists))
@example([1, -1, [], []])
@example(["1", 1, [], []])
@example([1, 1, ["text"], []])
@example([1, 1, [], [["name", 0]]])
@example([1, 1, [], [["name", "0", b""]]])
@example(account_of(1, 2, [["A"]], b""))
@example(account_of(1, 2, [["A", 1]], b""))
@example(account_of(1.5, 2, [], b""))
@example(account_of(1, 2, [], b"", 3))
def test_hostile_records(content: object) -> None:
    """A record whose checksum is right and whose content is none is refused with a line."""
    assume(not is_sound(content))
    descriptor = os.memfd_create("told", os.MFD_CLOEXEC)
    try:
        ledger = Ledger(descriptor)
        body = msgpack.packb(content)
        ledger._body = lambda *_: body  # type: ignore[method-assign]
        ledger.enter(1, 1)
        assert "may be told again" in Ledger(descriptor).problem
        assert Ledger(descriptor).problem == ""
    finally:
        os.close(descriptor)


def test_full_file_system(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once; what is told meanwhile is kept as soon as there is room."""
    ledger = Ledger(file)
    ledger.enter(1, 1)
    write = os.pwrite

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    ledger.note("10.0.0.1", account(1))
    ledger.intend(())
    assert ledger.problem == "what is told cannot be kept: No space left on device"
    ledger.problem = ""
    ledger.note("10.0.0.2", account(2))
    ledger.intend(())
    assert ledger.problem == ""
    monkeypatch.setattr(os, "pwrite", write)
    ledger.note("10.0.0.3", account(3))
    ledger.intend(())
    after = Ledger(file)
    assert [known(after, f"10.0.0.{n}").was_told(told(n)) for n in (1, 2, 3)] == [True] * 3


class Killed(BaseException):
    """The process ended there."""


class Crashing:
    """Calls that write, of which the n-th is the last and does a part of its work only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, part: float) -> None:
        self._part = part
        self.left = 0
        self._real = {name: getattr(os, name) for name in ("write", "pwrite")}
        monkeypatch.setattr(os, "write", self._write)
        monkeypatch.setattr(os, "pwrite", self._pwrite)

    def _write(self, descriptor: int, data: bytes) -> int:
        return self._do("write", descriptor, data)

    def _pwrite(self, descriptor: int, data: bytes, at: int) -> int:
        return self._do("pwrite", descriptor, data, at)

    def _do(self, name: str, descriptor: int, data: bytes, *more: int) -> int:
        self.left -= 1
        if self.left == 0:
            self._real[name](descriptor, data[: int(len(data) * self._part)], *more)
            raise Killed
        return int(self._real[name](descriptor, data, *more))


def live(folder: Path, file: int, sent: list[Order]) -> None:
    """An engine's outputs: evidence, each time with a repeat, and an alert, unless told before."""
    files = file_outputs(str(folder), append=True)
    try:
        tell([Orders(sent.append, lambda _: False, 600), *files], Ledger(file))
    finally:  # killed at the latest here: what waits is lost
        for output in files:
            os.close(output._file)


def tell(outputs: Sequence[Output], ledger: Ledger) -> None:
    """That evidence, through outputs that are opened for it."""
    together = Outputs(lambda _: None, patient=True)
    together.open(outputs, ledger)
    ledger.enter(1, 3)
    continued = known(ledger)
    for number in range(4):
        evidence = told(number)
        if continued.was_told(evidence):
            continue
        continued.add(evidence)
        together.evidence(evidence)
        ledger.note("10.0.0.1", continued)
        if number == 2:
            together.alert(replace(ALERT, evidence=(evidence,)))
        together.flush()


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_killed_at_every_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: float
) -> None:
    """Whichever write is the last, however much of it was done: all is told, once, in each file;
    the order is sent at least once."""
    crashing = Crashing(monkeypatch, part)
    deaths = 0
    for last in range(1, 100):
        folder = tmp_path / str(last)
        folder.mkdir()
        file = os.memfd_create("told", os.MFD_CLOEXEC)
        sent: list[Order] = []
        crashing.left = last
        try:
            live(folder, file, sent)
        except Killed:
            deaths += 1
        crashing.left = 0
        live(folder, file, sent)
        os.close(file)
        check(folder)
        assert set(map(encode, sent)) == {encode(asked())}
        if deaths < last:
            break
    assert 15 < deaths < 99


def check(folder: Path) -> None:
    """Four evidence and an alert, in each of the files, once, in whole lines."""
    ids = [told(number).id for number in range(4)]
    evidence = [json.loads(line) for line in (folder / "evidence.jsonl").read_text().splitlines()]
    assert [line["id"] for line in evidence] == ids
    alerts = [json.loads(line) for line in (folder / "alerts.json").read_text().splitlines()]
    assert [line["ID"] for line in alerts] == [*ids[:3], ALERT.id, ids[3]]
    log = (folder / "alerts.log").read_text().splitlines()
    assert Counter("Alert in window" in line for line in log) == {False: 4, True: 1}
    assert len(log) == 5


def asked() -> Order:
    """What the alert asks for."""
    return order_of(told(2), "limit", 600, inside=False)
