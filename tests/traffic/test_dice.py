"""The generator's chance."""

from tests.traffic.dice import Dice

NUMBERS = [317, 6, 376, 378, 219]
BYTES = "e8171279"


def test_numbers_are_those_of_every_python_version() -> None:
    """The course of a seed is fixed for ever: these numbers were drawn once."""
    dice = Dice("example", 1)
    assert [dice.below(1000) for _ in range(5)] == NUMBERS
    assert dice.bytes(4).hex() == BYTES


def test_choices_stay_in_their_range() -> None:
    """Ends are reached and never passed."""
    dice = Dice("range", 2)
    assert {dice.between(3, 5) for _ in range(100)} == {3, 4, 5}
    assert sorted(dice.shuffled(range(20))) == list(range(20))
    assert dice.bytes(0) == b""
    assert not any(dice.chance(0) for _ in range(50))
    assert all(dice.chance(100) for _ in range(50))


def test_names_and_seeds_give_different_courses() -> None:
    """Neither two scenarios nor two seeds share their course."""
    courses = {Dice(name, seed).bytes(8) for name in ("a", "b") for seed in (1, 2)}
    assert len(courses) == 4
