"""A module's life: turns, messages, failures, restarts, ends."""

import re
from pathlib import Path
from typing import Any

import pytest

from hdr_lite.config import Config, SchedulerConfig
from hdr_lite.engine import seat as seat_module
from hdr_lite.engine.seat import State
from tests.hdr_lite.engine.fakes import Run, flow, modules_config, write_module


def run(directory: Path, flows: int = 10, step: float = 0.1, **more: Any) -> Run:
    return Run(directory, [flow(n * step, uid=f"C{n}") for n in range(flows)], **more)


def config(directory: Path, **scheduler: Any) -> Config:
    return Config(modules=modules_config(directory), scheduler=SchedulerConfig(**scheduler))


def logged(made: Run, name: str) -> list[str]:
    return [line.split(": ", 1)[1] for line in made.of("log") if line.startswith(f"{name}: ")]


def test_typed_module_is_called_with_messages_in_order(tmp_path: Path) -> None:
    """A method named after a channel is called with each message, at that message's time."""
    write_module(tmp_path, "mine", "def new_flow(self, f): self.print((f.uid, self.now() == f.ts))")
    made = run(tmp_path, 3)
    assert logged(made, "mine") == ["('C0', True)", "('C1', True)", "('C2', True)"]
    assert made.status == 0


def test_seed_style_module(tmp_path: Path) -> None:
    """main() is called again and again while get_msg has messages."""
    write_module(
        tmp_path,
        "seed",
        """
def init(self): self.c1 = self.subscribe("new_flow")
def main(self):
    if msg := self.get_msg("new_flow"):
        self.print(msg["channel"] + " " + msg["data"].uid)
""",
    )
    assert logged(run(tmp_path, 3), "seed") == ["new_flow C0", "new_flow C1", "new_flow C2"]


def test_main_that_takes_nothing_ends_its_turn(tmp_path: Path) -> None:
    """A main() that leaves its messages is not called without end, nor once they are ignored."""
    write_module(
        tmp_path,
        "lazy",
        """
def init(self): self.subscribe("new_flow"); self.calls = 0
def main(self): self.calls += 1
def shutdown_gracefully(self): self.print(self.calls)
""",
    )
    made = run(tmp_path, 600)
    assert int(logged(made, "lazy")[0]) <= 6
    assert made.status == 0


def test_true_value_ends_the_module(tmp_path: Path) -> None:
    """A true value of main() ends the module, with its shutdown_gracefully, and no error."""
    write_module(
        tmp_path,
        "short",
        """
def init(self): self.subscribe("new_flow")
def main(self): return self.get_msg("new_flow")["data"].uid == "C1"
def shutdown_gracefully(self): self.print("bye")
""",
    )
    made = run(tmp_path, 5)
    assert logged(made, "short") == ["bye"]
    facts = made.memory.facts["modules"]["short"]
    assert (facts["state"], facts["messages"], facts["failures"]) == ("finished", 2, 0)
    assert made.of("error") == []


def test_pre_main_can_end_the_module(tmp_path: Path) -> None:
    """A true value of pre_main() ends the module before any traffic."""
    write_module(
        tmp_path,
        "never",
        "def pre_main(self): return 1\ndef new_flow(self, f): self.print('called')",
    )
    made = run(tmp_path, 2)
    assert logged(made, "never") == []
    assert made.memory.facts["modules"]["never"]["state"] == "finished"


def test_generator_main_goes_on_in_later_turns(tmp_path: Path) -> None:
    """A main() that yields keeps its place; its return value ends the module."""
    write_module(
        tmp_path,
        "steps",
        """
def init(self): self.subscribe("new_flow")
def main(self):
    total = 0
    while total < 3:
        if self.get_msg("new_flow"):
            total += 1
            self.print(total)
        yield
    return True
""",
    )
    made = run(tmp_path, 10)
    assert logged(made, "steps") == ["1", "2", "3"]
    assert made.memory.facts["modules"]["steps"]["state"] == "finished"


def test_endless_generator_waits_for_messages(tmp_path: Path) -> None:
    """A generator that yields without end sleeps when it takes no messages."""
    write_module(
        tmp_path,
        "forever",
        """
def init(self): self.subscribe("new_flow")
def main(self):
    while True:
        if msg := self.get_msg("new_flow"):
            self.print(msg["data"].uid)
        yield
""",
    )
    assert len(logged(run(tmp_path, 300), "forever")) == min(300, seat_module.MOST_LINES + 44)


