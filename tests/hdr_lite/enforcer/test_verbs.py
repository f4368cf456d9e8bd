"""What people ask of the enforcer, checked; on real tables in a namespace."""

import json
import os
from typing import Any

import pytest

from hdr_lite.enforcer.interfaces import Interfaces, open_files
from hdr_lite.enforcer.verbs import VERBS, answer
from tests.hdr_lite.enforcer.test_enforcer import Rig, rig

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
]
__all__ = ["rig"]


def ask(rig: Rig, verb: str, **fields: Any) -> dict[str, Any]:
    """The answer to a request."""
    text = json.dumps({"verb": verb, **fields})
    said = rig.run(lambda: answer(rig.enforcer, text))
    made: dict[str, Any] = json.loads(str(said))
    return made


def test_block_and_unblock(rig: Rig) -> None:
    """A person's block is in the tables, listed and explained, until it is taken back."""
    rig.run(rig.enforcer.begin)
    done = ask(rig, "block", address="203.0.113.5", seconds=90, why="scans us")
    assert done == {"target": "203.0.113.5", "outcome": "blocked", "seconds": 90}
    assert "203.0.113.5" in rig.tables()
    (held,) = ask(rig, "blocked")["held"]
    assert (held["target"], held["cause"], held["by_hand"]) == ("203.0.113.5", "scans us", True)
    assert ask(rig, "why", address="203.0.113.5")["held"] == [held]
    assert ask(rig, "figures")["blocks"] == 1
    assert ask(rig, "unblock", address="203.0.113.5")["held"] is True
    assert "203.0.113.5" not in rig.tables()
    assert ask(rig, "unblock", address="203.0.113.5")["held"] is False


def test_prefix_of_an_address(rig: Rig) -> None:
    """Why an IPv6 address is held names the block of its /64."""
    rig.run(rig.enforcer.begin)
    ask(rig, "block", address="2001:db8:1:2::/64")
    (held,) = ask(rig, "why", address="2001:db8:1:2::77")["held"]
    assert held["target"] == "2001:db8:1:2::/64"
    assert ask(rig, "release") == {"released": 1}
    assert ask(rig, "blocked")["held"] == []


def test_panic_stays(rig: Rig) -> None:
    """A panic takes all away, refuses blocks, and holds for the next start until armed."""
    rig.run(rig.enforcer.begin)
    ask(rig, "block", address="203.0.113.5")
    assert "nothing is touched" in ask(rig, "panic")["state"]
    assert "hdr_lite" not in rig.tables()
    assert "the mode is observe" in ask(rig, "block", address="203.0.113.5")["error"]
    assert ask(rig, "figures")["panic"] is True
    assert "mode observe" in str(rig.run(rig.enforcer.begin))
    assert ask(rig, "arm", mode="block")["state"] == "mode block"
    assert "hdr_lite" in rig.tables()
    assert "203.0.113.5" not in rig.tables()
    assert ask(rig, "figures")["panic"] is False


def test_arming(rig: Rig) -> None:
    """Block is what is armed unless it is named; it may wait to be confirmed."""
    rig.enforcer.orders.mode = "observe"
    rig.run(rig.enforcer.begin)
    assert ask(rig, "arm") == {"state": "mode block"}
    assert ask(rig, "arm", mode="limit", confirm=60)["state"].startswith("mode limit for 60 s")
    assert ask(rig, "figures")["unconfirmed"] == 60
    assert ask(rig, "arm", confirmed=True) == {"state": "mode limit, confirmed"}
    assert ask(rig, "figures")["unconfirmed"] is None


def test_arming_what_another_blocks_on(rig: Rig) -> None:
    """That another instance blocks there is an answer, not an end."""
    Interfaces(open_files(rig.locks, ("lan",)), "another (process 7)").take()
    rig.enforcer.orders.mode = "observe"
    rig.run(rig.enforcer.begin)
    assert ask(rig, "arm")["error"].startswith("another (process 7) blocks on lan already")
    assert ask(rig, "figures")["mode"] == "observe"


def test_mistakes(rig: Rig) -> None:
    """Whatever is asked wrongly is answered with a sentence and changes nothing."""
    rig.run(rig.enforcer.begin)
    for fields, sentence in (
        ({"verb": "shoot"}, "the verbs are figures"),
        ({"verb": "block"}, "address is a text"),
        ({"verb": "block", "address": "x"}, "'x' is no address"),
        ({"verb": "block", "address": "203.0.113.5", "seconds": "9"}, "seconds is a number"),
        ({"verb": "block", "address": "203.0.113.5", "seconds": 1 << 40}, "seconds is a number"),
        ({"verb": "why", "address": 7}, "address is a text"),
        ({"verb": "unblock", "address": "y" * 65}, "address is a text"),
        ({"verb": "arm", "mode": "fire"}, "the modes are"),
        ({"verb": "arm", "confirm": 0}, "confirm is a number of seconds"),
        ({"verb": "arm", "confirm": "10m"}, "confirm is a number of seconds"),
    ):
        assert sentence in ask(rig, **fields)["error"]  # type: ignore[arg-type]
    for text in ("[]", "no", "7"):
        said = rig.run(lambda wrong=text: answer(rig.enforcer, wrong))  # type: ignore[misc]
        assert "error" in json.loads(str(said))
    assert ask(rig, "blocked")["held"] == []
    assert set(VERBS) >= {"figures", "blocked", "why", "panic"}


def test_many_fit_into_an_answer(rig: Rig) -> None:
    """Of more holds than a message has room for the first are told, the rest counted."""
    rig.run(rig.enforcer.begin)
    for number in range(600):
        address = f"198.51.{100 + number // 250}.{number % 250 + 1}"
        rig.enforcer.orders.block_by_hand(address, 60, "\x01" * 64, rig.now)
    told = ask(rig, "blocked")
    assert 50 < len(told["held"]) < 600
    assert len(told["held"]) + told["more"] == 600
    assert len(json.dumps(told)) < 60000
