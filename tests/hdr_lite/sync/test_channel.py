"""The connection: whom it believes, what it survives, what it never says."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from hdr_lite.config import UserError
from hdr_lite.sync import channel
from hdr_lite.sync.channel import Channel, ChannelError, Proxy, Trust, find_proxy
from hdr_lite.sync.enrolment import Server as Address
from tests.hdr_lite.sync.certificates import Authority
from tests.hdr_lite.sync.server import Server, Told

OK = Told(200, b"fine")


def to(
    server: Server, trust: Trust, host: str = "127.0.0.1", proxy: Proxy | None = None
) -> Channel:
    return Channel(Address(host, server.port, ""), trust, proxy)


def why_not(way: Channel) -> str:
    """Why there is no answer."""
    with closing(way), pytest.raises(ChannelError) as caught:
        way.ask("GET", "/", {})
    return str(caught.value)


def test_requests_share_a_connection(server: Server, authority: Authority) -> None:
    """Several requests, one handshake; method, path, headers and body arrive."""
    server.script.extend([OK, OK])
    with closing(to(server, Trust(authority.pem))) as way:
        assert way.ask("POST", "/v1/batch", {"HDR-First": "7"}, b"body").body == b"fine"
        assert way.ask("GET", "/v1/ca", {}).status == 200
    first, second = server.asked
    assert (first.method, first.path, first.body) == ("POST", "/v1/batch", b"body")
    assert first.headers["hdr-first"] == "7"
    assert (first.connection, second.connection) == (1, 1)


@pytest.mark.parametrize("said", [True, False], ids=["announced", "silently"])
def test_a_kept_connection_that_ended_is_made_anew_with_tls(
    server: Server, authority: Authority, said: bool
) -> None:
    """The server may end it between two requests: the next one goes over a new one, encrypted."""
    ending = Told(200, b"", {"Connection": "close"} if said else {}, close=True)
    server.script.extend([ending, OK])
    with closing(to(server, Trust(authority.pem))) as way:
        way.ask("POST", "/a", {}, b"x")
        assert way.ask("POST", "/b", {}, b"secret").status == 200
    assert server.connections == 2
    assert server.plain == b""


def test_an_answer_that_is_cut_is_none(server: Server, authority: Authority) -> None:
    """Cut at each byte: an error each time, never a part taken for the whole."""
    length = len(OK.bytes)
    for cut in range(length):
        server.script.append(Told(200, b"fine", cut=cut))
        with closing(to(server, Trust(authority.pem))) as way, pytest.raises(ChannelError):
            way.ask("POST", "/v1/batch", {}, b"x")
    assert len(server.asked) == length  # a first request is not sent twice


def test_who_says_nothing(
    server: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes the request and does not answer is left."""
    monkeypatch.setattr(channel, "PATIENCE", 0.3)
    server.script.append(None)
    assert "does not answer in time" in why_not(to(server, Trust(authority.pem)))


def test_a_long_answer_is_refused(server: Server, authority: Authority) -> None:
    """No more is read than a collector ever says."""
    server.script.append(Told(200, bytes(channel.MOST_ANSWER + 1)))
    with (
        closing(to(server, Trust(authority.pem))) as way,
        pytest.raises(ChannelError, match="long"),
    ):
        way.ask("GET", "/", {})


def test_what_is_no_http(server: Server, authority: Authority) -> None:
    """Something else that listens there is named so, without quoting it."""

    class Garbage(Told):
        bytes = b"220 mail.example ESMTP\r\n"

    server.script.append(Garbage(200))
    assert "no HTTP: BadStatusLine" in why_not(to(server, Trust(authority.pem)))


def test_nobody_there(authority: Authority) -> None:
    """A refused connection is a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    way = Channel(Address("127.0.0.1", port, ""), Trust(authority.pem))
    with pytest.raises(ChannelError, match="connection refused"):
        way.ask("GET", "/", {})


# Whom it believes -------------------------------------------------------------------------


def test_another_authority_is_not_believed(
    server: Server, authority: Authority, tmp_path: Path
) -> None:
    """One CA only: not another one, not the system's; and nothing is said to the impostor."""
    other = Authority(tmp_path / "other")
    for trust in (Trust(other.pem), Trust()):
        with closing(to(server, trust)) as way, pytest.raises(ChannelError, match="not trusted"):
            way.ask("POST", "/v1/batch", {}, b"secret")
    assert server.asked == []


def test_another_name_is_not_believed(authority: Authority) -> None:
    """A certificate of the right CA for somebody else."""
    with Server(authority.sign("other", "DNS:elsewhere.example")) as server:
        assert "not trusted: IP address mismatch" in why_not(to(server, Trust(authority.pem)))
        assert server.asked == []


def test_anybody_is_believed_only_where_asked_for(server: Server) -> None:
    """For what is checked by its digest."""
    server.script.append(OK)
    with closing(to(server, Trust(anybody=True))) as way:
        assert way.ask("GET", "/v1/ca", {}).body == b"fine"


@pytest.mark.parametrize(
    ("starts", "ends", "clock", "works"),
    [
        (timedelta(days=400), timedelta(days=800), False, True),
        (timedelta(days=400), timedelta(days=800), True, False),
        (timedelta(days=-800), timedelta(days=-400), False, False),
    ],
    ids=["our clock is behind", "our clock is right", "it has expired"],
)
def test_a_device_without_a_clock(
    authority: Authority, starts: timedelta, ends: timedelta, clock: bool, works: bool
) -> None:
    """A certificate of the pinned CA that seems not yet valid is taken by a device that does not
    know the time, by no other one; one that has expired never is."""
    identity = authority.sign(f"dated{starts.days}", starts=starts, ends=ends)
    with Server(identity) as server:
        server.script.append(OK)
        with closing(to(server, Trust(authority.pem, clock=clock))) as way:
            if works:
                assert way.ask("GET", "/", {}).status == 200
            else:
                with pytest.raises(ChannelError, match="not trusted"):
                    way.ask("GET", "/", {})


