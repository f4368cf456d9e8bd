"""The connection to the collector: TLS, through a proxy if there is one, kept from one request to
the next.

Imported by who sends only, in a process that ends soon: ``ssl`` and ``http`` are 6 MB.
"""

import http.client
import ssl
from base64 import b64encode
from collections.abc import Mapping
from socket import create_connection, socket
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from hdr_lite.config import UserError
from hdr_lite.sync.enrolment import Server

#: Seconds that any one step may take: to connect, to send a piece, to receive one.
PATIENCE = 30.0
#: Bytes of an answer.
MOST_ANSWER = 64 * 1024

#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME and X509_V_ERR_CERT_NOT_YET_VALID, without a name in Python.
_NO_CHECK_TIME = 0x200000
_NOT_YET_VALID = 9
#: How a kept connection fails that the other side has closed meanwhile.
_WENT_AWAY = (
    http.client.RemoteDisconnected,
    http.client.NotConnected,
    ConnectionError,
    ssl.SSLEOFError,
)


class ChannelError(Exception):
    """No answer came; a sentence why."""


class Reply(NamedTuple):
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Proxy(NamedTuple):
    """An HTTP proxy that opens connections (CONNECT)."""

    host: str
    port: int
    credentials: str  #: for ``Proxy-Authorization``, "" for none


class Trust(NamedTuple):
    """Whom to believe, and who to be."""

    ca: str = ""  #: PEM of the one certificate; "": those that the system trusts
    #: Whether this device knows the time. One that does not may meet a certificate that seems not
    #: yet valid; of the one CA it then takes the chain without the dates.
    clock: bool = True
    certificate: str = ""  #: file with our own certificate, for a proxy in front of the collector
    key: str = ""  #: file with its key, "" where the other one holds it
    anybody: bool = False  #: for what is checked by other means: the CA itself


def find_proxy(setting: str, environment: Mapping[str, str], host: str) -> Proxy | None:
    """The proxy towards a host: that of the settings, else of ``https_proxy`` with ``no_proxy``."""
    text = setting
    if not text and not _goes_directly(host, _of(environment, "no_proxy")):
        text = _of(environment, "https_proxy")
    if not text:
        return None
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        host_of, port = url.hostname, url.port or 3128
    except ValueError:
        host_of = None
    if not host_of or url.scheme != "http":
        raise UserError("sync.proxy is no address of a proxy, such as http://192.0.2.1:3128")
    user = ""
    if url.username is not None:
        words = f"{unquote(url.username)}:{unquote(url.password or '')}"
        user = b64encode(words.encode()).decode()
    return Proxy(host_of, port, user)


def _of(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _goes_directly(host: str, exceptions: str) -> bool:
    """Whether ``no_proxy`` names the host, or a domain that it is in."""
    names = [name.strip().lstrip(".") for name in exceptions.lower().split(",")]
    return any(n == "*" or host == n or (n and host.endswith(f".{n}")) for n in names)


class Channel:
    """Requests to one server, over one connection for as long as that lasts."""

    def __init__(self, server: Server, trust: Trust, proxy: Proxy | None = None) -> None:
        self._server = server
        self._trust = trust
        self._proxy = proxy
        self._http: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """Send a request that may be sent twice; its answer. ``ChannelError``."""
        kept = self._http is not None
        try:
            try:
                return self._ask(method, path, headers, body)
            except _WENT_AWAY:
                if not kept:
                    raise
                self.close()  # a server may end a kept connection at any time: that is no failure
                return self._ask(method, path, headers, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise ChannelError(_sentence(error)) from None

    def close(self) -> None:
        """Let the connection go."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        if self._http is None:
            self._http = self._connect()
        self._http.request(method, self._server.prefix + path, body, dict(headers))
        answer = self._http.getresponse()
        if answer.length is None and not answer.chunked:  # it would last until the connection ends
            raise ValueError("the answer does not say how long it is")
        content = answer.read(MOST_ANSWER + 1)
        if len(content) > MOST_ANSWER:
            raise ValueError("the answer is too long")
        if answer.length:  # is what is missing of it
            raise ConnectionResetError
        return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, content)

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._server.host, self._server.port)
        connection.auto_open = 0  # it would connect anew by itself, and without TLS
        try:
            connection.sock = self._wrap(_context(self._trust))
        except ssl.SSLCertVerificationError as error:
            if not self._may_be_our_clock(error):
                raise
            context = _context(self._trust)
            context.verify_flags |= _NO_CHECK_TIME
            connection.sock = self._wrap(context)
        return connection

    def _may_be_our_clock(self, error: ssl.SSLCertVerificationError) -> bool:
        trust = self._trust
        return bool(trust.ca) and not trust.clock and error.verify_code == _NOT_YET_VALID

    def _wrap(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        plain = self._open()
        try:
            name = self._server.host.partition("%")[0]  # without the interface of fe80::1%eth0
            return context.wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise

    def _open(self) -> socket:
        """A TCP connection to the server, or through the proxy."""
        proxy = self._proxy
        if proxy is None:
            return create_connection((self._server.host, self._server.port), PATIENCE)
        plain = create_connection((proxy.host, proxy.port), PATIENCE)
        try:
            _tunnel(plain, self._server.authority, proxy.credentials)
        except BaseException:
            plain.close()
            raise
        return plain


def _tunnel(plain: socket, authority: str, credentials: str) -> None:
    """Have a proxy connect us through."""
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    lines += [f"Proxy-Authorization: Basic {credentials}"] if credentials else []
    plain.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    answer = http.client.HTTPResponse(plain, method="CONNECT")
    try:
        answer.begin()
        if answer.status != 200:
            raise OSError(f"the proxy answers {answer.status} {answer.reason}")
    finally:
        answer.close()


def _context(trust: Trust) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if trust.anybody:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif trust.ca:
        context.load_verify_locations(cadata=trust.ca)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    else:
        context.load_default_certs()
    if trust.certificate:
        context.load_cert_chain(trust.certificate, trust.key or None)
    return context


def _sentence(error: BaseException) -> str:
    """Why, in words without what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ConnectionResetError | BrokenPipeError | ssl.SSLEOFError):
        return "it ended the connection without an answer"
    if isinstance(error, http.client.HTTPException):
        return f"what it answers is no HTTP: {type(error).__name__}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
