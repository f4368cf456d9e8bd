"""A heap of its own for a module: what is charged, refunded and refused."""

import gc
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hdr_lite.native import Budget

KB = 1024


@contextmanager
def entered(budget: Budget) -> Iterator[None]:
    budget.enter()
    try:
        yield
    finally:
        budget.leave()


def test_only_what_is_made_inside_is_charged() -> None:
    """Memory is charged to the budget that is entered, and to none outside."""
    budget = Budget(1024 * KB)
    outside = [bytearray(1000) for _ in range(50)]
    before = budget.used
    with entered(budget):
        inside = [bytearray(1000) for _ in range(50)]
    assert before == 0
    assert 50_000 <= budget.used < 120_000
    assert budget.peak >= budget.used
    del outside
    assert budget.used >= 50_000
    del inside
    assert budget.used < 10_000


def test_refund_outside() -> None:
    """What was made inside is refunded whoever frees it."""
    budget = Budget(1024 * KB)
    with entered(budget):
        text = "x" * 100_000
    assert budget.used >= 100_000
    del text
    assert budget.used < 10_000


def test_past_the_budget_is_a_memory_error() -> None:
    """The code that asks for too much gets MemoryError and can go on with what it has."""
    budget = Budget(256 * KB)
    kept: list[bytes] = []

    def fill() -> None:
        while True:
            kept.append(bytes(5000))

    with pytest.raises(MemoryError), entered(budget):
        fill()
    assert budget.used <= budget.limit == 256 * KB
    assert len(kept) > 20
    assert budget.refused > 0
    assert all(item == bytes(5000) for item in kept)
    kept.clear()
    with entered(budget):
        again = bytes(200 * KB)
    assert len(again) == 200 * KB


def test_budgets_are_apart() -> None:
    """One module's memory does not count against another's."""
    one, two = Budget(256 * KB), Budget(256 * KB)
    with entered(one):
        first = bytes(200 * KB)
    with entered(two):
        second = bytes(200 * KB)
    assert one.used > 200 * KB
    assert two.used > 200 * KB
    assert first == second


def test_outsiders_can_grow_what_is_inside() -> None:
    """The engine may enlarge an object of a module that has used up its budget."""
    budget = Budget(64 * KB)
    with entered(budget):
        mine = [0] * 4000
    mine.extend(range(100_000))
    assert mine[4000:] == list(range(100_000))
    assert mine[:4000] == [0] * 4000


def test_one_at_a_time() -> None:
    """Two budgets cannot be entered at once; leaving twice tells so."""
    one, two = Budget(64 * KB), Budget(64 * KB)
    one.enter()
    try:
        with pytest.raises(RuntimeError, match="another budget is entered"):
            two.enter()
    finally:
        assert one.leave()
    assert not one.leave()
    assert not two.leave()


@pytest.mark.parametrize("limit", [0, -1, 1 << 40])
def test_sizes(limit: int) -> None:
    """A budget has a sensible size."""
    with pytest.raises(ValueError, match="a budget of"):
        Budget(limit)


def test_what_survives_its_budget_is_whole() -> None:
    """Objects outlive the Budget they were charged to."""
    kept = []
    for n in range(20):
        budget = Budget(256 * KB)
        with entered(budget):
            kept.append({f"key {n} {k}": [k] * 20 for k in range(50)})
        del budget
    for n, table in enumerate(kept):
        assert table == {f"key {n} {k}": [k] * 20 for k in range(50)}


def test_heaps_are_given_back_when_empty() -> None:
    """Budgets that held nothing at their end do not use up the places for heaps."""
    for _ in range(500):
        budget = Budget(64 * KB)
        with entered(budget):
            bytes(10_000)
        del budget
        gc.collect()  # Python's free lists may hold on to a block
    assert Budget(64 * KB).used == 0


def busy(seed: int) -> str:
    """Work of every shape: dicts, strings, lists, exceptions, generators."""
    chance = random.Random(seed)
    table: dict[str, Any] = {}
    for n in range(3000):
        key = f"k{chance.randrange(300)}"
        table.setdefault(key, []).append("v" * chance.randrange(200))
        if chance.random() < 0.1:
            table.pop(next(iter(table)))
        if chance.random() < 0.01:
            try:
                table["absent"][n]
            except KeyError:
                table[key] = [*reversed(table.get(key, []))]
    return json.dumps(table, sort_keys=True)


def test_results_are_the_same_inside() -> None:
    """Code computes the same from a heap of its own, in turns with others."""
    budgets = [Budget(8 * 1024 * KB) for _ in range(3)]
    for seed, budget in enumerate(budgets):
        with entered(budget):
            inside = busy(seed)
        assert inside == busy(seed)


def test_fork() -> None:
    """A child has its own copy of the heaps."""
    budget = Budget(256 * KB)
    with entered(budget):
        table = {str(n): [n] for n in range(100)}
    pid = os.fork()
    if pid == 0:
        budget.enter()
        table.clear()
        table.update((str(n), [n, n]) for n in range(200))
        budget.leave()
        os._exit(0 if table["7"] == [7, 7] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert table == {str(n): [n] for n in range(100)}


def test_end_of_the_interpreter() -> None:
    """Python ends well with objects alive in heaps, and with a budget entered."""
    code = (
        "from hdr_lite.native import Budget\n"
        "import json\n"
        "b = Budget(1 << 20); b.enter()\n"
        "kept = {str(n): [n] for n in range(1000)}\n"
        "class A:\n    pass\n"
        "a = A(); a.a = a\n"
        "print(json.dumps(kept)[:10])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == '{"0": [0],\n'
