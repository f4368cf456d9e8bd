"""The simulated devices: what they send is whole, and they behave as devices do."""

import asyncio
import json
import zlib
from pathlib import Path

import msgpack
import pytest

from hdr_lite.collector import load
from hdr_lite.collector.load import Identity, Outcome, Sending, batches, enrol, run
from hdr_lite.collector.reading import read_report
from hdr_lite.collector.sqlite import SqliteStore
from hdr_lite.collector.store import AlertFilter
from tests.fleet.process import Process


def test_batches_hold_what_a_collector_reads() -> None:
    """All numbers once, and alerts that are well formed."""
    sent = list(batches("d" * 32, 25, 10))
    assert [(each.first, each.next) for each in sent] == [(1, 11), (11, 21), (21, 26)]
    body = msgpack.unpackb(zlib.decompress(sent[2].body))
    assert [number for number, _ in body["alerts"]] == [21, 22, 23, 24, 25]
    report = read_report(msgpack.packb(body["alerts"][0][1]))
    assert report.alert.ID.endswith("-21")


def test_quantiles() -> None:
    """Of the times, in ms."""
    outcome = Outcome(times=[n / 1000 for n in range(100, 0, -1)])
    assert (outcome.quantile(0.5), outcome.quantile(0.99)) == (51.0, 100.0)
    assert Outcome().quantile(0.5) == 0.0


def test_a_collector_takes_all_of_it(tmp_path: Path) -> None:
    """Several devices at once; a second run of the same is known."""
    server = Process(
        tmp_path / "log", "serve", "--plain", "--data", str(tmp_path / "data"),
        "--listen", "127.0.0.1:0",
    )  # fmt: skip
    server.start()

    async def work() -> None:
        store = SqliteStore(tmp_path / "data/collector.db")
        await store.open()
        devices = await enrol(store, 3)
        todo = [(each, list(batches(each.id, 20, 7))) for each in devices]
        for _ in range(2):
            outcome = Outcome()
            await run([f"http://127.0.0.1:{server.port}"], todo, None, outcome)
            assert (outcome.alerts, len(outcome.times)) == (60, 9)
            assert 0 < outcome.quantile(0.5) <= outcome.quantile(0.99)
        assert len((await store.alerts(AlertFilter(), limit=100)).items) == 60
        await store.close()

    try:
        asyncio.run(work())
    finally:
        server.stop()


class _Answers:
    """A server of fixed answers; None closes the connection instead."""

    def __init__(self, *answers: tuple[int, int] | None) -> None:
        self.asked: list[int] = []
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self._answers:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            await reader.readexactly(length)
            self.asked.append(int(head.partition("hdr-first: ")[2].partition("\r\n")[0]))
            answer = self._answers.pop(0)
            if answer is None:
                break
            status, after = answer
            body = msgpack.packb({"next": after})
            head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
        writer.close()


def _send(*answers: tuple[int, int] | None) -> tuple[list[int], Outcome]:
    """Three batches of one alert each."""
    server, outcome = _Answers(*answers), Outcome()
    sendings = [Sending(n, n + 1, b"body") for n in (1, 2, 3)]

    async def work() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        todo = [(Identity("d" * 32, b"s"), sendings)]
        try:
            await run([f"http://127.0.0.1:{port}"], todo, None, outcome)
        finally:
            listening.close()
            await asyncio.sleep(0.05)  # for the connections to end

    asyncio.run(work())
    return server.asked, outcome


def test_what_was_not_answered_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that broke, and a collector that is busy."""
    monkeypatch.setattr(load, "_PAUSE", 0.01)
    asked, outcome = _send((200, 2), None, (503, 0), (200, 3), (200, 4))
    assert asked == [1, 2, 2, 2, 3]
    assert (outcome.alerts, outcome.again) == (3, 2)


def test_a_gap_is_filled() -> None:
    """From the number that the collector wants."""
    asked, outcome = _send((200, 2), (200, 3), (409, 1), (200, 2), (200, 3), (200, 4))
    assert asked == [1, 2, 3, 1, 2, 3]
    assert outcome.alerts == 3


def test_a_refusal_ends_it() -> None:
    """It is a mistake in the test, not a figure."""
    with pytest.raises(ExceptionGroup) as caught:
        _send((401, 0))
    assert "401" in json.dumps([str(error) for error in caught.value.exceptions])
