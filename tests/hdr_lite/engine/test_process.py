"""The loop: the same records give the same output, however they arrive."""

import json
import os
import threading
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hdr_lite import __version__
from hdr_lite.config import Config, DetectionConfig, OutputConfig, flatten
from hdr_lite.engine.process import ROUND, Engine
from hdr_lite.link.codec import Answer, Digest, Done, Failed, Finish, Notice, Reload, Request
from hdr_lite.outputs import file_outputs
from hdr_lite.records.flow import Stats
from hdr_lite.records.kind import Kind
from hdr_lite.ring import RingReader, RingWriter, create_ring
from hdr_lite.ring.codec import encode
from tests.hdr_lite.engine.fakes import (
    FakeLink,
    FakeReader,
    Memory,
    Run,
    deliveries,
    flow,
    modules_config,
    write_module,
)

SCAN = """
def init(self): self.seen = BoundedTable(64, lambda: [0])
def new_flow(self, f):
    count = self.seen.use(f.saddr)
    count[0] += 1
    if count[0] % 3 == 0:
        self.set_evidence("HORIZONTAL_PORT_SCAN", attacker=f.saddr, victim=f.daddr,
            threat_level=ThreatLevel.HIGH, confidence=0.9, description=f"{count[0]} flows",
            port=count[0] % 5, blocking=count[0] % 11 == 0, uids=(f.uid,), ts=f.ts)
"""
ECHO = """
def evidence_added(self, e):
    if e.finding.type == "HORIZONTAL_PORT_SCAN":
        self.set_evidence("Echo", family="anomaly", attacker=e.finding.attacker,
            threat_level=ThreatLevel.LOW, confidence=0.5, description=e.id, port=e.finding.port)
def tw_closed(self, m): self.print(m)
"""
FAILS = """
def new_flow(self, f):
    if f.uid.endswith("77"): raise ValueError(f.uid)
"""


def traffic(seed: int, count: int = 1500) -> list[Any]:
    random = Random(seed)
    at, flows = 0.0, []
    for n in range(count):
        at += random.random() * 20
        host = f"10.0.0.{random.randrange(1, 9)}"
        flows.append(flow(at, saddr=host, daddr=f"8.8.{n % 7}.{n % 50}", uid=f"C{n}"))
    return flows


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A directory with modules that find, that react to findings, and that fail."""
    folder = tmp_path / "modules"
    folder.mkdir()
    write_module(folder, "a_echo", ECHO)
    write_module(folder, "b_scan", SCAN)
    write_module(folder, "c_fails", FAILS)
    return folder


def sizes(seed: int) -> Iterator[int]:
    random = Random(seed)
    while True:
        yield random.choice((1, 2, 3, 50, 255, 256))


def files(folder: Path) -> dict[str, bytes]:
    made = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    made["summary.json"] = made["summary.json"].split(b'"run"')[0]
    return made


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_batches_do_not_show(modules: Path, tmp_path: Path, seed: int) -> None:
    """However records arrive together, the files hold the same bytes."""
    outcomes = []
    for name, batch in (("whole", None), ("random", sizes(seed))):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        run = Run(modules, traffic(seed), sizes=batch, outputs=file_outputs(str(folder)))
        assert run.status == 0
        outcomes.append(files(folder))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]["alerts.log"].count(b"Alert in window") > 5
    assert b'"type": "Echo"' in outcomes[0]["evidence.jsonl"]


def test_windows_close_between_records(tmp_path: Path) -> None:
    """A window closes before the first record of the next one is read, wherever that stands."""
    write_module(
        tmp_path,
        "mine",
        "def new_flow(self, f): self.print(f.uid)\n"
        "def tw_closed(self, m): self.print(f'closed {m.window}')",
    )
    config = Config(modules=modules_config(tmp_path), detection=DetectionConfig(window=10.0))
    run = Run(tmp_path, [flow(n * 4, uid=f"C{n}") for n in range(5)], config=config)
    lines = [line.split(": ")[1] for line in run.of("log") if line.startswith("mine")]
    assert lines == ["C0", "C1", "C2", "closed 1", "C3", "C4", "closed 2"]


def test_traffic_channels(tmp_path: Path) -> None:
    """new_ip, new_profile and tw_modified tell of traffic; connections are asked for them."""
    write_module(
        tmp_path,
        "mine",
        "def new_ip(self, m): self.print(f'ip {m.address}')\n"
        "def new_profile(self, m): self.print(f'profile {m.address}')\n"
        "def tw_modified(self, m): self.print(f'window {m.profile}')",
    )
    run = Run(tmp_path, [flow(0), flow(1), flow(2, daddr="8.8.8.8")])
    assert Kind.CONN in run.engine.kinds
    lines = [line.split(": ")[1] for line in run.of("log") if line.startswith("mine")]
    assert sorted(lines) == [
        "ip 10.0.0.1",
        "ip 10.0.0.2",
        "ip 8.8.8.8",
        "profile 10.0.0.1",
        "window 10.0.0.1",
    ]


def test_wanted_is_what_is_read(tmp_path: Path) -> None:
    """The sensor is asked for what modules and outputs read, and always for time and counters."""
    write_module(tmp_path, "mine", "def new_arp(self, m): pass")
    config = Config(modules=modules_config(tmp_path))
    assert Engine(config, replay=True).kinds == (Kind.ARP, Kind.CLOCK, Kind.STATS)
    flows = Config(modules=modules_config(tmp_path), output=OutputConfig(flows=True))
    engine = Engine(flows, replay=True)
    assert engine.kinds == (Kind.FLOW, Kind.FOLDED_FLOW, Kind.ARP, Kind.CLOCK, Kind.STATS)
    assert engine.wanted == sum(1 << kind for kind in engine.kinds)
    assert engine.channels() == {"mine": ["new_arp"]}


def test_flows_go_to_outputs_that_want_them(tmp_path: Path) -> None:
    """Flows are given to outputs in their order."""
    wanting = Memory(wants_flows=True)
    run = Run(tmp_path, [flow(n, uid=f"C{n}") for n in range(300)], outputs=[wanting])
    assert [f.uid for f in wanting.of("flow")] == [f"C{n}" for n in range(300)]
    assert run.status == 0


def test_summary_and_done(modules: Path) -> None:
    """The summary has the sensor's counters, the digest and ours; the parent is told the end."""
    run = Run(modules, traffic(1, 500))
    facts = run.memory.facts
    assert facts["input"] == {"sha256": "d1ge57", "complete": True}
    assert facts["sensor"]["packets"] == 500
    assert facts["malformed"] == {"ipv4.truncated": 2}
    assert facts["records"] == {"flow": 500, "stats": 1}
    (done,) = run.link.of(Done)
    counted = sum(n for levels in facts["evidence"].values() for n in levels.values())
    assert done == Done(500, 500, counted, facts["alerts"])
    assert counted == len(run.of("evidence"))
    assert facts["alerts"] == len(run.of("alert"))
    assert facts["run"]["wall_seconds"] > 0
    assert run.reader.committed == 501


