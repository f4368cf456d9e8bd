"""Guessing of ssh passwords by few, odd or half-seen connections; and ssh that is innocent."""

from tests.traffic import frames
from tests.traffic.activities import meet
from tests.traffic.hosts import INTRUDER, LAPTOP, ROUTER, SERVER, Host, outside
from tests.traffic.scenarios.registry import scenario
from tests.traffic.scenarios.ssh import ATTACKER, GUESSING, guess
from tests.traffic.ssh import Login
from tests.traffic.tcp import Session
from tests.traffic.timeline import MILLISECOND, SECOND, Trace


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_few(trace: Trace) -> None:
    """Six connections in turn, one guess each, by a library that says its name."""
    for number in range(6):
        guess(trace, number * 6 * SECOND, ATTACKER, 1)


@scenario(GUESSING, accused=INTRUDER.ip)
def ssh_guessing_port(trace: Trace) -> None:
    """medusa at port 2222: three guesses in each of five connections."""
    meet(trace, 0, INTRUDER, SERVER)
    for number in range(5):
        session = Session(trace, INTRUDER, SERVER, 2222, number * 20 * SECOND, rtt=MILLISECOND)
        login = Login(session, client="MEDUSA_1.0").ask_methods()
        for _ in range(3):
            login.wrong_password()
        login.end(1)


@scenario(GUESSING, accused="2001:db8:bad:2::9")
def ssh_guessing6(trace: Trace) -> None:
    """The same over IPv6: ten connections with one guess each."""
    attacker, server = outside("2001:db8:bad:2::9"), Host("fd00:7::30", SERVER.mac)
    for number in range(10):
        session = Session(trace, attacker, server, 22, number * 4 * SECOND)
        Login(session, client="libssh2_1.10.0").ask_methods().wrong_password().end()


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_parallel(trace: Trace) -> None:
    """hydra -t 16: sixteen connections at once, whose guesses come one after the other."""
    for number in range(16):
        guess(trace, number * 15 * MILLISECOND, ATTACKER, 4)


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_dropped(trace: Trace) -> None:
    """ncrack at a server with few slots: most connections end by the server after the greeting."""
    for number in range(24):
        at = number // 6 * 4 * SECOND + number % 6 * 10 * MILLISECOND
        session = Session(trace, ATTACKER, SERVER, 22, at).open()
        session.client(b"SSH-2.0-OpenSSH_7.1\r\n").reset(1)


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_refused(trace: Trace) -> None:
    """The server says who it is and hangs up, as one does that limits its guests."""
    for number in range(12):
        session = Session(trace, ATTACKER, SERVER, 22, number * 500 * MILLISECOND).open()
        session.server(b"SSH-2.0-OpenSSH_9.2p1\r\n").client(b"SSH-2.0-libssh_0.9\r\n")
        session.server(b"Not allowed at this time\r\n").close(1)


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_answers(trace: Trace) -> None:
    """Forty guesses, of which only the server's packets are captured."""
    for number in range(40):
        guess(trace, number * 3 * SECOND, ATTACKER, 1)
    server = frames.mac_bytes(SERVER.mac)
    trace.keep(lambda frame: frame[6:12] == server)


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_questions(trace: Trace) -> None:
    """The same, and only the guesser's packets are."""
    for number in range(40):
        guess(trace, number * 3 * SECOND, ATTACKER, 1)
    router = frames.mac_bytes(ROUTER.mac)
    trace.keep(lambda frame: frame[6:12] == router)


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_headers(trace: Trace) -> None:
    """Forty guesses, captured without what is behind the TCP headers."""
    for number in range(40):
        guess(trace, number * 3 * SECOND, ATTACKER, 1)
    trace.cut(66)


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_short(trace: Trace) -> None:
    """Forty guesses, of each packet the first 96 bytes."""
    for number in range(40):
        guess(trace, number * 3 * SECOND, ATTACKER, 1)
    trace.cut(96)


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_spray(trace: Trace) -> None:
    """Two guesses at each of ten servers."""
    for number in range(20):
        server = Host(f"192.168.7.{40 + number % 10}", SERVER.mac)
        session = Session(trace, ATTACKER, server, 22, number * 5 * SECOND)
        Login(session, client="Go").ask_methods().wrong_password().end()


@scenario()
def ssh_checks(trace: Trace) -> None:
    """Monitoring opens ssh each half minute, reads the greeting and leaves; all is well."""
    for number in range(60):
        session = Session(trace, LAPTOP, SERVER, 22, number * 30 * SECOND, rtt=MILLISECOND).open()
        session.server(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n").close()


@scenario()
def ssh_copies(trace: Trace) -> None:
    """Twelve files are fetched at once by key, captured without what is behind the headers."""
    for number in range(24):
        at = number // 12 * 60 * SECOND + number % 12 * 40 * MILLISECOND
        session = Session(trace, LAPTOP, SERVER, 22, at, rtt=MILLISECOND)
        Login(session).ask_methods().public_key().shell([30000]).end()
    trace.cut(66)


@scenario()
def ssh_forgetful(trace: Trace) -> None:
    """A person mistypes three times, is sent away, and gets in at the second go."""
    session = Session(trace, LAPTOP, SERVER, 22, 0, rtt=2 * MILLISECOND)
    Login(session).ask_methods().wrong_password().wrong_password().wrong_password().end(1)
    session = Session(trace, LAPTOP, SERVER, 22, 30 * SECOND, rtt=2 * MILLISECOND)
    Login(session).ask_methods().wrong_password().password().shell([900, 80, 4000]).end()
