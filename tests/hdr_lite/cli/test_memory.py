"""A run that does not fit is refused, and what needs most is named."""

import tracemalloc
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from hdr_lite.cli.memory import BASE, REPORTING_TOTAL, check_memory
from hdr_lite.cli.modules import find_modules
from hdr_lite.config import ConfigError, EnforcerConfig, load, parse_override
from hdr_lite.enforcer.holdings import Holdings
from hdr_lite.enforcer.ruleset import BLOCKS
from hdr_lite.ring import RingMemory, create_ring

MB = 1024 * 1024


def _module(name: str, budget: int, runs: bool = True) -> SimpleNamespace:
    return SimpleNamespace(name=name, runs=runs, module=SimpleNamespace(budget=budget))


@pytest.fixture(name="ring")
def _ring() -> Iterator[RingMemory]:
    memory = create_ring(1 << 20)
    yield memory
    memory.close()


def _check(
    ring: RingMemory,
    *words: str,
    modules: tuple[object, ...] = (),
    live: int = 0,
    blocks: bool = False,
    reports: bool = False,
) -> None:
    settings = load(None, map(parse_override, words))
    check_memory(settings, modules, ring, interfaces=live, blocks=blocks, reports=reports)


def test_the_defaults_fit(ring: RingMemory) -> None:
    """Eight interfaces, the enforcer and a dozen modules run within the default."""
    modules = tuple(_module(f"m{n}", 256 * 1024) for n in range(12))
    _check(ring, modules=modules, live=8, blocks=True)


def test_what_is_shipped_fits(ring: RingMemory) -> None:
    """All shipped modules at once, with the budgets that they ask for."""
    settings = load(None, [])
    shipped = [replace(found, enabled=True) for found in find_modules(settings)]
    assert len(shipped) > 3
    check_memory(settings, shipped, ring, interfaces=2, blocks=True, reports=False)


def test_reporting_counts(ring: RingMemory) -> None:
    """What ``sync`` takes asleep, and the child that sends in addition: not within 48 MB, but
    within what a device that is enrolled has by default."""
    words = ["ring.size=1048576"]
    modules = tuple(_module(f"m{n}", 256 * 1024) for n in range(8))
    _check(ring, *words, modules=modules, live=8, blocks=True)
    with pytest.raises(ConfigError) as caught:
        _check(ring, *words, modules=modules, live=8, blocks=True, reports=True)
    assert "46.2 of them by the processes themselves" in str(caught.value)
    more = f"memory.total={REPORTING_TOTAL}"
    _check(ring, *words, more, modules=modules, live=8, blocks=True, reports=True)


def test_the_enforcer_counts(ring: RingMemory) -> None:
    """What it holds, and itself: without it the same settings fit."""
    words = ["enforcer.blocks=20000", "ring.size=1048576"]
    _check(ring, *words, live=1)
    with pytest.raises(ConfigError) as caught:
        _check(ring, *words, live=1, blocks=True)
    assert "30.0 of them by the processes themselves" in str(caught.value)
    assert "the most of the others by enforcer.blocks = 20000 (34.5 MB)" in str(caught.value)


def test_what_a_hold_takes(ring: RingMemory) -> None:
    """A full table of the enforcer is not larger than what is counted for it."""
    holdings, number = Holdings(EnforcerConfig(blocks=4096, limits=4096)), 4096
    tracemalloc.start()
    try:
        for name in BLOCKS:
            for n in range(number):
                key = f"2001:db8:{n:x}:1::7"
                holdings.put(name, key, str(uuid.UUID(int=n << 96)), "Scan", 60, float(n))
            holdings.elements.clear()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 0.7 * 450 < taken / number / len(BLOCKS) < 450


@pytest.mark.parametrize(
    ("words", "modules", "live", "largest"),
    [
        (["meter.flows=1000000"], (), 0, "the tables of [meter]"),
        (["capture.buffer=67108864"], (), 1, "capture.buffer = 67108864 (64.0 MB)"),
        (["capture.buffer=20971520"], (), 2, "capture.buffer = 20971520 (20.0 MB)"),
        ([], (_module("big", 40 * MB), _module("small", MB)), 0, "module big (40.0 MB)"),
    ],
)
def test_the_largest_is_named(
    words: list[str], modules: tuple[object, ...], live: int, largest: str, ring: RingMemory
) -> None:
    """One sentence tells the limit, its origin, what is needed and what to change."""
    with pytest.raises(ConfigError) as caught:
        _check(ring, *words, modules=modules, live=live)
    text = str(caught.value)
    assert text.startswith(f"memory.total = {48 * MB} (default) is too little: ")
    assert largest in text


def test_what_does_not_run_needs_nothing(ring: RingMemory) -> None:
    """A module that is off, and a buffer without an interface, do not count."""
    _check(ring, "capture.buffer=67108864", modules=(_module("big", 40 * MB, runs=False),))


def test_the_limit_is_exact(ring: RingMemory) -> None:
    """A byte less than what is needed is too little."""
    for missing in (0, 1):
        total = _needed(ring) - missing
        if missing:
            with pytest.raises(ConfigError):
                _check(ring, f"memory.total={total}")
        else:
            _check(ring, f"memory.total={total}")


def _needed(ring: RingMemory) -> int:
    """The least limit that is accepted, by halving."""
    low, high = BASE, 48 * MB
    while low < high:
        middle = (low + high) // 2
        try:
            _check(ring, f"memory.total={middle}")
        except ConfigError:
            low = middle + 1
        else:
            high = middle
    return low


def test_asking_costs_little(ring: RingMemory) -> None:
    """The tables are sized without being touched."""
    before = _resident()
    _check(ring, "meter.flows=1000000", "memory.total=1099511627776")
    assert _resident() - before < 8 * MB


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