def test_errors_are_told_to_the_person(modules: Path) -> None:
    """Each line of errors.log is shown at the terminal as well."""
    quiet = Config(modules=modules_config(modules), output=OutputConfig(verbose=0))
    run = Run(modules, traffic(1, 300), config=quiet)
    assert [notice.text for notice in run.link.of(Notice)] == run.of("error")
    assert run.of("error")
    assert not run.of("log")


def test_problems_of_the_configuration_are_told(tmp_path: Path) -> None:
    """What is wrong before there are outputs is written once there are."""
    config = Config(modules=modules_config(tmp_path / "absent", options={"nobody": {}}))
    run = Run(tmp_path, [flow(0)], config=config)
    assert len(run.of("error")) == 2
    assert "there is no such directory" in run.of("error")[0]
    assert run.of("error")[1].startswith("nobody: there is no such module")
    assert [notice.text for notice in run.link.of(Notice)] == run.of("error")


def _told(directory: Path, **levels: int) -> tuple[list[str], list[str]]:
    """Lines of hdr-lite.log and of the terminal at these levels, errors apart."""
    config = Config(modules=modules_config(directory), output=OutputConfig(**levels))
    run = Run(directory, [flow(0), flow(1)], config=config)
    notices = [notice.text for notice in run.link.of(Notice)]
    return run.of("log"), [text for text in notices if text not in run.of("error")]


def test_verbosity(tmp_path: Path) -> None:
    """Each level of -v tells more; the engine's own lines are at the terminal from 2 on."""
    write_module(tmp_path, "says", "def new_flow(self, f): self.print(f.saddr)")
    start = f"engine: HDR-lite {__version__} runs says"
    said = ["says: 10.0.0.1", "says: 10.0.0.1"]
    closed = "engine: window 1 is closed: 0 evidence and 0 alerts so far"
    assert _told(tmp_path, verbose=0) == ([], [])
    assert _told(tmp_path, verbose=1) == ([start, *said], said)
    assert _told(tmp_path, verbose=2) == ([start, *said], [start, *said])
    assert _told(tmp_path, verbose=3) == ([start, *said, closed], [start, *said, closed])


