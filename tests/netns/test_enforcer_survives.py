"""What outlives a flush, a kill, a restart and a reboot, and what time brings."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hdr_lite.enforcer.orders import ORDERS_A_SECOND
from hdr_lite.records.verb import Block, Enforced, Limit
from tests.netns.bed import ATTACKER, FRIEND, LAN_HOST, Bed, connects, until
from tests.netns.enforcing import enforcing
from tests.netns.test_enforcer import block

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]


@pytest.fixture(autouse=True)
def _clean(net: Bed) -> Iterator[None]:
    yield
    net.router.run("nft", "flush", "ruleset")


def listed(net: Bed, name: str = "block4") -> str:
    """A set of ours, as nft shows it; "" when it is not there."""
    try:
        return net.router.run("nft", "list", "set", "inet", "hdr_lite", name)
    except Exception:  # noqa: BLE001 - whatever it is, there is no set
        return ""


@pytest.mark.parametrize(
    "harm",
    [
        ("flush", "ruleset"),
        ("delete", "table", "inet", "hdr_lite"),
        ("flush", "set", "inet", "hdr_lite", "block4"),
        ("flush", "chain", "inet", "hdr_lite", "block_in"),
        ("delete", "element", "inet", "hdr_lite", "block4", "{", ATTACKER, "}"),
    ],
    ids=" ".join,
)
def test_whole_again_after_a_flush(net: Bed, tmp_path: Path, harm: tuple[str, ...]) -> None:
    """Whatever is taken away by others is back within a second, and is told."""
    with enforcing(net.router, tmp_path / "state") as enforcer:
        enforcer.ask(block(ATTACKER))
        assert not net.reaches(ATTACKER)
        began = time.monotonic()
        net.router.run("nft", *harm)
        until(lambda: ATTACKER in listed(net))
        assert time.monotonic() - began < 1
        assert not net.reaches(ATTACKER)
        assert "1 held" in enforcer.notice("made again (somebody else changed them)")
        assert len(enforcer.notices) == 1
        assert enforcer.stop() == 0


def test_others_tables_are_theirs(net: Bed, tmp_path: Path) -> None:
    """The enforcer neither touches other tables nor minds their changes."""
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        net.router.run("nft", "add table inet fw4; add chain inet fw4 c; delete chain inet fw4 c")
        enforcer.ask(block(ATTACKER))
        assert enforcer.notices == []
        assert enforcer.stop() == 0
    assert net.router.run("nft", "list", "tables") == "table inet fw4\n"


def test_killed_and_started_again(net: Bed, tmp_path: Path) -> None:
    """Blocks hold while the process is dead, and keep their time in the next one."""
    with enforcing(net.router, tmp_path / "state") as enforcer:
        enforcer.ask(block(ATTACKER))
        enforcer.ask(block(FRIEND, "e2", seconds=2))
        assert enforcer.stop(signal.SIGKILL) == -signal.SIGKILL
    assert not net.reaches(ATTACKER)
    time.sleep(2)
    assert net.reaches(FRIEND)
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        assert enforcer.ready == "mode block; 1 kept from before"
        assert not net.reaches(ATTACKER)
        assert 590 < enforcer.ask(block(ATTACKER, "e9", seconds=1)).seconds < 600
        assert enforcer.notices == []
        net.router.run("nft", "flush", "ruleset")
        until(lambda: ATTACKER in listed(net))
        assert enforcer.stop() == 0


def test_stopped_with_keep(net: Bed, tmp_path: Path) -> None:
    """on_stop = keep leaves the blocks in the kernel, and the next process finds them."""
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="keep") as enforcer:
        enforcer.ask(block(ATTACKER))
        assert enforcer.stop() == 0
    assert not net.reaches(ATTACKER)
    with enforcing(net.router, tmp_path / "state", enforcer__on_stop="remove") as enforcer:
        assert enforcer.ready == "mode block; 1 kept from before"
        assert enforcer.stop() == 0
    assert net.reaches(ATTACKER)


def test_reboot(net: Bed, tmp_path: Path) -> None:
    """After a reboot the tables are gone; the blocks come back with what was left of them."""
    with enforcing(net.router, tmp_path / "state") as enforcer:
        enforcer.ask(block(ATTACKER))
        assert enforcer.stop() == 0
    net.router.run("nft", "flush", "ruleset")
    with enforcing(net.router, tmp_path / "state") as enforcer:
        assert enforcer.ready == "mode block; 1 kept from before"
        assert "timeout 10m" in listed(net) or "timeout 9m" in listed(net)
        assert enforcer.ask(block(ATTACKER, "e2", 1)).seconds > 590
        assert enforcer.stop() == 0


@pytest.mark.parametrize("damage", [b"", b"HDRE", b"x" * 100])
def test_damaged_state(net: Bed, tmp_path: Path, damage: bytes) -> None:
    """A state file that makes no sense is told, and keeps nobody from blocking."""
    (tmp_path / "state").write_bytes(damage)
    with enforcing(net.router, tmp_path / "state") as enforcer:
        enforcer.notice("is of no use")
        assert enforcer.ask(block(ATTACKER)).outcome == "blocked"
        assert enforcer.stop() == 0


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk without a free byte."""
    folder = tmp_path / "full"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", folder], check=True)
    try:
        with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_full_disk(net: Bed, tmp_path: Path, full: Path) -> None:
    """A disk that takes nothing is told; blocks hold all the same, and nothing is left there."""
    with enforcing(net.router, full / "state", enforcer__on_stop="remove") as enforcer:
        assert enforcer.ask(block(ATTACKER)).outcome == "blocked"
        assert not net.reaches(ATTACKER)
        enforcer.process.send_signal(signal.SIGTERM)
        assert "No space left on device" in enforcer.notice("could not be kept")
        assert enforcer.wait() == 0
    assert [path.name for path in full.iterdir()] == ["filler"]