@pytest.mark.parametrize("replay", [True, False])
@pytest.mark.parametrize("bad", ["raise ValueError('no')", "import sys; sys.exit(4)", "1 / 0"])
def test_exception_never_reaches_another_module(tmp_path: Path, bad: str, replay: bool) -> None:
    """A module that raises does not keep another one from any message."""
    write_module(tmp_path, "a_bad", f"def new_flow(self, f): {bad}")
    write_module(tmp_path, "b_good", "def new_flow(self, f): pass")
    made = run(tmp_path, 100, replay=replay)
    assert made.status == 0
    assert made.memory.facts["modules"]["b_good"]["messages"] == 100
    errors = made.of("error")
    assert len(errors) == 1
    assert errors[0].startswith("a_bad: ")
    assert "(a_bad.py:6); starts again in 1 s" in errors[0]


def test_failed_module_starts_again_after_a_while(tmp_path: Path) -> None:
    """A fresh instance takes over when the back-off, in traffic time, is over."""
    write_module(
        tmp_path,
        "mine",
        """
def init(self): self.count = 0
def new_flow(self, f):
    self.count += 1
    if f.uid == "C5": raise ValueError
def shutdown_gracefully(self): self.print(self.count)
""",
    )
    made = run(tmp_path, 1024, step=2.0)
    facts = made.memory.facts["modules"]["mine"]
    assert (facts["failures"], facts["restarts"], facts["state"]) == (1, 1, "stopped")
    assert logged(made, "engine")[1:] == ["mine: started again"]
    assert logged(made, "mine")[-1] == str(1024 - 256)  # the round of the failure is lost to it


def test_module_is_retired(tmp_path: Path) -> None:
    """After so many failures no instance is made any more; each failure is one line."""
    write_module(tmp_path, "bad", "def new_flow(self, f): raise ValueError('again')")
    made = run(tmp_path, 256 * 8, step=1.0, config=config(tmp_path, failures=3))
    errors = made.of("error")
    assert [line.rpartition("; ")[2] for line in errors] == [
        "starts again in 1 s",
        "starts again in 2 s",
        "retired after 3 failures",
    ]
    assert made.memory.facts["modules"]["bad"]["state"] == "retired"


def test_endless_loop_is_interrupted_live(tmp_path: Path) -> None:
    """An endless loop costs its module the turn and the others nothing."""
    write_module(tmp_path, "a_loop", "def new_flow(self, f):\n    while True: pass")
    write_module(tmp_path, "b_good", "def new_flow(self, f): pass")
    made = run(tmp_path, 50, replay=False, config=config(tmp_path, quantum=0.005))
    assert made.status == 0
    assert made.memory.facts["modules"]["b_good"]["messages"] == 50
    (error,) = made.of("error")
    assert error.startswith("a_loop: interrupted: its turn took more than")
    assert made.memory.facts["run"]["modules"]["a_loop"]["overruns"] == 1


def test_endless_loop_fails_a_replay(tmp_path: Path) -> None:
    """In replay an overrun fails the run with a sentence that names the module."""
    write_module(tmp_path, "a_loop", "def new_flow(self, f):\n    while True: pass")
    made = run(tmp_path, 5, deadline=0.1)
    assert made.status == 1
    assert any(line.startswith("module a_loop: interrupted") for line in made.of("error"))
    assert made.memory.closed


def test_flood_of_findings_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a module reports beyond the bound of a round is counted and left out."""
    monkeypatch.setattr(seat_module, "MOST_REPORTS", 100)
    write_module(
        tmp_path,
        "flood",
        """
def new_flow(self, f):
    for n in range(1000):
        self.set_evidence("X", family="anomaly", attacker=f.saddr, threat_level=ThreatLevel.LOW,
                          confidence=0.1, description="d", port=n)
""",
    )
    made = run(tmp_path, 2)
    facts = made.memory.facts["modules"]["flood"]
    assert facts["findings"] == 100
    assert facts["left_out"] == 1900


def test_flood_of_lines_is_bounded(tmp_path: Path) -> None:
    """What a module prints beyond the bound of a round is counted and left out."""
    write_module(
        tmp_path, "chatty", "def new_flow(self, f):\n    for n in range(1000): self.print(n)"
    )
    made = run(tmp_path, 2)
    assert len(logged(made, "chatty")) == seat_module.MOST_LINES
    assert made.memory.facts["modules"]["chatty"]["left_out"] == 2000 - seat_module.MOST_LINES


def test_flood_of_messages_is_bounded(tmp_path: Path) -> None:
    """A module that publishes without measure fills the reader's queue, not memory."""
    write_module(
        tmp_path,
        "a_flood",
        "def new_flow(self, f):\n    for n in range(100): self.publish('new_alert', n)",
    )
    write_module(tmp_path, "b_reads", "def new_alert(self, a): pass")
    made = run(tmp_path, 10, config=config(tmp_path, queue=50))
    facts = made.memory.facts["modules"]["b_reads"]
    assert (facts["messages"], facts["dropped"]) == (50, 950)