def test_debug_levels(tmp_path: Path) -> None:
    """Each level of -e tells more of errors: tracebacks, malformed and lost, figures."""
    write_module(tmp_path, "fails", "def new_flow(self, f): 1 / 0")
    log, shown = _told(tmp_path, verbose=0, debug=1)
    assert log == shown
    assert log[-1] == "fails: ZeroDivisionError: division by zero"
    second, _ = _told(tmp_path, verbose=0, debug=2)
    lost = ["engine: malformed packets: 2 of ipv4.truncated", "engine: lost: 3 of dropped.DNS"]
    assert second == [*log, *lost]
    third, _ = _told(tmp_path, verbose=0, debug=3)
    assert third[:-1] == second
    assert third[-1].startswith("engine: fails took 1 turns, 1 messages, ")


def test_full_disk_is_status_1(tmp_path: Path) -> None:
    """An output that cannot be written ends the run with status 1 and one sentence."""

    class Full(Memory):
        name = "/out/alerts.log"

        def open(self) -> None:
            raise OSError(28, "No space left on device")

    run = Run(tmp_path, [flow(0)], outputs=[Full()])
    assert run.status == 1
    texts = [notice.text for notice in run.link.of(Notice)]
    assert texts == ["cannot write /out/alerts.log: No space left on device"]
    assert run.memory.facts["records"]["flow"] == 1


def test_overrun_in_replay_tells_the_parent(tmp_path: Path) -> None:
    """A replay that fails says so by status and by message."""
    write_module(tmp_path, "loop", "def new_flow(self, f):\n    while True: pass")
    run = Run(tmp_path, [flow(0)], deadline=0.05)
    assert run.status == 1
    (failed,) = run.link.of(Failed)
    assert failed.text.startswith("module loop: interrupted: its turn took more than 0.05 s")
    assert failed.status == 1


def test_dead_sensor(tmp_path: Path) -> None:
    """When the sensor is gone what had arrived is reported, and that it was not all."""
    write_module(tmp_path, "mine", "def new_flow(self, f): pass")
    for replay in (True, False):
        engine = Engine(Config(modules=modules_config(tmp_path)), replay=replay)
        memory = create_ring(1 << 18)
        writer, reader = RingWriter(memory), RingReader(memory, engine.kinds)
        for n in range(3):
            writer.put(Kind.FLOW, flow(n).ts, encode(flow(n)))
        link = FakeLink([Finish("the sensor was ended by SIGKILL"), Digest("d")])
        output = Memory()
        engine.run(reader, [output], link)
        link.close()
        memory.close()
        assert output.facts["records"] == {"flow": 3}
        assert output.facts["input"]["complete"] is False
        assert output.of("error") == [
            "engine: the sensor was ended by SIGKILL: only what had arrived is reported"
        ]


