"""The scenarios: fixed for ever, labelled, well formed."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from hdr_lite.records.evidence import FAMILY_OF
from tests.traffic.scenarios import SCENARIOS, build

SUMS = Path(__file__).parent / "SHA256SUMS"
CHECKSUMS = ("ip", "tcp", "udp", "icmp", "icmpv6", "vrrp")


def known_sums() -> dict[str, str]:
    """Scenario -> digest of its capture with seed 1."""
    lines = (line.split() for line in SUMS.read_text().splitlines())
    return {name.removesuffix(".pcap"): digest for digest, name in lines}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_same_seed_gives_the_same_bytes(name: str) -> None:
    """Each capture has the digest in SHA256SUMS, on every machine and Python version.

    After a wanted change: write all captures to a folder, ``sha256sum *.pcap`` into that file.
    """
    assert hashlib.sha256(build(name).pcap()).hexdigest() == known_sums()[name]


def test_sums_name_every_scenario() -> None:
    """No digest is left over."""
    assert known_sums().keys() == SCENARIOS.keys()


def test_other_seeds_give_other_traffic() -> None:
    """A seed changes the course of a scenario, not what happens in it."""
    first, second = build("home", 1), build("home", 2)
    assert first.pcap() != second.pcap()
    assert abs(len(first.frames()) - len(second.frames())) < len(first.frames()) // 4


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_labels_are_known_evidence(name: str) -> None:
    """A scenario says what it is, and expects only types that exist."""
    chosen = SCENARIOS[name]
    assert chosen.meaning.endswith(".")
    assert set(chosen.evidence) <= FAMILY_OF.keys()
    assert not chosen.accused or chosen.evidence


#: Scenarios in which a protocol's payload is filler, as nobody of ours reads it.
FILLER = {"answers_only": ("dns", "ntp"), "quic_blocked": ("quic",), "shares": ("smb2",)}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_tshark_finds_no_fault(name: str, tmp_path: Path) -> None:
    """No wrong checksum and no malformed packet, in the eyes of another dissector."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    path = tmp_path / f"{name}.pcap"
    build(name).write(path)
    wrong = " || ".join([f"{p}.checksum.status == 0" for p in CHECKSUMS] + ["_ws.malformed"])
    options = [f"-o{p}.check_checksum:TRUE" for p in ("ip", "tcp", "udp")]
    if name in FILLER:
        options += [word for p in FILLER[name] for word in ("--disable-protocol", p)]
    command = [tshark, "-n", "-r", str(path), *options, "-Y", wrong]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    # what ssh has encrypted is random here; tshark 4.4 tries to read it all the same
    assert [line for line in found.stdout.splitlines() if "Encrypted packet" not in line] == []
