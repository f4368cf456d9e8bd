"""The enforcer object on real tables in a namespace: facts, clock and cutter are the test's."""

import os
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from hdr_lite.config import Config, UserError
from hdr_lite.enforcer.enforcer import WRITTEN_A_DAY, Enforcer, state_path
from hdr_lite.enforcer.interfaces import Interfaces, open_files
from hdr_lite.enforcer.never_block import Connected, Facts
from hdr_lite.enforcer.nft import NftError
from hdr_lite.enforcer.state import KeptHold, save
from hdr_lite.enforcer.target import Target
from hdr_lite.records.verb import Block, Limit
from tests.netns.bed import namespace, resident
from tests.netns.network import Namespace

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]


class Cut:
    """A cutter that remembers, and fails when told to."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.error: OSError | None = None

    def cut(self, targets: Collection[Target]) -> int:
        """As ``Cutter``."""
        if self.error:
            raise self.error
        self.targets += targets
        return len(targets)


#: More than the default: of each set.
BLOCKS = 8192


class Rig:
    """An enforcer with its edges in hand."""

    def __init__(self, inside: Namespace, thread: Executor, folder: Path) -> None:
        self.inside = inside
        self._thread = thread  # one, for it is by its id that the kernel tells us from others
        self.now = 1000.0
        self.facts = Facts(connected=(Connected("lan", ip_network("192.168.1.0/24")),))
        self.cut = Cut()
        self.said: list[str] = []
        config = Config()
        settings = replace(
            config.enforcer,
            mode="block",
            state=str(folder / "state"),
            on_stop="remove",
            blocks=BLOCKS,
        )
        self.locks = folder
        self._files = open_files(folder, ("lan",))
        self._config = replace(config, enforcer=settings)
        self.enforcer = thread.submit(self.make).result()

    def make(self, other: Interfaces | None = None) -> Enforcer:
        """An enforcer of these settings, facts and time; of this instance or of another."""
        return Enforcer(
            self._config,
            *("", self.cut, lambda: self.now, lambda: self.facts, self.said.append),
            other or Interfaces(self._files, "test"),
        )

    def restart(self) -> None:
        """It dies, and the next one begins."""
        self.enforcer.monitor.close()
        self.enforcer = self._thread.submit(self.make).result()
        self.run(self.enforcer.begin)

    def run(self, do: Callable[[], object]) -> object:
        """Do something where the enforcer lives."""
        return self._thread.submit(do).result()

    def tables(self) -> str:
        """What nft lists."""
        return self.inside.run("nft", "list", "ruleset")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """An enforcer in an empty namespace."""
    with namespace("nft") as made, resident(made) as thread:
        rig = Rig(made, thread, tmp_path)
        yield rig
        rig.enforcer.monitor.close()


def block(address: str = "203.0.113.5", evidence: str = "e1") -> Block:
    """An order as the engine sends it."""
    return Block(evidence, address, 600, "X", 0)


def test_batch_is_applied_together(rig: Rig) -> None:
    """Orders change nothing until the batch is applied; then all of it, and cuts once."""
    assert rig.run(rig.enforcer.begin) == "mode block"
    for number in range(3):
        rig.enforcer.take(block(f"203.0.113.{number}", f"e{number}"))
    assert "203.0.113" not in rig.tables()
    rig.run(rig.enforcer.apply)
    assert rig.tables().count("expires") == 3
    rig.enforcer.cut()
    assert [t.key for t in rig.cut.targets] == [f"203.0.113.{n}" for n in range(3)]
    rig.run(rig.enforcer.end)
    assert rig.tables() == ""


def test_cutting_fails(rig: Rig) -> None:
    """Without conntrack the block holds, and it is told."""
    rig.run(rig.enforcer.begin)
    rig.cut.error = OSError(1, "Operation not permitted")
    rig.enforcer.take(block())
    rig.run(rig.enforcer.apply)
    rig.enforcer.cut()
    assert "203.0.113.5" in rig.tables()
    assert rig.said == ["connections of the blocked could not be cut: Operation not permitted"]


def test_modes_change_while_it_runs(rig: Rig) -> None:
    """To observe everything is let go; back, what is still valid is there again."""
    rig.run(rig.enforcer.begin)
    rig.enforcer.take(block())
    rig.run(rig.enforcer.apply)
    rig.run(lambda: rig.enforcer.set_mode("observe"))
    assert rig.tables() == ""
    rig.run(rig.enforcer.heed)
    assert rig.said == []
    rig.run(lambda: rig.enforcer.set_mode("block"))
    assert "203.0.113.5" in rig.tables()


def test_observe_from_the_start_takes_old_tables_away(rig: Rig) -> None:
    """What an earlier run left in the kernel does not go on in mode observe."""
    rig.inside.run("nft", "add table inet hdr_lite")
    rig.enforcer.orders.mode = "observe"
    rig.run(rig.enforcer.begin)
    assert rig.tables() == ""


def test_change_after_an_unheard_flush(rig: Rig) -> None:
    """An order that meets tables gone a moment ago makes them anew, with all they held."""
    rig.run(rig.enforcer.begin)
    rig.enforcer.take(block())
    rig.run(rig.enforcer.apply)
    rig.inside.run("nft", "flush", "ruleset")
    rig.enforcer.take(block("203.0.113.6", "e2"))
    rig.run(rig.enforcer.apply)
    assert "203.0.113.5" in rig.tables()
    assert "203.0.113.6" in rig.tables()
    assert "2 held" in rig.said[0]


def test_full_table_is_whole_again_within_a_second(rig: Rig, tmp_path: Path) -> None:
    """Thousands of blocks are back soon after a flush, and that is no news for us again."""
    number = BLOCKS
    keys = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(number))
    save(tmp_path / "state", [KeptHold("block4", k, 600, "e", "X", False, 0) for k in keys], [])
    assert rig.run(rig.enforcer.begin) == f"mode block; {number} kept from before"
    for harm in (("flush", "ruleset"), ("flush", "set", "inet", "hdr_lite", "block4")):
        rig.inside.run("nft", *harm)
        began = time.process_time()  # what it takes, however busy the machine
        rig.run(rig.enforcer.heed)
        assert time.process_time() - began < 1
        assert rig.tables().count("expires") == number
        for _ in range(3):
            rig.run(rig.enforcer.heed)
    assert len(rig.said) == 2


def test_state_is_written_seldom(rig: Rig, tmp_path: Path) -> None:
    """The file is written after the interval when something changed; a large one more seldom."""
    rig.run(rig.enforcer.begin)
    state = tmp_path / "state"
    rig.run(rig.enforcer.tick)
    rig.now += 901
    rig.run(rig.enforcer.tick)
    assert not state.exists()
    rig.enforcer.take(block())
    rig.run(rig.enforcer.apply)
    rig.run(rig.enforcer.tick)
    assert state.exists()
    state.unlink()
    rig.enforcer.take(block("203.0.113.6", "e2"))
    rig.run(rig.enforcer.apply)
    rig.now += 899
    rig.run(rig.enforcer.tick)
    assert not state.exists()
    rig.now += 2
    rig.enforcer._written = WRITTEN_A_DAY // 10
    rig.run(rig.enforcer.tick)
    assert not state.exists()
    rig.now += 8640
    rig.run(rig.enforcer.tick)
    assert state.exists()


def test_state_that_cannot_be_written(rig: Rig, tmp_path: Path) -> None:
    """It is told once, and tried at each interval until it can be."""
    rig.run(rig.enforcer.begin)
    rig.enforcer.take(block())
    rig.run(rig.enforcer.apply)
    (tmp_path / "state.new").mkdir()  # nothing can be written there
    for _ in range(3):
        rig.now += 901
        rig.run(rig.enforcer.tick)
    assert [text.partition(" in ")[0] for text in rig.said] == ["blocks could not be kept"]
    (tmp_path / "state.new").rmdir()
    rig.now += 901
    rig.run(rig.enforcer.tick)
    assert (tmp_path / "state").exists()
    rig.run(rig.enforcer.end)


def test_limits_are_renewed_by_their_counters(rig: Rig) -> None:
    """The kernel's counter decides: one that did not move lets the limit end."""
    rig.run(rig.enforcer.begin)
    rig.enforcer.take(Limit("l", "203.0.113.5", 60, "X", "", 0, "", ""))
    rig.run(rig.enforcer.apply)
    rig.now += 55
    rig.run(rig.enforcer.tick)
    assert rig.enforcer.orders.holdings.limited
    rig.now += 6
    rig.run(rig.enforcer.tick)
    assert not rig.enforcer.orders.holdings.limited