def test_modules_speak_to_each_other(tmp_path: Path) -> None:
    """What one publishes another one reads, in the same round."""
    write_module(tmp_path, "a_asks", "def new_flow(self, f): self.publish('new_alert', f.uid)")
    write_module(
        tmp_path,
        "b_answers",
        "def new_alert(self, a): self.print(a); self.publish('tw_modified', a + '!')",
    )
    write_module(tmp_path, "c_hears", "def tw_modified(self, m): self.print(m)")
    made = run(tmp_path, 2)
    assert logged(made, "b_answers") == ["C0", "C1"]
    assert [line for line in logged(made, "c_hears") if line.startswith("C")] == ["C0!", "C1!"]


def test_stop_message_and_finished_modules(tmp_path: Path) -> None:
    """At the end modules are told to stop, shut down once, and their names are published once."""
    write_module(
        tmp_path,
        "a_seed",
        """
def init(self): self.subscribe("control_module")
def main(self): self.print(self.get_msg("control_module")["data"])
def shutdown_gracefully(self): self.publish("finished_modules", self.name)
""",
    )
    write_module(tmp_path, "b_other", "")
    made = run(tmp_path, 2)
    assert logged(made, "a_seed") == ["stop_message"]
    states = {n: m["state"] for n, m in made.memory.facts["modules"].items()}
    assert states == {"a_seed": "stopped", "b_other": "stopped"}


def test_finished_modules_are_told(tmp_path: Path) -> None:
    """Whoever listens hears of a module that ended, whether or not that said so itself."""
    write_module(
        tmp_path,
        "a_says",
        "def pre_main(self): return 1\n"
        "def shutdown_gracefully(self): self.publish('finished_modules', self.name)",
    )
    write_module(tmp_path, "b_silent", "def pre_main(self): return 1")
    write_module(tmp_path, "c_hears", "def finished_modules(self, name): self.print(name)")
    assert logged(run(tmp_path, 1), "c_hears") == ["a_says", "b_silent"]


def test_failing_shutdown(tmp_path: Path) -> None:
    """A module that raises while it shuts down leaves a line and harms nobody."""
    write_module(tmp_path, "bad", "def shutdown_gracefully(self): raise KeyError('k')")
    made = run(tmp_path, 1)
    (error,) = made.of("error")
    assert error.startswith("bad: KeyError: 'k'")
    assert error.endswith("while it shut down")
    assert made.status == 0


def test_failing_init(tmp_path: Path) -> None:
    """A module whose init raises is not started; the reason is a line, the others run."""
    write_module(tmp_path, "bad", "def init(self): self.subscribe('new_flwo')")
    write_module(tmp_path, "good", "def new_flow(self, f): pass")
    made = run(tmp_path, 3)
    (error,) = made.of("error")
    assert error.startswith("bad: not started: UnknownChannel: unknown channel 'new_flwo'")
    assert made.memory.facts["modules"]["good"]["messages"] == 3
    assert "bad" not in made.memory.facts["modules"]


def test_failing_again_on_restart(tmp_path: Path) -> None:
    """A fresh instance that fails in init counts as a failure and is tried again later."""
    write_module(
        tmp_path,
        "bad",
        "made = []\n"
        "def init(self):\n"
        "    self.made.append(1)\n"
        "    if len(self.made) > 1: raise OSError('gone')\n"
        "def new_flow(self, f): raise ValueError",
    )
    made = run(tmp_path, 256 * 6, step=1.0, config=config(tmp_path, failures=3))
    assert made.memory.facts["modules"]["bad"]["state"] == "retired"
    assert [line.split(" (")[0] for line in made.of("error")] == [
        "bad: ValueError",
        "bad: OSError: gone",
        "bad: OSError: gone",
    ]


def test_improper_evidence_is_the_modules_failure(tmp_path: Path) -> None:
    """A finding without a proper family fails the module that set it."""
    write_module(
        tmp_path,
        "bad",
        """
def new_flow(self, f):
    self.set_evidence("X", family="weather", attacker=f.saddr,
                      threat_level=ThreatLevel.LOW, confidence=1, description="d")
""",
    )
    (error,) = run(tmp_path, 1).of("error")
    assert "ValueError: evidence X: there is no family 'weather' (" in error
    assert "starts again" in error