def test_live_wakes_up_at_once_and_sleeps_without_cpu(tmp_path: Path) -> None:
    """An idle engine uses no CPU; a record reaches a module within a few milliseconds."""
    write_module(
        tmp_path,
        "mine",
        "def new_flow(self, f): self.print(time.monotonic_ns())",
        head="import time",
    )
    engine = Engine(Config(modules=modules_config(tmp_path)), replay=False)
    memory = create_ring(1 << 18)
    writer, reader = RingWriter(memory), RingReader(memory, engine.kinds)
    sent: list[int] = []
    idle: list[float] = []

    def feed() -> None:
        time.sleep(0.2)
        before = time.process_time()
        time.sleep(0.5)
        idle.append(time.process_time() - before)
        for n in range(20):
            time.sleep(0.01)
            sent.append(time.monotonic_ns())
            writer.put(Kind.FLOW, flow(n).ts, encode(flow(n)))
            writer.notify()
        writer.put(Kind.STATS, flow(20).ts, encode(Stats(True, {}, {}, [])))
        writer.notify()

    link, output = FakeLink([]), Memory()
    os.read(link.fileno(), 1)
    thread = threading.Thread(target=feed)
    thread.start()
    status = engine.run(reader, [output], link)
    thread.join()
    link.close()
    memory.close()
    assert status == 0
    woken = [int(line.split(": ")[1]) for line in output.of("log") if line.startswith("mine")]
    delays = sorted(b - a for a, b in zip(sent, woken, strict=True))
    assert delays[len(delays) // 2] < 5_000_000
    assert idle[0] < 0.05


def test_live_backlog_is_served_without_new_records(tmp_path: Path) -> None:
    """What a module had no time for is served though nothing more arrives."""
    write_module(
        tmp_path,
        "slow",
        "def new_flow(self, f):\n"
        "    end = time.thread_time() + 0.002\n"
        "    while time.thread_time() < end: pass",
        head="import time",
    )
    run = Run(tmp_path, [flow(n) for n in range(60)], replay=False)
    facts = run.memory.facts
    assert facts["modules"]["slow"]["messages"] == 60
    assert facts["run"]["modules"]["slow"]["turns"] > 2


def test_rounds_end_at_fixed_numbers(tmp_path: Path) -> None:
    """In replay a round ends at multiples of its size, though reading starts anywhere."""
    write_module(tmp_path, "mine", "def new_flow(self, f): pass")
    engine = Engine(Config(modules=modules_config(tmp_path)), replay=True)
    records = deliveries([flow(n) for n in range(ROUND * 2)], first=100)
    link, output, reader = FakeLink(), Memory(), FakeReader(records)
    engine.run(reader, [output], link)
    link.close()
    reader.close()
    assert output.facts["run"]["modules"]["mine"]["turns"] == 3


class _LateLink(FakeLink):
    """Has its messages to give one at a time, each after another round."""

    def receive(self) -> Iterator[Any]:
        return iter([self._waiting.pop(0)] if self._waiting else [])


def _live(folder: Path, messages: list[Any], count: int = 20) -> tuple[_LateLink, Memory]:
    """A live engine that reads flows, one a round, and meanwhile hears the messages."""
    engine = Engine(Config(modules=modules_config(folder)), replay=False)
    reader = FakeReader(deliveries([flow(n) for n in range(count)]), repeat(1))
    link, output = _LateLink(messages), Memory()
    engine.run(reader, [output], link)
    link.close()
    reader.close()
    return link, output


def test_figures_are_told_under_load(tmp_path: Path) -> None:
    """A request is answered between rounds, though there is always more to read."""
    write_module(tmp_path, "mine", "def new_flow(self, f): pass")
    ask = Request(7, '{"verb": "figures", "memory": true}')
    link, _ = _live(tmp_path, [ask])
    (answer,) = link.of(Answer)
    figures = json.loads(answer.text)
    assert answer.number == 7
    assert 0 < figures["records"]["flow"] < 20
    assert figures["modules"]["mine"]["state"] == "running"
    assert figures["memory"] > 1 << 20
    assert figures["ring"] == {"used": 0, "capacity": 1 << 18}


def test_notice_goes_to_errors(tmp_path: Path) -> None:
    """What the supervisor has to tell stands in errors.log."""
    _, output = _live(tmp_path, [Notice("the sensor was ended by SIGKILL")])
    assert ("error", "the sensor was ended by SIGKILL") in output.lines


def test_reload_in_place(tmp_path: Path) -> None:
    """A module is switched off, another starts anew with its option; a third notices nothing."""
    count = """
def init(self): self.count = 0
def new_flow(self, f):
    self.count += 1
    self.print(f"{self.name} {self.count}")
"""
    write_module(tmp_path, "a_stays", count)
    write_module(tmp_path, "b_ends", count)
    config = Config(modules=modules_config(tmp_path, disable=("b_ends",)))
    _, output = _live(tmp_path, [Reload(json.dumps(flatten(config)))])
    logs = [text for kind, text in output.lines if kind == "log"]
    assert "a_stays: a_stays 20" in logs
    assert any(text.startswith("b_ends: b_ends") for text in logs)
    assert "b_ends: b_ends 20" not in logs
    assert any("new settings; b_ends ended" in text for text in logs)


def test_reload_of_the_threshold(tmp_path: Path) -> None:
    """From a reload on the new threshold holds, for evidence that was there before, too."""
    body = """
def init(self): self.count = 0
def new_flow(self, f):
    self.count += 1
    self.set_evidence("Slow", family="anomaly", attacker=f.saddr,
        threat_level=ThreatLevel.LOW, confidence=1.0, description="slow", port=self.count)
"""
    write_module(tmp_path, "mine", body)
    config = Config(modules=modules_config(tmp_path), detection=DetectionConfig(threshold=1.0))
    _, before = _live(tmp_path, [])
    assert not [text for kind, text in before.lines if kind == "alert"]
    _, after = _live(tmp_path, [Reload(json.dumps(flatten(config)))])
    assert [text for kind, text in after.lines if kind == "alert"]


@pytest.mark.parametrize("settings", ["[", '{"no.such": 1}', '{"ring.size": 7}'])
def test_reload_of_nonsense(tmp_path: Path, settings: str) -> None:
    """Settings that are none change nothing and are told."""
    link, output = _live(tmp_path, [Reload(settings)])
    assert any("the new settings were not taken" in notice.text for notice in link.of(Notice))
    assert any("not taken" in text for kind, text in output.lines if kind == "error")