def test_arming_that_nobody_confirms(rig: Rig) -> None:
    """It blocks, and lets everybody go after the time, also over an enforcer's death; told."""
    rig.enforcer.orders.mode = "observe"
    rig.run(rig.enforcer.begin)
    said = rig.run(lambda: rig.enforcer.arm("block", 600))
    assert said == "mode block for 600 s, then observe unless 'hdr-lite arm --confirmed' comes"
    rig.enforcer.take(block())
    rig.run(rig.enforcer.apply)
    assert "203.0.113.5" in rig.tables()
    rig.now += 400
    rig.restart()
    assert rig.enforcer.orders.mode == "block"
    assert rig.enforcer.figures()["unconfirmed"] == 200
    assert "203.0.113.5" in rig.tables()
    rig.now += 199
    rig.run(rig.enforcer.tick)
    assert "203.0.113.5" in rig.tables()
    rig.now += 1
    rig.run(rig.enforcer.tick)
    assert rig.tables() == ""
    assert rig.enforcer.orders.mode == "observe"
    assert rig.said == ["nobody confirmed mode block in time: mode observe, all are let go"]


def test_arming_ends_while_it_is_dead(rig: Rig) -> None:
    """The time runs on without an enforcer: the next one begins in mode observe."""
    rig.run(rig.enforcer.begin)
    rig.run(lambda: rig.enforcer.arm("block", 60))
    rig.now += 60
    rig.restart()
    assert rig.enforcer.orders.mode == "observe"
    assert rig.tables() == ""


