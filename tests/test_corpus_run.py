"""Real captures through the whole program: no crash, no hang, the right families, no false alert."""

from pathlib import Path

import pytest

from tests.program import ROOT, Done, analyse

CORPUS = ROOT.parent / "shared" / "corpus"
SECONDS = 100  #: for one file, the largest has 150,000 packets

#: Label (its beginning) -> family in which its file must raise evidence of at least medium level.
FAMILIES = {"scan-": "scan", "bruteforce-ssh": "bruteforce", "arp-spoof": "spoof"}

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
