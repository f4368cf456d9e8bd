"""A token becomes an enrolment, or nothing."""

import io
from pathlib import Path
from typing import Any

import msgpack
import pytest

from hdr_lite.cli import main
from hdr_lite.records.batch import Token, digest_text
from hdr_lite.sync.enrolment import Enrolment, is_enrolled, load_enrolment
from tests.hdr_lite.supervisor.serving import serving
from tests.hdr_lite.sync.certificates import Authority
from tests.hdr_lite.sync.conftest import _authority, _identity, _server  # noqa: F401 - fixtures
from tests.hdr_lite.sync.server import Asked, Server, Told

SECRET = "s" * 43


class Collector:
    """Enrols once."""

    def __init__(self, authority: Authority) -> None:
        self.pem = authority.pem
        self.said: list[Any] = []
        self.answer = Told(200, msgpack.packb({"device": "ab" * 16, "secret": bytes(range(32))}))

    def __call__(self, asked: Asked) -> Told:
        if asked.path == "/v1/ca":
            return Told(200, self.pem.encode())
        self.said.append(msgpack.unpackb(asked.body) if asked.body else dict(asked.headers))
        return self.answer


@pytest.fixture(name="collector")
def _collector(server: Server, authority: Authority) -> Collector:
    server.answer = collector = Collector(authority)
    return collector


@pytest.fixture(name="token")
def _token(authority: Authority) -> Token:
    import ssl

    der = ssl.PEM_cert_to_DER_cert(authority.pem)
    return Token("0123abcd", SECRET, digest_text(der))


def enrol(folder: Path, *words: str) -> int:
    where = f"sync.state={folder}/state"
    spool = f"sync.spool={folder}/spool"
    return main(["enrol", *words, "--runtime", str(folder), "--set", where, "--set", spool])


def enrolment(folder: Path) -> Enrolment:
    found = load_enrolment(str(folder / "state"))
    assert found is not None
    return found


def test_a_token_is_exchanged(
    tmp_path: Path,
    server: Server,
    authority: Authority,
    collector: Collector,
    token: Token,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The CA is known by the token's digest, then alone trusted; the secret is shown nowhere."""
    assert enrol(tmp_path, server.url, "--token", str(token), "--name", "attic") == 0
    found = enrolment(tmp_path)
    assert (found.url, found.device, found.name) == (server.url, "ab" * 16, "attic")
    assert found.secret == bytes(range(32))
    assert found.ca.split() == authority.pem.split()
    (said,) = collector.said
    assert said["model"]
    assert said.items() >= {"token": "0123abcd", "secret": SECRET, "name": "attic"}.items()
    assert [asked.connection for asked in server.asked] == [1, 2]
    shown = "".join(capsys.readouterr())
    assert "enrolled at" in shown
    assert "the service was not told: nothing runs" in shown
    assert SECRET not in shown
    assert found.secret.hex() not in shown
    assert enrol(tmp_path, "--status") == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"enrolled at {server.url} as attic, device {'ab' * 16}\n")
    assert found.secret.hex() not in shown


def test_a_token_from_standard_input(
    tmp_path: Path,
    server: Server,
    collector: Collector,
    token: Token,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that no list of processes shows it."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    assert enrol(tmp_path, server.url, "--token", "-") == 0
    assert collector.said[0]["secret"] == SECRET


def test_an_impostor_does_not_get_the_token(
    tmp_path: Path,
    server: Server,
    collector: Collector,
    token: Token,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Another CA than the token's, whatever it shows: the secret is not sent."""
    own = Authority(tmp_path / "impostor").pem
    for pem in (own, "", "-----BEGIN CERTIFICATE-----\n"):
        collector.pem = pem
        assert enrol(tmp_path, server.url, "--token", str(token)) == 2
        assert "who answers there is not the collector that made" in capsys.readouterr().err
    assert collector.said == []
    assert not is_enrolled(str(tmp_path / "state"))


def test_who_shows_the_right_ca_and_has_no_certificate_of_it(
    tmp_path: Path, authority: Authority, token: Token, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CA is public: that somebody shows it proves nothing."""
    with Server(Authority(tmp_path / "impostor").sign("x")) as server:
        server.answer = collector = Collector(authority)
        assert enrol(tmp_path, server.url, "--token", str(token)) == 2
        assert "its certificate is not trusted" in capsys.readouterr().err
        assert collector.said == []


def test_refusals(
    tmp_path: Path,
    server: Server,
    collector: Collector,
    token: Token,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the collector's words, without what was sent; nothing is kept."""
    for answer, words in (
        (Told(403, msgpack.packb({"reason": "the token was used"})), "(the token was used)"),
        (Told(200, b""), "it answers 200"),
        (Told(200, msgpack.packb({"device": "x", "secret": bytes(32)})), "a name that is none"),
        (Told(200, msgpack.packb({"device": "ab" * 16, "secret": b"short"})), "does not enrol"),
    ):
        collector.answer = answer
        assert enrol(tmp_path, server.url, "--token", str(token)) == 2
        shown = "".join(capsys.readouterr())
        assert words in shown
        assert SECRET not in shown
    assert not is_enrolled(str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "takes the collector's URL and --token"),
        (("https://127.0.0.1",), "takes the collector's URL and --token"),
        (("http://127.0.0.1", "--token", "TOKEN"), "is no address of a collector"),
        (("https://127.0.0.1", "--token", "hdr1.x"), "this is no enrolment token"),
        (("--rotate",), "this device is not enrolled"),
    ],
)
def test_mistakes(
    tmp_path: Path,
    token: Token,
    words: tuple[str, ...],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A sentence each."""
    assert enrol(tmp_path, *(str(token) if w == "TOKEN" else w for w in words)) == 2
    assert sentence in capsys.readouterr().err


def test_rotate_and_forget(
    tmp_path: Path,
    server: Server,
    collector: Collector,
    token: Token,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A new secret replaces the old one; a refusal leaves it; what is forgotten is gone."""
    enrol(tmp_path, server.url, "--token", str(token))
    assert enrol(tmp_path, server.url, "--token", str(token)) == 2
    assert "already" in capsys.readouterr().err
    collector.answer = Told(401)
    assert enrol(tmp_path, "--rotate") == 2
    assert enrolment(tmp_path).secret == bytes(range(32))
    collector.answer = Told(200, msgpack.packb({"secret": bytes(32)}))
    assert enrol(tmp_path, "--rotate") == 0
    assert enrolment(tmp_path).secret == bytes(32)
    assert server.asked[-1].path == "/v1/rotate"
    assert enrol(tmp_path, "--forget") == 0
    assert enrol(tmp_path, "--status") == 1
    assert capsys.readouterr().out.endswith("not enrolled\n")
    assert enrol(tmp_path, "--forget") == 0


def test_a_running_service_is_told(
    tmp_path: Path,
    server: Server,
    collector: Collector,
    token: Token,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By its control socket, once there is something to find."""
    asked: list[Any] = []

    def handler(request: Any, reply: Any) -> None:
        asked.append((request, is_enrolled(str(tmp_path / "state"))))
        reply({"state": "x"})

    with serving(tmp_path / "hdr-lite.sock", handler):
        assert enrol(tmp_path, server.url, "--token", str(token)) == 0
        assert enrol(tmp_path, "--forget") == 0
    assert asked == [({"verb": "reload"}, True), ({"verb": "reload"}, False)]
    assert "the service was told: it reports from now on" in capsys.readouterr().out
