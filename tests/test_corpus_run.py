"""Real captures through the whole program: no crash, no hang, the right families, no alarm."""

from pathlib import Path
from typing import Any

import pytest

from tests.program import ROOT, Done, analyse

CORPUS = ROOT.parent / "shared" / "corpus"
SECONDS = 100  #: for one file, the largest has 150,000 packets

#: Label (its beginning) -> family in which its file must raise evidence of at least medium level.
FAMILIES = {
    "scan-": "scan",
    "arp-or-scan": "scan",
    "bruteforce-ssh": "bruteforce",
    "arp-spoof": "spoof",
}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"there is no {CORPUS}"),
]


def manifest() -> dict[str, str]:
    """Path -> label."""
    if not CORPUS.is_dir():
        return {}
    lines = (CORPUS / "MANIFEST.tsv").read_text().splitlines()[1:]
    return {path: label for path, label, *_ in (line.split("\t") for line in lines)}


LABELS = manifest()


def files(folder: str) -> list[str]:
    """The captures of a folder."""
    return sorted(path for path in LABELS if path.startswith(f"{folder}/"))


#: Labelled so, but of one connection or one port: nothing in them is a scan of ports or addresses.
OTHERWISE = {
    "detect/ICMP_echo_fingerprinting.pcap": "fingerprints the system of one host",
    "detect/discovery_scan_dcerpc_endpoint_mapper.pcapng": "asks one service in one connection",
    "detect/hs-sh-IPscan.pcapng": "asks one host for IP protocols, neither ports nor addresses",
    "detect/nmap_80_all.pcap": "asks one port",
    "detect/nmap_80_vanilla.pcap": "asks one port, once",
    "detect/osfingerprinting.pcap": "fingerprints the system of one host",
    "detect/vnc-scanner.pcap": "one connection",
}

#: Not found at medium level; at most a tenth of those that should be.
MISSED: dict[str, str] = {}


def family_of(path: str) -> str:
    """The family in which the file must raise evidence, "" when it need not."""
    if path in OTHERWISE:
        return ""
    matching = [f for start, f in FAMILIES.items() if LABELS[path].startswith(start)]
    return matching[0] if matching else ""


def sampled(folder: str) -> list[Any]:
    """All files of a folder, of which a third is run always and the rest by --all only."""
    chosen = []
    for number, path in enumerate(files(folder)):
        always = number % 3 == 0 or bool(family_of(path))
        chosen.append(pytest.param(path, marks=[] if always else pytest.mark.slow))
    return chosen


def run(path: str, folder: Path) -> Done:
    """Run one file; it must end by itself, in time, and tell of no fault of ours."""
    done = analyse(CORPUS / path, folder, seconds=SECONDS)
    assert done.status in (0, 1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert done.text("errors.log") == ""
    return done


@pytest.mark.parametrize("path", sampled("benign"))
def test_benign_raises_no_alert(path: str, tmp_path: Path) -> None:
    """Ordinary traffic is read to its end and accused of nothing."""
    done = run(path, tmp_path / "output")
    assert done.status == 0, done.stderr
    assert done.incidents() == []


@pytest.mark.parametrize("path", sampled("detect"))
def test_attack_is_found(path: str, tmp_path: Path) -> None:
    """Scans, ssh guessing and ARP spoofing are evidence of medium level or more."""
    done = run(path, tmp_path / "output")
    assert done.status == 0, done.stderr
    family = family_of(path)
    found = {
        entry["family"]
        for entry in done.evidence()
        if entry["threat_level"] in ("medium", "high", "critical")
    }
    assert (family in found) is (bool(family) and path not in MISSED)


@pytest.mark.parametrize("path", sampled("malformed"))
def test_malformed_does_no_harm(path: str, tmp_path: Path) -> None:
    """Broken input ends in a sentence or in results, never in a crash or a hang."""
    done = run(path, tmp_path / "output")
    assert done.status == 0 or len(done.stderr.splitlines()) >= 1


def test_nine_of_ten_are_found() -> None:
    """The list of what is missed may hold a tenth of what should be found."""
    wanted = [path for path in LABELS if path.startswith("detect/") and family_of(path)]
    assert set(MISSED) <= set(wanted)
    assert len(MISSED) * 10 <= len(wanted)