def test_arming_that_is_confirmed(rig: Rig) -> None:
    """It stays, over a death, until the service ends in good order."""
    rig.run(rig.enforcer.begin)
    rig.run(lambda: rig.enforcer.arm("limit", 60))
    assert rig.run(rig.enforcer.confirm) == "mode limit, confirmed"
    assert rig.run(rig.enforcer.confirm) == "mode limit; there was nothing to confirm"
    rig.now += 3600
    rig.restart()
    assert rig.enforcer.orders.mode == "limit"
    assert rig.enforcer.figures()["unconfirmed"] is None
    rig.run(rig.enforcer.end)
    rig.restart()
    assert rig.enforcer.orders.mode == "block"  # as the settings say


def test_panic_ends_an_arming(rig: Rig) -> None:
    """A panic is not undone by the next start, whatever was armed before."""
    rig.run(rig.enforcer.begin)
    rig.run(lambda: rig.enforcer.arm("block", 60))
    rig.run(rig.enforcer.panic)
    rig.restart()
    assert rig.enforcer.orders.mode == "observe"
    assert rig.enforcer.until is None


def test_two_that_would_block_on_one_interface(rig: Rig) -> None:
    """The second may not begin to block, and may once the first observes."""
    rig.run(rig.enforcer.begin)
    others = Interfaces(open_files(rig.locks, ("lan",)), "the second")
    second = rig.run(lambda: rig.make(others))
    assert isinstance(second, Enforcer)
    with pytest.raises(UserError, match="test blocks on lan already"):
        rig.run(second.begin)
    second.orders.mode = "observe"
    with pytest.raises(UserError, match="test blocks on lan already"):
        rig.run(lambda: second.arm("block"))
    assert second.orders.mode == "observe"
    rig.run(lambda: rig.enforcer.arm("observe"))
    assert rig.run(lambda: second.arm("block")) == "mode block"
    with pytest.raises(UserError, match="the second blocks on lan already"):
        rig.run(lambda: rig.enforcer.arm("block"))
    second.monitor.close()


def test_a_bridge_that_comes_later(rig: Rig) -> None:
    """A bridge's table is there where there is a bridge; what is held then holds on it, too."""
    rig.run(rig.enforcer.begin)
    rig.enforcer.take(block())
    rig.run(rig.enforcer.apply)
    assert rig.enforcer.figures()["families"] == ["inet", "arp"]
    assert rig.enforcer.figures()["blind"] == []
    rig.facts = rig.facts._replace(bridges=True)
    rig.run(rig.enforcer.refresh_facts)
    assert rig.enforcer.figures()["families"] == ["inet", "arp", "bridge"]
    assert rig.tables().count("203.0.113.5") == 2
    assert rig.enforcer.figures()["blind"] == [
        "what limited hosts on one bridge open to each other"
    ]


def test_a_kernel_without_bridge_tables(rig: Rig) -> None:
    """What cannot be stopped for want of a table is told, and the rest works."""
    run = rig.enforcer._nft.run

    def refuse(text: str) -> None:
        if " bridge " in text:
            raise NftError("Operation not supported")
        run(text)

    rig.facts = rig.facts._replace(bridges=True)
    rig.enforcer._nft.run = refuse  # type: ignore[method-assign]
    sentence = "what passes from port to port of a bridge cannot be stopped"
    assert sentence in str(rig.run(rig.enforcer.begin))
    assert sentence in rig.enforcer.figures()["blind"][0]
    rig.enforcer.take(block())
    rig.run(rig.enforcer.apply)
    assert "203.0.113.5" in rig.tables()


def test_state_of_each_instance() -> None:
    """Two instances do not write one file."""
    assert str(state_path(Config(), "")) == "/var/lib/hdr-lite/enforcer.state"
    assert str(state_path(Config(), "lab")) == "/var/lib/hdr-lite/enforcer-lab.state"
