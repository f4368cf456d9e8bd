"""Real captures through the whole program: no crash, no hang, the right families, no alarm."""

from pathlib import Path

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


#: Labelled so, but of one connection: no scan of ports or addresses is in them.
OTHERWISE = {
    "detect/discovery_scan_dcerpc_endpoint_mapper.pcapng": "asks one service in one connection",
    "detect/vnc-scanner.pcap": "one connection",
}

#: Not found at medium level, and why; at most a tenth of those that should be.
MISSED: dict[str, str] = {}


def family_of(path: str) -> str:
    """The family that the file's label promises, "" for one that is no matter here."""
    matching = [f for start, f in FAMILIES.items() if LABELS[path].startswith(start)]
    return matching[0] if matching else ""


def run(path: str, folder: Path) -> Done:
    """Run one file; it must end by itself, in time, and tell of no fault of ours."""
    done = analyse(CORPUS / path, folder, seconds=SECONDS)
    assert done.status in (0, 1, 2), done.stderr
    assert "Traceback" not in done.stderr
    faults = done.text("errors.log").splitlines()
    assert [line for line in faults if ": broken after " not in line] == []  # the file's own fault
    return done


@pytest.mark.parametrize("path", files("benign"))
def test_benign_raises_no_alert(path: str, tmp_path: Path) -> None:
    """Ordinary traffic is read to its end and accused of nothing."""
    done = run(path, tmp_path / "output")
    assert done.status == 0, done.stderr
    assert done.incidents() == []


@pytest.mark.parametrize("path", files("detect"))
def test_attack_is_found(path: str, tmp_path: Path) -> None:
    """Scans, ssh guessing and ARP spoofing are evidence of medium level or more."""
    done = run(path, tmp_path / "output")
    assert done.status == 0, done.stderr
    family = family_of(path)
    strong = [e for e in done.evidence() if e["threat_level"] in ("medium", "high", "critical")]
    if family:
        excused = path in MISSED or path in OTHERWISE
        assert (family in {entry["family"] for entry in strong}) is not excused


@pytest.mark.parametrize("path", files("malformed"))
def test_malformed_does_no_harm(path: str, tmp_path: Path) -> None:
    """Broken input ends in a sentence or in results, never in a crash or a hang."""
    done = run(path, tmp_path / "output")
    assert done.status == 0 or len(done.stderr.splitlines()) >= 1


def test_nine_of_ten_are_found() -> None:
    """The list of what is missed may hold a tenth of what should be found."""
    wanted = {path for path in files("detect") if family_of(path)} - OTHERWISE.keys()
    assert MISSED.keys() <= wanted
    assert len(MISSED) * 10 <= len(wanted)
