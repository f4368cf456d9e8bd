"""hdr-lite flows: a capture file in, lines of JSON out."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hdr_lite.cli import main
from tests.hdr_lite.sources.captures import pcap
from tests.traffic import frames

ROOT = Path(__file__).parents[3]
SECOND = 10**9
START = 1_700_000_000 * SECOND
INSIDE, OUTSIDE = "10.0.0.1", "198.51.100.1"


def _frame(source: str, destination: str, segment: bytes, protocol: int = frames.TCP) -> bytes:
    packet = frames.ip(source, destination, protocol, segment)
    return frames.ethernet("02:00:00:00:00:01", "02:00:00:00:00:02", frames.IPV4, packet)


def _connection(port: int) -> list[bytes]:
    client, server = (INSIDE, 40000), (OUTSIDE, port)
    ack, fin = frames.ACK, frames.ACK | frames.FIN
    there = [
        frames.tcp(client, server, frames.SYN, seq=100),
        frames.tcp(client, server, ack, seq=101, ack=501),
        frames.tcp(client, server, ack | frames.PSH, seq=101, ack=501, payload=b"hello"),
        frames.tcp(client, server, fin, seq=106, ack=501),
        frames.tcp(client, server, ack, seq=107, ack=502),
    ]
    back = [
        frames.tcp(server, client, frames.SYN | ack, seq=500, ack=101),
        frames.tcp(server, client, fin, seq=501, ack=107),
    ]
    out = [_frame(INSIDE, OUTSIDE, segment) for segment in there]
    out[1:1] = [_frame(OUTSIDE, INSIDE, back[0])]
    out[5:5] = [_frame(OUTSIDE, INSIDE, back[1])]
    return out


def _write(path: Path, packets: list[bytes], step: int = SECOND // 10) -> str:
    return str(pcap(path, [(START + i * step, packet) for i, packet in enumerate(packets)]))


def _lines(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main(["flows", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_connection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One connection is one line, with Zeek's words for it."""
    (line,) = _lines(capsys, _write(tmp_path / "a.pcap", _connection(9999)))
    assert line["ts"] == 1_700_000_000.0
    assert (line["id.orig_h"], line["id.resp_p"], line["proto"]) == (INSIDE, 9999, "tcp")
    assert (line["conn_state"], line["history"]) == ("SF", "ShADFf")
    assert (line["orig_bytes"], line["resp_bytes"], line["duration"]) == (5, 0, 0.5)
    assert (line["orig_pkts"], line["resp_pkts"], line["service"]) == (5, 2, None)


def test_the_same_bytes_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same file gives the same lines, ids included, in the same order."""
    packets = [packet for port in range(9000, 9050) for packet in _connection(port)]
    path = _write(tmp_path / "a.pcap", packets)
    assert main(["flows", path]) == 0
    first = capsys.readouterr().out
    assert first.count("\n") == 50
    assert main(["flows", path]) == 0
    assert capsys.readouterr().out == first


def test_folded_flows_are_there_and_checkpoints_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scan that detection sees as a sum still has a line per flow; a long flow has one."""
    scan = [
        _frame(INSIDE, OUTSIDE, frames.tcp((INSIDE, 40000), (OUTSIDE, port), frames.SYN))
        for port in range(1, 301)
    ]
    path = _write(tmp_path / "scan.pcap", scan, step=SECOND // 1000)
    lines = _lines(capsys, path)
    assert len(lines) == 300
    assert {line["conn_state"] for line in lines} == {"S0"}
    (total,) = _lines(capsys, path, "--kind", "attempts")
    assert (total["id.orig_h"], total["attempts"]) == (INSIDE, 300 - 64)
    long = [
        _frame(INSIDE, OUTSIDE, frames.udp((INSIDE, 5000), (OUTSIDE, 9999), b"x"), frames.UDP)
    ] * 30
    (line,) = _lines(capsys, _write(tmp_path / "long.pcap", long, step=50 * SECOND))
    assert (line["orig_pkts"], line["duration"]) == (30, 1450.0)


def test_settings_and_filter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verb takes the settings that others take."""
    path = _write(tmp_path / "a.pcap", _connection(9999) + _connection(9998))
    assert len(_lines(capsys, path, "-F", "port 9999")) == 1
    assert main(["flows", path, "--set", "meter.flows=2"]) == 2
    assert "meter.flows" in capsys.readouterr().err


def test_arp(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Facts of a protocol are asked for by its name."""
    mac = "02:00:00:00:00:01"
    message = frames.arp(1, mac, INSIDE, frames.NO_MAC, "10.0.0.2")
    frame = frames.ethernet(mac, frames.BROADCAST, frames.ARP, message)
    (line,) = _lines(capsys, _write(tmp_path / "a.pcap", [frame]), "--kind", "arp")
    assert (line["operation"], line["resp_h"]) == ("request", "10.0.0.2")


def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is none is one sentence and status 2; one that breaks off gives what it has."""
    assert main(["flows", str(tmp_path / "none.pcap")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    path = Path(_write(tmp_path / "a.pcap", _connection(9999)))
    path.write_bytes(path.read_bytes()[:-10])
    assert main(["flows", str(path)]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "broken after 6 packets" in captured.err


def test_link_type_that_is_not_decoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named in one sentence, and nothing else goes wrong."""
    path = Path(_write(tmp_path / "a.pcap", _connection(9999)))
    content = bytearray(path.read_bytes())
    content[20:24] = (147).to_bytes(4, "little")  # USER0
    path.write_bytes(content)
    assert main(["flows", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search("link type (DLT_147|USER0) is not decoded", captured.err)  # libpcap's name


@pytest.mark.parametrize("option", ["--flows", "-v 1", "--disable arp", "--modules-dir x"])
def test_no_option_without_effect(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What concerns detection is no option of this verb."""
    with pytest.raises(SystemExit) as ended:
        main(["flows", "x.pcap", *option.split()])
    assert ended.value.code == 2
    assert "unrecognized arguments: -" in capsys.readouterr().err


def test_a_pipe(tmp_path: Path) -> None:
    """A capture that can be read but once is read but once."""
    path = pcap(tmp_path / "a.pcap", [(START, frame) for frame in _connection(80)])
    code = f"cat {path} | {sys.executable} -m hdr_lite flows /dev/stdin"
    done = subprocess.run(code, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
