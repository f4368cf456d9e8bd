"""Guessing of ssh passwords, and ssh by those who know theirs."""

from tests.traffic.activities import meet
from tests.traffic.hosts import INTRUDER, LAPTOP, ROUTER, SERVER, Host, outside
from tests.traffic.scenarios.registry import scenario
from tests.traffic.ssh import Login
from tests.traffic.tcp import Session
from tests.traffic.timeline import MILLISECOND, SECOND, Trace

GUESSING = "PASSWORD_GUESSING"
ATTACKER = outside("203.0.113.99")


def guess(
    trace: Trace,
    at: int,
    attacker: Host,
    guesses: int,
    *,
    rtt: int = 30 * MILLISECOND,
    delay: int = 1800 * MILLISECOND,
    client: str = "libssh_0.10.4",
) -> None:
    """One connection with so many wrong passwords; the guesser hangs up."""
    session = Session(trace, attacker, SERVER, 22, at, rtt=rtt)
    login = Login(session, client=client).ask_methods()
    for _ in range(guesses):
        login.wrong_password(delay=delay)
    login.end()


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing(trace: Trace) -> None:
    """hydra: four connections at a time, one guess each, forty guesses in half a minute."""
    for number in range(40):
        guess(trace, (number // 4) * 3 * SECOND + number % 4 * 20 * MILLISECOND, ATTACKER, 1)


@scenario(GUESSING, accused=ATTACKER.ip)
def ssh_guessing_slow(trace: Trace) -> None:
    """One guess a minute, thirty of them."""
    for number in range(30):
        guess(trace, number * 60 * SECOND + trace.dice.below(5 * SECOND), ATTACKER, 1)


@scenario(GUESSING, accused=INTRUDER.ip)
def ssh_guessing_patient(trace: Trace) -> None:
    """Six guesses in each of six connections, one connection after the other, from inside."""
    meet(trace, 0, INTRUDER, SERVER)
    for number in range(6):
        guess(trace, SECOND + number * 15 * SECOND, INTRUDER, 6, rtt=MILLISECOND)


@scenario()
def ssh_automation(trace: Trace) -> None:
    """Forty logins by key in five minutes, a command each, as configuration tools do."""
    meet(trace, 0, LAPTOP, SERVER)
    for number in range(40):
        at = SECOND + number * 7 * SECOND
        session = Session(trace, LAPTOP, SERVER, 22, at, rtt=MILLISECOND)
        answers = [trace.dice.between(20, 3000) for _ in range(6)]
        Login(session).ask_methods().public_key().shell(answers).end()


@scenario()
def ssh_person(trace: Trace) -> None:
    """A person mistypes twice, gets in, works for some minutes; later once more."""
    meet(trace, 0, LAPTOP, ROUTER)
    for at in (SECOND, 400 * SECOND):
        session = Session(trace, LAPTOP, SERVER, 22, at, rtt=2 * MILLISECOND)
        login = Login(session).ask_methods()
        login.wrong_password().wrong_password().password()
        login.shell([trace.dice.between(20, 2000) for _ in range(80)]).end()