def test_another_version_left_other_sets(net: Bed, tmp_path: Path) -> None:
    """Tables whose sets have other sizes are made anew, with what they held."""
    with enforcing(net.router, tmp_path / "state", enforcer__blocks=100) as enforcer:
        enforcer.ask(block(ATTACKER))
        assert enforcer.stop() == 0
    settings = {"enforcer__blocks": 200, "enforcer__on_stop": "remove"}
    with enforcing(net.router, tmp_path / "state", **settings) as enforcer:
        assert ATTACKER in listed(net)
        assert enforcer.stop() == 0


def test_an_address_that_becomes_the_gateway_is_let_go(net: Bed, tmp_path: Path) -> None:
    """Facts are followed: a new route by a blocked address ends its block."""
    with enforcing(net.router, tmp_path / "state") as enforcer:
        enforcer.ask(block(ATTACKER))
        net.router.run("ip", "route", "add", "198.18.0.0/15", "via", ATTACKER)
        until(lambda: net.reaches(ATTACKER))
        net.router.run("ip", "route", "del", "198.18.0.0/15")
        assert enforcer.stop() == 0


def test_limit_ends_when_the_source_rests(net: Bed, tmp_path: Path) -> None:
    """A limit is renewed while its source tries on, and ends by itself when it does not."""
    with enforcing(net.router, tmp_path / "state") as enforcer:
        for address in (ATTACKER, FRIEND):
            order = Limit(f"l{address}", address, 4, "VERTICAL_PORT_SCAN", "", 0, "", "")
            assert enforcer.ask(order).seconds == 4
        end = time.monotonic() + 5
        while time.monotonic() < end:
            assert not net.reaches(ATTACKER)
        assert net.reaches(FRIEND, port=80)
        assert connects(net.lan, LAN_HOST, ATTACKER)
        assert enforcer.stop() == 0


def test_orders_in_haste(net: Bed, tmp_path: Path) -> None:
    """More orders than the pace allows are refused and counted; the rest is done."""
    with enforcing(net.router, tmp_path / "state", enforcer__blocks=100) as enforcer:
        number = 2000
        for n in range(number):
            enforcer.send(Block(f"e{n}", f"10.9.{n >> 8}.{n & 255}", 600, "DDOS", 0))
        counted = enforcer.notice("came too fast")
        refused = int(counted.split()[1])
        assert number - 3 * ORDERS_A_SECOND < refused <= number - ORDERS_A_SECOND
        while enforcer.next(Enforced).evidence != "last":
            if enforcer.ask(block(ATTACKER, "last")).outcome == "blocked":
                break
        assert listed(net).count("expires") == 100
        assert not net.reaches(ATTACKER)
        assert enforcer.stop() == 0
