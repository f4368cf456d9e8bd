"""Names are resolved beside the work, and the last good answer stays."""

import threading

from hdr_lite.enforcer.names import AGAIN, INTERVAL, MOST, Names
from hdr_lite.enforcer.never_block import MOST_OF_DOMAIN


def test_answers_and_failures() -> None:
    """A name that fails keeps its old answer and is asked again soon."""
    answers: dict[str, list[str]] = {"a.example": ["192.0.2.2", "192.0.2.1", "192.0.2.1"]}
    asked: list[str] = []

    def lookup(name: str) -> list[str]:
        asked.append(name)
        if name not in answers:
            raise OSError("no such name")
        return answers[name]

    names = Names(lookup)
    names.ask(["a.example"], 0)
    names.wait(5)
    assert names.known() == {"a.example": ("192.0.2.1", "192.0.2.2")}
    names.ask(["a.example"], INTERVAL - 1)
    names.wait(5)
    assert asked == ["a.example"]
    del answers["a.example"]
    names.ask(["a.example"], INTERVAL)
    names.wait(5)
    assert names.known() == {"a.example": ("192.0.2.1", "192.0.2.2")}
    answers["a.example"] = [f"192.0.2.{n}" for n in range(100, 150)]
    names.ask(["a.example"], INTERVAL + AGAIN)
    names.wait(5)
    assert len(names.known()["a.example"]) == MOST_OF_DOMAIN


def test_a_slow_resolver_holds_nobody_up() -> None:
    """While a round is under way no other begins, and asking returns at once."""
    go = threading.Event()
    asked: list[str] = []

    def lookup(name: str) -> list[str]:
        asked.append(name)
        go.wait(10)
        return []

    names = Names(lookup)
    many = [f"{n}.example" for n in range(2 * MOST)]
    names.ask(many, 0)
    names.ask(many, 2 * INTERVAL)
    assert names.known() == {}
    go.set()
    names.wait(5)
    assert asked == many[:MOST]


def test_the_systems_resolver() -> None:
    """localhost is known everywhere."""
    names = Names()
    names.ask(["localhost"], 0)
    names.wait(5)
    assert {"127.0.0.1", "::1"} & set(names.known()["localhost"])
