"""When a process that died starts again."""

from hdr_lite.supervisor.restart import LONGEST, LOOP, SHORTEST, WELL, BackOff


def test_pauses_double_up_to_the_longest() -> None:
    """0.1 s, then twice as long with each death in a row, and 10 s at most."""
    back_off = BackOff()
    back_off.started(0)
    pauses = [back_off.died(1.0) for _ in range(40)]
    assert pauses[:7] == [SHORTEST * 2**n for n in range(7)]
    assert pauses[7:] == [LONGEST] * 33


def test_a_minute_of_life_is_forgiveness() -> None:
    """One that lived for a minute starts again at once, however often it had died before."""
    back_off = BackOff()
    back_off.started(0)
    for _ in range(10):
        back_off.died(1)
    back_off.started(100)
    assert back_off.died(100 + WELL) == SHORTEST


def test_crash_loop() -> None:
    """Five deaths in a row are a loop, until a life lasts a minute."""
    back_off = BackOff()
    back_off.started(0)
    for _ in range(LOOP - 1):
        back_off.died(1)
    assert not back_off.looping(1)
    back_off.died(1)
    assert back_off.looping(1)
    back_off.started(2)
    assert back_off.looping(2 + WELL - 1)
    assert not back_off.looping(2 + WELL)