def test_a_device_without_a_clock_believes_no_other_ca(
    tmp_path: Path, authority: Authority
) -> None:
    """By a device without a clock, too: the chain, and the name."""
    later = {"starts": timedelta(days=400), "ends": timedelta(days=800)}
    stranger = Authority(tmp_path / "stranger").sign("collector", **later)
    elsewhere = authority.sign("elsewhere", "DNS:elsewhere.example", **later)
    for identity in (stranger, elsewhere):
        with Server(identity) as server:
            assert "not trusted" in why_not(to(server, Trust(authority.pem, clock=False)))
            assert server.asked == []


def test_the_systems_authorities_need_a_clock(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a pinned CA dates count whatever the clock."""
    identity = authority.sign("undated", starts=timedelta(days=400), ends=timedelta(days=800))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with Server(identity) as server:
        assert "not yet valid" in why_not(to(server, Trust("", clock=False)))


def test_a_client_certificate(identity: Path, authority: Authority) -> None:
    """Shown where a proxy in front of the collector asks for one; without it nothing is said."""
    device = authority.sign("device")
    with Server(identity, client_ca=authority.certificate) as server:
        server.script.append(OK)
        with closing(to(server, Trust(authority.pem, certificate=str(device)))) as way:
            assert way.ask("GET", "/", {}).status == 200
        with closing(to(server, Trust(authority.pem))) as way, pytest.raises(ChannelError):
            way.ask("GET", "/", {})
    assert len(server.asked) == 1


def test_old_tls_is_not_spoken(authority: Authority) -> None:
    """1.2 at least, whatever the other side would take."""
    assert channel._context(Trust(authority.pem)).minimum_version is ssl.TLSVersion.TLSv1_2


def test_ipv6_literal(identity: Path, authority: Authority) -> None:
    """An address is a name that the certificate must have."""
    with Server(identity, host="::1") as server:
        server.script.append(OK)
        with closing(to(server, Trust(authority.pem), "::1")) as way:
            assert way.ask("GET", "/", {}).status == 200
        assert server.asked[0].headers["host"] == f"[::1]:{server.port}"


# Proxies ----------------------------------------------------------------------------------


class Relay:
    """An HTTP proxy that connects through, or answers otherwise."""

    def __init__(self, answer: bytes) -> None:
        self.asked = b""
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.proxy = Proxy("127.0.0.1", self._listener.getsockname()[1], "dXNlcjpwYXNz")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        near, _ = self._listener.accept()
        with near:
            near.settimeout(10)
            while b"\r\n\r\n" not in self.asked:
                self.asked += near.recv(4096)
            near.sendall(self._answer)
            if b" 200 " not in self._answer:
                return
            host, _, port = self.asked.split()[1].decode().rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port)), 10) as far:
                back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
                back.start()
                self._copy(near, far)
                back.join(10)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        self._thread.join(10)
        self._listener.close()


@pytest.fixture(name="established")
def _established() -> Iterator[Relay]:
    relay = Relay(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n")
    yield relay
    relay.close()


def test_through_a_proxy(server: Server, authority: Authority, established: Relay) -> None:
    """CONNECT with credentials; the certificate is checked through it."""
    server.script.append(OK)
    with closing(to(server, Trust(authority.pem), proxy=established.proxy)) as way:
        assert way.ask("GET", "/", {}).body == b"fine"
    assert established.asked.decode().split("\r\n") == [
        f"CONNECT 127.0.0.1:{server.port} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Proxy-Authorization: Basic dXNlcjpwYXNz",
        "",
        "",
    ]


def test_a_proxy_that_refuses(server: Server, authority: Authority) -> None:
    """Its answer is told, not what we said to it."""
    relay = Relay(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    told = why_not(to(server, Trust(authority.pem), proxy=relay.proxy))
    relay.close()
    assert told == "the proxy answers 407 Proxy Authentication Required"


@pytest.mark.parametrize(
    ("setting", "environment", "found"),
    [
        ("", {}, None),
        ("http://p:8080", {}, Proxy("p", 8080, "")),
        ("p", {}, Proxy("p", 3128, "")),
        ("http://a:b%40@[fd00::1]:1", {}, Proxy("fd00::1", 1, "YTpiQA==")),
        ("", {"https_proxy": "http://e:1"}, Proxy("e", 1, "")),
        ("", {"HTTPS_PROXY": "http://e:1"}, Proxy("e", 1, "")),
        ("http://p:1", {"https_proxy": "http://e:1"}, Proxy("p", 1, "")),
        ("", {"https_proxy": "http://e:1", "no_proxy": "x, .example"}, None),
        ("", {"https_proxy": "http://e:1", "no_proxy": "c.example"}, None),
        ("", {"https_proxy": "http://e:1", "NO_PROXY": "*"}, None),
        ("", {"https_proxy": "http://e:1", "no_proxy": "ample"}, Proxy("e", 1, "")),
    ],
)
def test_which_proxy(setting: str, environment: dict[str, str], found: Proxy | None) -> None:
    """The settings' own, else the environment's, but for hosts that it leaves out."""
    assert find_proxy(setting, environment, "c.example") == found


@pytest.mark.parametrize("setting", ["https://p", "http://", "http://p:x", "socks5://u:pw@p"])
def test_no_proxy_at_all(setting: str) -> None:
    """A sentence, which does not repeat a password."""
    with pytest.raises(UserError) as caught:
        find_proxy(setting, {}, "c")
    assert "pw" not in str(caught.value)
