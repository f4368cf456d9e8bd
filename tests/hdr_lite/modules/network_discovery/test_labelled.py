"""Precision on flows of real hosts that others have labelled (not ours to keep: see corpus)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdr_lite.module import Fate
from hdr_lite.module.testing import Harness, record
from hdr_lite.modules.network_discovery.network_discovery import NetworkDiscovery

CORPUS = Path(__file__).resolve().parents[5] / "shared/corpus/labelled"
LOGS = ("008-zeek-mixed", "010-zeek-mixed")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.exists(), reason=f"{CORPUS} is absent"),
]

#: Zeek's conn_state -> fate; states that tell none are left out.
FATES = {"S0": "unanswered", "RSTOS0": "unanswered", "SH": "unseen", "REJ": "refused"}
FATES |= dict.fromkeys(("S1", "S2", "S3", "SF", "RSTO", "RSTR"), "answered")


def rows(log: Path) -> Iterator[dict[str, str]]:
    """The rows of a TSV log by the names of their fields."""
    names: list[str] = []
    for line in log.read_text().splitlines():
        if line.startswith("#fields"):
            names = line.split()[1:]
        elif not line.startswith("#"):
            yield dict(zip(names, line.replace("   ", "\t").split("\t"), strict=False))


def fate_of(row: dict[str, str]) -> Fate | None:
    """What our meter would have told of the flow."""
    fate = FATES.get(row["conn_state"])
    group = row["id.resp_h"].startswith(("22", "23", "255.", "ff")) or row["proto"] == "icmp"
    if fate is None or group or row["history"].startswith("^"):
        return None
    return record(
        Fate,
        at=float(row["ts"]),
        saddr=row["id.orig_h"],
        sport=int(row["id.orig_p"]),
        daddr=row["id.resp_h"],
        dport=int(row["id.resp_p"]),
        proto=row["proto"],
        flags=2,
        fate=fate,
    )


@pytest.mark.parametrize("name", LOGS)
def test_nobody_benign_is_accused(name: str) -> None:
    """Every source that is accused is labelled malicious; there are scanners, and many are."""
    harness, labels = Harness(NetworkDiscovery), defaultdict[str, Counter[str]](Counter)
    for row in sorted(rows(CORPUS / name / "conn.log.labeled"), key=lambda row: float(row["ts"])):
        labels[row["id.orig_h"]][row["label"]] += 1
        fate = fate_of(row)
        if fate is not None:
            harness.feed(fate)
    accused = {finding.attacker for finding in harness.findings}
    assert {source for source in accused if labels[source]["Benign"]} == set()
    assert len(accused) >= 20
