"""Facts about DNS, TLS, HTTP and SSH against tshark's, over real captures."""

import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hdr_lite.cli.flows import records_of
from hdr_lite.config import Config
from hdr_lite.records.application import Dns, Http, Ssh, Tls
from hdr_lite.records.kind import Kind

CORPUS = Path(__file__).parents[3] / ".." / "shared" / "corpus"
KINDS = (Kind.DNS, Kind.HTTP, Kind.TLS, Kind.SSH)

#: The share of what tshark finds that must be found, per fact.
AGREEMENT = 0.99

Facts = Mapping[str, Counter[str]]

FIELDS = (
    "frame.protocols",
    "dns.qry.name",
    "dns.count.answers",
    "dns.resp.type",
    "dns.a",
    "dns.aaaa",
    "tls.handshake.extensions_server_name",
    "tls.handshake.ja3",
    "tls.handshake.ja3s",
    "http.host",
    "http.user_agent",
    "http.request.uri",
    "http.response.code",
    "ssh.protocol",
)
#: tshark's field -> name of the fact, for those that are compared one by one.
PLAIN = {
    "tls.handshake.extensions_server_name": "sni",
    "tls.handshake.ja3": "ja3",
    "tls.handshake.ja3s": "ja3s",
    "http.host": "host",
    "http.user_agent": "user agent",
    "http.request.uri": "uri",
    "http.response.code": "status",
    "ssh.protocol": "ssh",
}
#: Facts that are repeated at tshark's (a question in its answer) and compared as sets.
ONCE = ("query", "address")
#: TLS inside of these is not TLS over TCP; SSDP is HTTP's shape over UDP.
NOT_OURS = frozenset({"quic", "dtls", "eap", "openvpn", "ssdp"})

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is absent"),
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is absent"),
]


def tshark_rows(path: Path) -> Iterator[dict[str, list[str]]]:
    """For each frame with facts: field -> values."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a"]
    command += ["-E", "separator=\x1f", "-E", "aggregator=\x1e"]
    command += ["-Y", "dns or tls.handshake or http or ssh.protocol"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, check=False, timeout=100)
    for line in done.stdout.decode("utf-8", "replace").split("\n"):
        columns = line.split("\x1f")
        if len(columns) == len(FIELDS):
            values = ([v for v in column.split("\x1e") if v] for column in columns)
            yield dict(zip(FIELDS, values, strict=True))


def tshark_facts(path: Path) -> Facts:
    """What tshark finds, by fact."""
    facts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in tshark_rows(path):
        if NOT_OURS & {part for text in row["frame.protocols"] for part in text.split(":")}:
            continue
        # Names in other than ASCII are shown in ways that differ.
        names = (name for name in row["dns.qry.name"] if name.isascii() and name.isprintable())
        facts["query"].update(names)
        if len(row["dns.count.answers"]) == 1:  # one message: its answers come first
            types = row["dns.resp.type"][: int(row["dns.count.answers"][0])]
            facts["address"].update(row["dns.a"][: types.count("1")])
            facts["address"].update(row["dns.aaaa"][: types.count("28")])
        for field, fact in PLAIN.items():
            facts[fact].update(row[field])
    return facts


def record_facts(path: Path) -> Facts:
    """What our records say, by fact."""
    facts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in records_of(str(path), KINDS, Config()):
        match record:
            case Dns():
                query = "<Root>" if record.query == "." else record.query.replace(r"\x5c", "\\")
                facts["query"][query] += 1
                facts["address"].update(record.answers)
            case Tls():
                told = {"sni": record.server_name, "ja3": record.ja3, "ja3s": record.ja3s}
                facts_of(facts, told)
            case Http():
                told = {
                    "host": record.host,
                    "user agent": record.user_agent,
                    "uri": record.uri,
                    "status": str(record.status or ""),
                }
                facts_of(facts, told)
            case Ssh():
                facts["ssh"].update(text for text in (record.client, record.server) if text)
    return facts


def facts_of(facts: defaultdict[str, Counter[str]], told: dict[str, str]) -> None:
    """Count those that are not empty."""
    for fact, value in told.items():
        if value:
            facts[fact][value] += 1


def found(fact: str, theirs: Counter[str], ours: Counter[str]) -> tuple[int, int]:
    """How many of tshark's values there are, and how many of them were found."""
    if fact in ONCE:
        return len(theirs), len(theirs.keys() & ours.keys())
    return theirs.total(), (theirs & ours).total()


def test_facts_agree_with_tshark(capsys: pytest.CaptureFixture[str]) -> None:
    """Names, addresses, fingerprints, requests and identifications are those tshark finds."""
    paths = sorted(p for folder in ("benign", "detect") for p in (CORPUS / folder).iterdir())
    expected: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    with ThreadPoolExecutor(2) as pool:
        for path, theirs in zip(paths, pool.map(tshark_facts, paths), strict=True):
            ours = record_facts(path) if theirs else {}
            for fact, values in theirs.items():
                all_of_them, right = found(fact, values, ours.get(fact, Counter()))
                expected[fact] += all_of_them
                agreed[fact] += right
    shares = {fact: agreed[fact] / expected[fact] for fact in sorted(expected)}
    with capsys.disabled():
        print("".join(f"\n{fact}: {agreed[fact]} of {expected[fact]}" for fact in shares))
    assert set(shares) == {*ONCE, *PLAIN.values()}
    assert {fact for fact, share in shares.items() if share < AGREEMENT} == set()


#: File, attempts -> how many connections that end without success; the tools' own pattern.
GUESSING = {
    "hydra-8_tasks.pcap": {6: 480, 1: 3},
    "medusa-1_tasks.pcap": {3: 195, 2: 1},
    "ncrack-paranoid.pcap": {1: 110},
    "ncrack-sneaky.pcap": {2: 150},
    "kali-password-attack_hydra.pcap": {1: 5},
}


@pytest.mark.parametrize("name", GUESSING)
def test_guessed_passwords_are_counted(name: str) -> None:
    """Each connection of a password guesser has its attempts, and none is taken for a login."""
    ssh = record_list(CORPUS / "detect" / name)
    assert Counter(r.attempts for r in ssh if r.success is False) == GUESSING[name]


def test_logins_are_told() -> None:
    """A person's login is a success, and so is the one password that a guesser found."""
    person = record_list(CORPUS / "benign" / "kali-normal-ssh.pcap")
    assert [r.success for r in person] == [True]
    guesser = record_list(CORPUS / "detect" / "kali-password-attack_hydra.pcap")
    assert [r.attempts for r in guesser if r.success] == [1]


def record_list(path: Path) -> list[Ssh]:
    """The SSH records of a capture."""
    return [r for r in records_of(str(path), (Kind.SSH,), Config()) if isinstance(r, Ssh)]