@pytest.mark.parametrize("replay", [True, False])
def test_past_its_budget_a_module_gets_a_memory_error(tmp_path: Path, replay: bool) -> None:
    """A module that keeps everything fails at its budget; the others and the engine do not."""
    write_module(
        tmp_path,
        "a_keeps",
        "def init(self): self.kept = []\n"
        "def new_flow(self, f): self.kept.append('x' * 20_000 + f.uid)",
    )
    write_module(tmp_path, "b_good", "def new_flow(self, f): pass")
    made = run(tmp_path, 500, step=1.0, replay=replay)
    facts = made.memory.facts
    assert made.status == 0
    assert facts["modules"]["b_good"]["messages"] == 500
    error = made.of("error")[0]
    assert error.startswith("a_keeps: MemoryError (a_keeps.py:7): past 262144 bytes; starts again")
    costs = facts["run"]["modules"]
    assert 250_000 < costs["a_keeps"]["peak_memory"] <= 262144 + seat_module.SLACK
    assert costs["b_good"]["peak_memory"] < 50_000


def test_holding_more_than_the_budget_between_turns(tmp_path: Path) -> None:
    """Between budget and hard limit a module fails when its turn is over, with the figures."""
    write_module(
        tmp_path, "keeps", "def new_flow(self, f): self.kept = [f.uid * 500 for _ in range(300)]"
    )
    (error,) = run(tmp_path, 1).of("error")
    assert re.match(r"keeps: it holds 4\d{5} bytes, its budget is 262144; starts again", error)


def test_memory_that_was_given_back_is_not_held_against_it(tmp_path: Path) -> None:
    """A module may use more in a turn than it holds afterwards, even in circles."""
    write_module(
        tmp_path,
        "circles",
        """
def new_flow(self, f):
    for _ in range(500):
        circle = ["x" * 500]
        circle.append(circle)
""",
    )
    made = run(tmp_path, 100, sizes=iter([1] * 200), replay=False)
    assert made.of("error") == []


def test_a_fresh_instance_has_its_budget_anew(tmp_path: Path) -> None:
    """What a failed instance held is refunded before the next one starts."""
    write_module(
        tmp_path,
        "keeps",
        "def init(self): self.kept = []; self.me = self\n"
        "def new_flow(self, f):\n"
        "    self.kept.append('x' * 150_000)\n"
        "    if f.uid == 'C1': raise ValueError",
    )
    made = run(tmp_path, 257, step=1.0)
    assert len(made.of("error")) == 1
    assert made.memory.facts["modules"]["keeps"]["restarts"] == 1


def test_evidence_is_not_held_against_the_module(tmp_path: Path) -> None:
    """What the engine keeps of a module's findings is the engine's memory."""
    write_module(
        tmp_path,
        "finds",
        """
def new_flow(self, f):
    self.set_evidence("X", family="anomaly", attacker=f"10.{len(f.uid)}.0.{hash(f.uid) % 200}",
        threat_level=ThreatLevel.LOW, confidence=0.1, description=f.uid * 200,
        victim=f.uid + "." * 200)
    self.print(f.uid * 50)
""",
    )
    made = run(tmp_path, 1000)
    assert len(made.of("evidence")) > 900
    assert made.memory.facts["run"]["modules"]["finds"]["memory"] < 100_000


def test_what_is_remembered_of_addresses_is_the_engines(tmp_path: Path) -> None:
    """Asking whether addresses are inside costs a module nothing, however many it asks about."""
    write_module(
        tmp_path,
        "asks",
        "def new_flow(self, f):\n"
        "    for n in range(100): self.is_inside(f'10.{len(f.uid)}.{n}.{f.sport}')",
    )
    flows = [flow(n, sport=n % 250) for n in range(100)]
    facts = Run(tmp_path, flows).memory.facts
    assert facts["run"]["modules"]["asks"]["memory"] < 50_000


def test_window_of_a_time(tmp_path: Path) -> None:
    """A module can ask which window holds a time."""
    write_module(tmp_path, "mine", "def new_flow(self, f): self.print(self._context.window(f.ts))")
    made = run(tmp_path, 3, step=3600.0)
    assert logged(made, "mine") == ["1", "2", "3"]


def test_states_have_names() -> None:
    """summary.json spells a state in lower case."""
    names = {state.name.lower() for state in State}
    assert names == {"running", "waiting", "finished", "retired", "stopped"}
