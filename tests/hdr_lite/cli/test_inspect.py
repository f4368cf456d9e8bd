"""inspect: what it counts, what it says, and how it agrees with tshark."""

import argparse
import csv
import io
import json
import struct
from pathlib import Path

import pytest

from hdr_lite.cli import inspect, main

CORPUS = Path(__file__).parents[3] / ".." / "shared" / "corpus"

MACS = bytes.fromhex("020000000002020000000001")
SYN = bytes.fromhex(
    "450000280001000040060000c0000201c0000202"  # IPv4, 40 bytes
    "03e8005000000001000000005002040000000000"
)
ARP = bytes.fromhex("0001080006040001 020000000001 c0000201 000000000000 c0000202")


def pcap(*frames: bytes, linktype: int = 1) -> bytes:
    """A capture file of these frames, one a second."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, linktype)
    records = [
        struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame
        for second, frame in enumerate(frames)
    ]
    return head + b"".join(records)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A TCP SYN, its repetition, an ARP request and a cut IPv4 header."""
    frames = (
        MACS + b"\x08\x00" + SYN,
        MACS + b"\x08\x00" + SYN,
        MACS + b"\x08\x06" + ARP,
        MACS + b"\x08\x00" + SYN[:12],
    )
    path = tmp_path / "sample.pcap"
    path.write_bytes(pcap(*frames))
    return path


def test_json(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object holds every count of the contract and the malformed events."""
    assert main(["inspect", "--json", str(sample)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    facts = json.loads(out)
    assert facts.pop("events") == {"ipv4.truncated": 1}
    sizes = 2 * (14 + 40) + (14 + 28) + (14 + 12)
    assert {name: count for name, count in facts.items() if count} == {
        "frames": 4,
        "bytes": sizes,
        "captured": sizes,
        "ip4": 3,
        "tcp": 2,
        "arp": 1,
        "malformed": 1,
        "tcp4": 1,
        "tcp_tuples": 1,
        "ip_pairs": 1,
        "linktype": 1,
        "linktype_name": "EN10MB",
    }
    names = (
        "frames bytes captured ip4 ip6 tcp udp icmp icmp6 arp other frag malformed tcp4 tcp6 udp4"
        " udp6 tcp_tuples udp_tuples ip_pairs linktype"
    )
    assert set(names.split()) <= set(facts)


def test_table(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json a person reads aligned rows, malformed events below them."""
    assert main(["inspect", str(sample)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["link", "type", "EN10MB", "(1)"]
    assert lines[1].split() == ["frames", "4"]
    assert len({len(line) for line in lines[1 : 1 + len(inspect.ROWS)]}) == 1
    assert lines[-2:] == ["malformed, by event", f"  {'ipv4.truncated':<26} {1:>14}"]


def test_unknown_link_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A link type that is not decoded is named in one line; frames and bytes are counted."""
    path = tmp_path / "usb.pcap"
    path.write_bytes(pcap(bytes(64), bytes(10), linktype=220))
    assert main(["inspect", "--json", str(path)]) == 0
    out, err = capsys.readouterr()
    facts = json.loads(out)
    assert (facts["frames"], facts["bytes"], facts["other"]) == (2, 74, 2)
    assert len(err.splitlines()) == 1
    assert "USB_LINUX_MMAPPED (220)" in err


def test_cut_file(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that ends in the middle of a frame: what was read counts, a line says where."""
    sample.write_bytes(sample.read_bytes()[:-5])
    assert main(["inspect", "--json", str(sample)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["frames"] == 3
    assert "stopped after 3 frames: truncated" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("content", [None, b"", b"not a capture, whatever it is called"])
def test_no_capture(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is absent or no capture is one sentence and status 2."""
    path = tmp_path / "x.pcap"
    if content is not None:
        path.write_bytes(content)
    assert main(["inspect", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert str(path) in err
    assert len(err.splitlines()) == 1


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_progress(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the share of the file that was read is shown, and wiped at the end."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(inspect, "PROGRESS_INTERVAL", -1.0)
    monkeypatch.setattr(inspect, "BATCH", 1)
    parser = argparse.ArgumentParser()
    inspect.add_arguments(parser)
    assert inspect.run(parser.parse_args(["--json", str(sample)])) == 0
    assert "% read" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")


def test_many_conversations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Distinct conversations and pairs stay exact while their memory grows."""
    frames = [
        MACS
        + bytes.fromhex("08004500001c0001000040110000")
        + struct.pack(">II", 0x0A000000 + n // 2, 0xC0000201)
        + struct.pack(">HHHH", 1024 + n, 53, 8, 0)
        for n in range(6000)
    ]
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(*frames, *frames))
    assert main(["inspect", "--json", str(path)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["udp4"], facts["udp_tuples"], facts["ip_pairs"]) == (6000, 6000, 3000)
    assert facts["uncounted"] == 0


#: Files of the corpus whose count is tshark's, per field, of 629: may only rise.
AGREEING = {
    "frames": 623,
    "bytes": 622,
    "ip4": 628,
    "ip6": 628,
    "tcp": 626,
    "udp": 627,
    "icmp": 629,
    "icmp6": 625,
    "arp": 629,
    "other": 625,
    "frag": 629,
    "tcp4": 626,
    "tcp6": 628,
    "udp4": 623,
    "udp6": 629,
    "tcp_tuples": 627,
    "udp_tuples": 626,
    "ip_pairs": 627,
}

#: Files that agree in all of them but `other` and `frag`.
AGREEING_WHOLLY = 610

#: Fields where 2 % off still agrees.
NEAR = {"tcp4", "tcp6", "udp4", "udp6", "tcp_tuples", "udp_tuples", "ip_pairs"}


def counts(path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """What inspect counts; nothing when it is no capture."""
    status = main(["inspect", "--json", str(path)])
    out = capsys.readouterr().out
    return json.loads(out) if status == 0 else {}


@pytest.mark.corpus
def test_agreement_with_tshark(capsys: pytest.CaptureFixture[str]) -> None:
    """Over the whole corpus counts agree with tshark's in at least as many files as before."""
    if not CORPUS.is_dir():
        pytest.skip("../shared/corpus is absent")
    with (CORPUS / "MANIFEST.tsv").open(newline="") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))
    agreeing = dict.fromkeys(AGREEING, 0)
    wholly = 0
    for row in rows:
        ours, theirs = counts(CORPUS / row["path"], capsys), json.loads(row["tshark_facts"])
        wrong = set()
        for name in AGREEING:
            found, expected = ours.get(name, 0), theirs.get(name, 0)
            slack = 0.02 * expected if name in NEAR else 0
            agreeing[name] += abs(found - expected) <= slack
            if abs(found - expected) > slack:
                wrong.add(name)
        wholly += not wrong - {"other", "frag"}
    assert len(rows) == 629
    assert {name: count for name, count in agreeing.items() if count < AGREEING[name]} == {}
    assert wholly >= AGREEING_WHOLLY
