"""Texts that the engine keeps."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr_lite.engine.own import own
from hdr_lite.native import Budget


class Word(StrEnum):
    """A kind of text that is not exactly ``str``."""

    ONE = "one"


class Duck:
    """Has the methods of a text and is none."""

    def encode(self, *_: str) -> "Duck":
        return self

    def decode(self, *_: str) -> int:
        return 5


@given(st.text(st.characters(codec=None)))
def test_same_text(text: str) -> None:
    """Any text comes out as it is, lone surrogates included."""
    assert own(text) == text


def test_plain_text() -> None:
    """What is kept is a plain str, whatever class the text was of."""
    assert type(own(Word.ONE)) is str


def test_not_in_the_modules_memory() -> None:
    """The copy is charged to nobody once it is made outside a turn."""
    budget = Budget(256 * 1024)
    budget.enter()
    text = "x" * 100_000
    budget.leave()
    copy = own(text)
    del text
    assert budget.used < 10_000
    assert copy == "x" * 100_000


@pytest.mark.parametrize("what", [None, 3, b"bytes", ["list"], Duck()])
def test_no_text(what: object) -> None:
    """What is no text is refused."""
    with pytest.raises((TypeError, AttributeError)):
        own(what)  # type: ignore[arg-type]
