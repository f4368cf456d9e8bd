"""What is held: in which order, for how long, and what comes back of it."""

from dataclasses import replace

from hdr_lite.config import EnforcerConfig
from hdr_lite.enforcer.blocks import Held
from hdr_lite.enforcer.holdings import Holdings
from hdr_lite.enforcer.ruleset import Element
from hdr_lite.enforcer.state import KeptHold, State

MAC = "02:00:00:00:00:01"
HOST = f"192.168.1.10 . {MAC}"


def holdings(**settings: int) -> Holdings:
    """With small tables."""
    sizes = replace(EnforcerConfig(), blocks=16, limits=16, quarantines=4)
    return Holdings(replace(sizes, **settings))  # type: ignore[arg-type]


def hold(made: Holdings, name: str, key: str, seconds: int = 60) -> None:
    """Hold it from 0 on."""
    made.put(name, key, "e", "X", seconds, 0)


def test_longer_stays() -> None:
    """What is held for longer already stays as it is; a person's word is taken as it is."""
    made = holdings()
    hold(made, "block4", "203.0.113.5", 600)
    made.elements.clear()
    hold(made, "block4", "203.0.113.5", 60)
    assert made.elements == []
    made.put("block4", "203.0.113.5", "", "by hand", 60, 0, operator=True)
    assert made.elements == [Element("block4", "203.0.113.5", 60, there=True)]


def test_heaviest_first() -> None:
    """Quarantines and blocks are set before limits when all is made again."""
    made = holdings()
    for name, key in (("host4", HOST), ("limit4", "203.0.113.6"), ("block4", "203.0.113.5")):
        hold(made, name, key)
    hold(made, "quarantine", MAC)
    assert [e.set for e in made.everything(0, there=False)] == [
        *("quarantine", "block4", "limit4", "host4")
    ]
    assert list(made.everything(60, there=False)) == []


def test_parts() -> None:
    """By an address or a MAC everything that has it in its key is let go, and no more."""
    made = holdings()
    hold(made, "host4", HOST)
    hold(made, "host4", f"192.168.1.1 . {MAC}")
    assert made.drop_parts(("host4",), "192.168.1.1")
    assert not made.drop_parts(("host4",), "192.168.1.1")
    assert [h.key for _, h in made.held()] == [HOST]
    assert made.drop_parts(("host4",), MAC)
    assert not made.limited


def test_restart_takes_limits_of_hosts_from_the_kernel() -> None:
    """The kernel's elements of an address and a MAC are held on, and renewed by their counter."""
    made = holdings()
    assert made.restore(State(), {"host4": {HOST: Held(HOST, 0, 5.0)}}, 0) == 1
    assert made.limited
    made.renew(0, lambda name: [Held(HOST, 3, 5.0)] if name == "host4" else [])
    assert made.elements == [Element("host4", HOST, 60, there=True)]


def test_state_of_nonsense_is_not_restored() -> None:
    """A key that could not stand in its set is left out."""
    keys = {
        "block4": ["x }; flush ruleset", "2001:db8::1", "203.0.113.0/24"],
        "block64": ["2001:db8::1", "203.0.113.5"],
        "quarantine": ["02:AB:00:00:00:01", "203.0.113.5"],
        "claim": [MAC, f"{MAC} . x", f"{MAC} . 2001:db8::1"],
        "limit4": ["203.0.113.5"],
        "host4": [HOST],
        "nonsense": ["203.0.113.5"],
    }
    holds = tuple(
        KeptHold(name, key, 60, "", "", False, 0) for name, many in keys.items() for key in many
    )
    assert holdings().restore(State(holds), None, 0) == 0


def test_offences_decay() -> None:
    """Each doubling is paid off by as long a peace as the settings say; a pardon takes one."""
    made, name = holdings(forgive=100), "203.0.113.5"
    assert made.lengthened(name, 600, 0) == 600
    for _ in range(3):
        hold(made, "block4", name, 10)
        (_, held), *_ = made.held()
        made.offended(name, held, 0)
        made.offended(name, held, 0)  # asked again while it holds: the same offence
        made.drop("block4", name)
    assert made.lengthened(name, 600, 10) == 4800
    assert made.lengthened(name, 600, 109) == 4800
    assert made.lengthened(name, 600, 110) == 2400
    assert made.lengthened(name, 600, 310) == 600
    assert made.lengthened(name, 86000, 10) == 86400
