"""Live: what is found on a wire is what is found in the file of the same traffic."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.netns.network import Network, wires
from tests.netns.watch import watching
from tests.program import ROOT, analyse
from tests.traffic.scenarios import SCENARIOS, build

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
]

#: What may differ between two runs of the same traffic at different times.
PASSING = {"id", "ts", "uids", "ID", "StartTime", "EndTime", "CreateTime", "CorrelID", "RelID"}


@pytest.fixture
def network() -> Iterator[Network]:
    """Two wires between two namespaces."""
    with wires(2) as made:
        yield made


def send(network: Network, scenario: str, interface: str, *options: str) -> int:
    """Have a scenario's frames sent from the outer namespace; how many."""
    command = (sys.executable, "-m", "tests.netns.replay", scenario, interface, *options)
    return int(network.outer.run("env", f"PYTHONPATH={ROOT}", *command))


def lasting(value: Any) -> Any:
    """What is found, without times and names of single things."""
    if isinstance(value, dict):
        return {key: lasting(inner) for key, inner in value.items() if key not in PASSING}
    if isinstance(value, list):
        return [lasting(inner) for inner in value]
    if isinstance(value, str) and value.startswith("{"):  # IDMEFv2's Note holds JSON
        return lasting(json.loads(value))
    return value


def findings(objects: list[dict[str, Any]]) -> list[str]:
    """The objects in a form and order that do not depend on time."""
    return sorted(json.dumps(lasting(entry), sort_keys=True) for entry in objects)


def live_is_like_file(scenario: str, network: Network, capture: Path, folder: Path) -> None:
    """Replay at its own pace; compare evidence and alerts with those of the file."""
    in_file = analyse(capture, folder / "file")
    with watching(network.inner, folder / "live", "-i", "in0") as watch:
        sent = send(network, scenario, "out0")
        watch.until(sent)
        live = watch.interrupt()
    assert live.status == 0
    for name in ("evidence.jsonl", "alerts.json"):
        assert findings(live.objects(name)) == findings(in_file.objects(name))
    found = {entry["type"] for entry in live.evidence()}
    assert found >= set(SCENARIOS[scenario].evidence)
    assert live.incidents()


def test_seven_seconds_live(network: Network, capture: Callable[..., Path], tmp_path: Path) -> None:
    """A scan, password guessing and an ARP attack on a wire give what their file gives."""
    live_is_like_file("live_short", network, capture("live_short"), tmp_path)


@pytest.mark.slow
def test_a_minute_live(network: Network, capture: Callable[..., Path], tmp_path: Path) -> None:
    """The same in a minute of other traffic, at its own pace."""
    live_is_like_file("live", network, capture("live"), tmp_path)


def test_several_interfaces(network: Network, tmp_path: Path) -> None:
    """Two wires, an attack on each: both are found in one run."""
    with watching(network.inner, tmp_path / "live", "-i", "in0", "-i", "in1") as watch:
        sent = send(network, "scan_syn", "out0", "--flood")
        sent += send(network, "arp_spoof", "out1", "--flood")
        watch.until(sent)
        done = watch.interrupt()
    assert done.status == 0
    found = {entry["type"] for entry in done.evidence()}
    assert {"VERTICAL_PORT_SCAN", "MITM_ARP_ATTACK"} <= found


def test_kernel_drops_are_reported(network: Network, tmp_path: Path) -> None:
    """What the kernel could not keep while the sensor slept is counted."""
    buffer = "capture.buffer=65536"
    with watching(network.inner, tmp_path / "live", "-i", "in0", "--set", buffer) as watch:
        sensor = watch.child("sensor")
        os.kill(sensor, signal.SIGSTOP)
        try:
            sent = send(network, "syn_flood", "out0", "--flood")
        finally:
            os.kill(sensor, signal.SIGCONT)
        watch.until(1)
        done = watch.interrupt()
    (source,) = done.objects("summary.json")[0]["run"]["sources"]
    assert source["dropped"] > 0
    assert source["packets"] + source["dropped"] == sent


def test_lost_interface_ends_the_run(network: Network, tmp_path: Path) -> None:
    """The only interface is removed: one sentence and status 1, and what was seen counts."""
    with watching(network.inner, tmp_path / "live", "-i", "in0") as watch:
        watch.until(send(network, "scan_syn", "out0", "--flood"))
        network.outer.run("ip", "link", "del", "out0")
        done = watch.end()
    assert done.status == 1
    assert "in0" in done.stderr
    assert "there is no interface left to watch" in done.stderr
    assert "ended with status" not in done.stderr
    assert "Traceback" not in done.stderr
    found = {entry["type"] for entry in done.evidence()}
    assert "VERTICAL_PORT_SCAN" in found


def test_interface_that_is_down_when_it_is_removed(network: Network, tmp_path: Path) -> None:
    """The kernel wakes nobody then, and yet the run does not watch nothing for ever."""
    with watching(network.inner, tmp_path / "live", "-i", "in0") as watch:
        network.inner.run("ip", "link", "set", "in0", "down")
        time.sleep(0.5)  # that it went down is heard, and is no end
        network.inner.run("ip", "link", "del", "in0")
        done = watch.end()
    assert done.status == 1
    assert "in0: broken after " in done.stderr
    assert "The interface disappeared" in done.stderr


def test_one_of_two_interfaces_is_lost(network: Network, tmp_path: Path) -> None:
    """One of two interfaces is removed: it is told, and the other is watched on."""
    with watching(network.inner, tmp_path / "live", "-i", "in0", "-i", "in1") as watch:
        network.outer.run("ip", "link", "del", "out0")
        watch.until(send(network, "scan_syn", "out1", "--flood"))
        done = watch.interrupt()
    assert done.status == 0
    assert "in0" in done.stderr
    found = {entry["type"] for entry in done.evidence()}
    assert "VERTICAL_PORT_SCAN" in found


def refusal(network: Network, folder: Path, *command: str) -> str:
    """What the program says when it cannot begin; its status must be 2, its words one line."""
    script = 'set +e; "$@" 2>&1 >/dev/null; echo "status $?"'
    program = (sys.executable, "-m", "hdr_lite", "run", "-o", str(folder))
    words = ["env", f"PYTHONPATH={ROOT}", "sh", "-c", script, "sh"]
    said, status = network.inner.run(
        *words, *command[:-1], *program, "-i", command[-1]
    ).splitlines()
    assert status == "status 2"
    return said


def test_absent_interface(network: Network, tmp_path: Path) -> None:
    """An interface that does not exist is one sentence that names those that do."""
    said = refusal(network, tmp_path / "out", "nosuch0")
    assert "nosuch0: no such interface" in said
    assert "in0" in said


def test_interface_that_is_down(network: Network, tmp_path: Path) -> None:
    """An interface that is down is told before anything else is done."""
    network.inner.run("ip", "link", "set", "in0", "down")
    assert "in0: the interface is down" in refusal(network, tmp_path / "out", "in0")


def test_forbidden_interface(network: Network, tmp_path: Path) -> None:
    """Without the privilege the sentence says which one is needed."""
    bounded = (
        "setpriv",
        "--bounding-set",
        "-net_raw,-net_admin",
        "--inh-caps",
        "-net_raw,-net_admin",
    )
    assert "CAP_NET_RAW" in refusal(network, tmp_path / "out", *bounded, "in0")


def test_traffic_is_as_long_as_promised() -> None:
    """The replayed scenarios last as long as this file says."""
    for scenario, seconds in (("live_short", 8), ("live", 60)):
        frames = build(scenario).frames()
        assert seconds - 3 < (frames[-1][0] - frames[0][0]) / 1e9 <= seconds
