"""First packets and conntrack tell the same flows as a plain capture of the same traffic."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hdr_lite.sources.nflog import FirstPackets, log_rules
from tests.netns import router as names
from tests.netns.network import Namespace
from tests.netns.router import Routed, routed
from tests.program import ROOT

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="needs nftables"),
]

#: Seconds from the last packet until every closed flow was told.
SETTLE = 5.0
MILLISECOND = 1_000_000


RULES = f"""
table ip nat {{
    chain leaving {{
        type nat hook postrouting priority 100
        oifname wan0 ip saddr {names.LAN4} masquerade
    }}
    chain entering {{
        type nat hook prerouting priority -100
        iifname wan0 tcp dport 8443 dnat to {names.LAN4}:80
    }}
}}
table inet fw {{
    chain local {{
        type filter hook input priority 0
        tcp dport 7 drop
    }}
    chain passing {{
        type filter hook forward priority 0
        tcp dport 7 drop
    }}
}}
"""


class Program:
    """A program in a namespace that says ``ready`` and ends when its input is closed."""

    def __init__(self, namespace: Namespace, module: str, *arguments: str) -> None:
        command = (sys.executable, "-m", f"tests.netns.{module}", *arguments)
        self._process = subprocess.Popen(
            namespace.words(*command),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def finish(self) -> str:
        """Close its input; what it said after that."""
        out, _ = self._process.communicate(timeout=30)
        assert self._process.returncode == 0
        return out

    def kill(self) -> None:
        """Make sure that it is gone."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def running(namespace: Namespace, module: str, *arguments: str) -> Iterator[Program]:
    """That program, gone at the end whatever happens."""
    program = Program(namespace, module, *arguments)
    try:
        yield program
    finally:
        program.kill()


@pytest.fixture(name="net")
def _net() -> Iterator[Routed]:
    """The router with its NAT, a filter, and the rules that log first packets."""
    with routed() as net:
        net.nft(RULES)
        net.nft_json([{"add": {"table": {"family": "inet", "name": "hdr_lite"}}}])
        net.nft_json(log_rules(FirstPackets()))
        yield net


def _flows(path: Path) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Ended flows by key, in the order of their start; without the kernels' own on a link."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in path.read_text().splitlines():
        flow = json.loads(line)
        key = tuple(flow.get(field) for field in ("proto", "saddr", "sport", "daddr", "dport"))
        if (
            flow["kind"] != "ARP"
            and flow["end"] != "active"
            and not flow["saddr"].startswith("fe80:")
        ):
            found.setdefault(key, []).append(flow)
    return found


def _meter(
    net: Routed, folder: Path, talk: list[tuple[Namespace, tuple[str, ...]]]
) -> dict[str, Any]:
    """Run the talks under the three sensors; what the nflog one counted."""
    sensors = ("nflog", "lan0", "wan0")
    with (
        running(net.outside, "talk", "serve"),
        running(net.lan, "talk", "serve"),
        running(net.router, "metering", "nflog", str(folder / "nflog")) as first,
        running(net.router, "metering", "lan0", str(folder / "lan0")) as second,
        running(net.router, "metering", "wan0", str(folder / "wan0")) as third,
    ):
        assert len(sensors) == 3
        for namespace, words in talk:
            namespace.run(
                "env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.netns.talk", *words
            )
        time.sleep(SETTLE)
        said = [json.loads(program.finish()) for program in (first, second, third)]
    assert [facts["dropped"] for facts in said] == [0, 0, 0]
    counted: dict[str, Any] = said[0]
    return counted


def _outside(folder: Path) -> set[str]:
    """Outside addresses of flows between the LAN and the outside, IPv4 TCP and UDP."""
    return {
        flow["outside"]
        for (proto, source, *_), flows in _flows(folder / "nflog").items()
        if proto in {"tcp", "udp"} and source == names.LAN4
        for flow in flows
        if flow["state"] != "S0"
    }


def _compare(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """How two records of one flow differ."""
    fields = ("spkts", "dpkts", "sipbytes", "dipbytes", "state", "sbytes", "dbytes")
    differing = [f"{f}: {found[f]} != {expected[f]}" for f in fields if found[f] != expected[f]]
    if abs(found["ts"] - expected["ts"]) > MILLISECOND:
        differing.append(f"ts: {(found['ts'] - expected['ts']) / MILLISECOND} ms apart")
    return differing


def _differences(folder: Path) -> list[str]:
    """Where nflog's flows are not those of the captures, a line each."""
    first, lan, wan = (_flows(folder / name) for name in ("nflog", "lan0", "wan0"))
    lines = [f"only nflog: {key}" for key in first if key not in lan and key not in wan]
    lines += [f"only lan0: {key}" for key in lan if key not in first]
    for key, found in first.items():
        expected = lan.get(key) or wan.get(key) or found
        if len(found) != len(expected):
            lines.append(f"{key}: {len(found)} flows, not {len(expected)}")
        for one, other in zip(found, expected, strict=False):
            lines += [
                f"{key} {one['history']} {other['history']}: {d}" for d in _compare(one, other)
            ]
    return lines


def test_the_same_flows(net: Routed, tmp_path: Path) -> None:
    """Key, packets, bytes, first time and state agree with those of a capture, NAT and all."""
    counted = _meter(
        net,
        tmp_path,
        [
            (net.lan, ("lan", names.OUTSIDE4)),
            (net.lan, ("lan", names.OUTSIDE6)),
            (net.outside, ("outside", names.LAN4, names.WAN4, names.WAN4)),
            (net.outside, ("outside", names.LAN6, names.WAN6, "-")),
        ],
    )
    print(counted)
    assert _differences(tmp_path) == []
    assert _outside(tmp_path) == {names.WAN4}
    states = {flow["state"] for flows in _flows(tmp_path / "nflog").values() for flow in flows}
    assert states >= {"S0", "REJ", "SF", "RSTO", "RSTR"}
