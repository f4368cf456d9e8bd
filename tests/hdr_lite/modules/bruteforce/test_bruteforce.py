"""Guessing of ssh passwords, and those who know theirs."""

import itertools
from typing import Any

import pytest

from hdr_lite.module import Finding, Ssh, SshLogin, ThreatLevel
from hdr_lite.module.testing import SECOND, Harness, record
from hdr_lite.modules.bruteforce.bruteforce import Bruteforce
from tests.hdr_lite.modules.heap import peak_of

GUESSER, SERVER = "203.0.113.99", "10.0.0.5"


def ssh(at: float, success: bool | None = False, **fields: Any) -> Ssh:
    """One connection that ended; one wrong password unless said otherwise."""
    usual: dict[str, Any] = {
        "saddr": GUESSER, "daddr": SERVER, "dport": 22, "proto": "tcp", "attempts": 1,
        "handshake": True, "uid": f"C{at}", "success": success, "sbytes": 1100, "dbytes": 1900,
    }  # fmt: skip
    return record(Ssh, at=at, **(usual | fields))


def guessing(findings: list[Finding]) -> list[Finding]:
    return [f for f in findings if f.type == "PASSWORD_GUESSING"]


def test_nine_failures_are_reported_then_by_doublings() -> None:
    """Slips' counts and confidences; medium as long as it may be a forgotten password."""
    harness = Harness(Bruteforce)
    for i in range(29):
        harness.feed(ssh(i * 20))
    assert [int(f.description.split()[0]) for f in harness.findings] == [9, 10, 12, 16, 24]
    assert [f.confidence for f in harness.findings] == [500, 519, 557, 633, 786]
    assert all(f.threat_level == ThreatLevel.MEDIUM for f in harness.findings)
    assert not any(f.blocking for f in harness.findings)
    first = harness.findings[0]
    assert (first.family, first.attacker, first.victim, first.port) == (
        "bruteforce", GUESSER, SERVER, 22,
    )  # fmt: skip


def test_eight_failures_are_not_reported() -> None:
    """A person may forget."""
    harness = Harness(Bruteforce)
    for i in range(8):
        harness.feed(ssh(i * 20))
    assert not harness.findings


def test_a_library_is_told_at_its_third_failure() -> None:
    """Within a minute each; by hand or slower, that is still a person's forgotten password."""
    library, slow, person = Harness(Bruteforce), Harness(Bruteforce), Harness(Bruteforce)
    for i in range(3):
        library.feed(ssh(i * 50, client="SSH-2.0-libssh2_1.10.0"))
        slow.feed(ssh(i * 100, client="SSH-2.0-libssh2_1.10.0"))
        person.feed(ssh(i * 50, client="SSH-2.0-OpenSSH_9.2"))
    (finding,) = guessing(library.findings)
    assert (finding.threat_level, finding.confidence) == (ThreatLevel.MEDIUM, 600)
    assert not slow.findings + person.findings


def test_one_connection_of_a_library_is_not_told() -> None:
    """However many passwords it tries: six are what a server allows."""
    harness = Harness(Bruteforce)
    assert not harness.feed(ssh(0, attempts=6, client="SSH-2.0-paramiko_2.9"))


def test_who_says_nothing_guesses_nothing() -> None:
    """Monitoring reads the greeting; where the source's side is not captured, sizes count."""
    harness = Harness(Bruteforce)
    for i in range(60):
        harness.feed(ssh(i * 20, None, attempts=0, sbytes=0, spkts=4, dbytes=41))
    assert not harness.findings
    for i in range(60):
        harness.feed(ssh(2000 + i * 20, None, attempts=0, sbytes=0, spkts=0, dbytes=1900))
    assert harness.findings


def test_attempts_within_a_connection_count() -> None:
    """Six passwords in each of two connections."""
    harness = Harness(Bruteforce)
    harness.feed(ssh(0, attempts=6), ssh(30, attempts=6))
    assert harness.findings[0].description.startswith("12 failed ssh logins")


def test_thirty_failures_at_a_pace_are_high_and_blocking_with_proof() -> None:
    """Told once when it gets there."""
    harness = Harness(Bruteforce)
    for i in range(39):
        harness.feed(ssh(i * 20))
    high = [f for f in harness.findings if f.threat_level == ThreatLevel.HIGH]
    assert [(f.confidence, f.blocking, f.proof) for f in high] == [(1000, True, True)]


def test_no_proof_without_handshakes() -> None:
    """One connection that was not seen to complete its handshake: limit, not block."""
    harness = Harness(Bruteforce)
    for i in range(31):
        harness.feed(ssh(i * 20, handshake=i != 3))
    assert harness.findings[-1].blocking
    assert not harness.findings[-1].proof


def test_a_script_with_an_old_password_is_told_but_not_blocked() -> None:
    """Once a minute, for three hours."""
    harness = Harness(Bruteforce)
    for i in range(180):
        harness.feed(ssh(i * 60))
    assert guessing(harness.findings)
    assert not any(f.blocking for f in harness.findings)


def test_a_slow_guesser_is_found() -> None:
    """One guess in ten minutes."""
    harness = Harness(Bruteforce)
    for i in range(12):
        harness.feed(ssh(i * 600))
    assert guessing(harness.findings)


def test_failures_are_forgotten_after_an_hour() -> None:
    """Five a day never add up."""
    harness = Harness(Bruteforce)
    for day in range(10):
        harness.feed(*(ssh(day * 86400 + i * 60) for i in range(5)))
    assert not harness.findings


def test_a_burst_of_connections_is_a_machine() -> None:
    """Four failures that began within ten seconds, told when they end."""
    harness = Harness(Bruteforce)
    harness.feed(*(ssh(i * 0.1, client="SSH-2.0-libssh-0.7.3") for i in range(5)))
    (finding,) = harness.findings
    assert finding.confidence == 600
    assert finding.threat_level == ThreatLevel.MEDIUM


@pytest.mark.parametrize(
    ("client", "confidence"),
    [("", 500), ("SSH-2.0-OpenSSH_9.2", 550), ("SSH-2.0-paramiko_3", 600), ("SSH-2.0-x", 530)],
)
def test_what_the_client_says_adds_to_the_confidence(client: str, confidence: int) -> None:
    """As Slips does by the banner."""
    harness = Harness(Bruteforce)
    harness.feed(*(ssh(i * 20, client=client) for i in range(9)))
    assert harness.findings[0].confidence == confidence


def test_logins_are_not_failures() -> None:
    """Configuration management logs in all day long, with keys offered before."""
    harness = Harness(Bruteforce)
    for i in range(500):
        harness.feed(ssh(i * 7, True, attempts=3, saddr="10.0.0.9"))
    assert not guessing(harness.findings)
    assert {f.threat_level for f in harness.findings} == {ThreatLevel.INFO}


def test_a_login_is_information_once_an_hour() -> None:
    """For each pair of source and server."""
    harness = Harness(Bruteforce)
    for i in range(30):
        harness.feed(ssh(i * 100, True), ssh(i * 100, True, daddr="10.0.0.6"))
    assert [f.type for f in harness.findings] == ["SSH_SUCCESSFUL"] * 2
    assert {(f.family, f.confidence) for f in harness.findings} == {("policy", 800)}
    assert len(harness.feed(ssh(4000, True))) == 1


def test_a_login_after_guessing_is_the_worst() -> None:
    """High; blocking when the guessing was fast."""
    slow, fast = Harness(Bruteforce), Harness(Bruteforce)
    slow.feed(*(ssh(i * 60) for i in range(12)), ssh(900, True))
    fast.feed(*(ssh(i * 2) for i in range(40)), ssh(90, True))
    for harness, blocking in ((slow, False), (fast, True)):
        last = harness.findings[-1]
        assert (last.type, last.family) == ("SSH_SUCCESSFUL", "bruteforce")
        assert (last.threat_level, last.blocking, last.proof) == (800, blocking, blocking)
    assert slow.findings[-1].description == f"ssh login at {SERVER} port 22 after 12 failures"


def test_somebody_who_mistypes_and_gets_in_starts_anew() -> None:
    """Eight mistakes, a login, eight mistakes."""
    harness = Harness(Bruteforce)
    harness.feed(*(ssh(i * 20) for i in range(8)), ssh(200, True))
    harness.feed(*(ssh(300 + i * 20) for i in range(8)))
    assert not guessing(harness.findings)


def test_many_servers_are_added_up() -> None:
    """Two guesses at each of ten servers."""
    harness = Harness(Bruteforce)
    for i in range(20):
        harness.feed(ssh(i * 30, daddr=f"10.0.0.{10 + i // 2}"))
    finding = guessing(harness.findings)[0]
    assert finding.victim == ""
    assert "18 failed ssh logins at 9 servers" in finding.description
    for i in range(40):
        harness.feed(ssh(700 + i * 30, daddr=f"10.0.1.{i}"))
    assert "at 16 servers" in harness.findings[-1].description


def test_many_sources_are_added_up() -> None:
    """Each stays below nine; together they guess."""
    harness = Harness(Bruteforce)
    for i in range(60):
        harness.feed(ssh(i * 30, saddr=f"203.0.113.{i % 12}"))
    told = guessing(harness.findings)
    assert {f.confidence for f in told} == {500}
    assert 8 <= len({f.attacker for f in told}) == len(told)


def test_a_few_mistakes_of_a_few_people_are_no_crowd() -> None:
    """Four people, five mistakes each."""
    harness = Harness(Bruteforce)
    for i in range(20):
        harness.feed(ssh(i * 30, saddr=f"10.0.0.{i % 4}"))
    assert not harness.findings


def test_open_guesses_count_when_they_are_alike() -> None:
    """A machine repeats itself to the byte; nine make it."""
    harness = Harness(Bruteforce)
    for i in range(9):
        harness.feed(ssh(i * 20, None, attempts=0, sbytes=1133 + i, dbytes=1863))
    assert len(guessing(harness.findings)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"sbytes": 5000, "dbytes": 9000},
        {"duration": 90 * SECOND},
    ],
)
def test_open_guesses_that_may_be_work_do_not_count(fields: dict[str, Any]) -> None:
    """Many bytes or a long time mean that somebody got in."""
    harness = Harness(Bruteforce)
    for i in range(40):
        harness.feed(ssh(i * 20, None, attempts=0, **fields))
    assert not harness.findings


def test_open_guesses_of_changing_sizes_do_not_count() -> None:
    """People and jobs are not alike."""
    harness = Harness(Bruteforce)
    for i in range(40):
        harness.feed(ssh(i * 20, None, attempts=0, sbytes=1000 + (i % 2) * 600, dbytes=2000))
    assert not harness.findings


def test_the_threshold_is_an_option() -> None:
    """[modules.bruteforce] attempts."""
    harness = Harness(Bruteforce, attempts=3)
    harness.feed(*(ssh(i * 20) for i in range(3)))
    assert harness.findings[0].confidence == 500


def login(at: float, success: bool = False, pause: float = 0.01, **fields: Any) -> SshLogin:
    """A server's word on a login, by a program's password unless said otherwise."""
    usual: dict[str, Any] = {
        "saddr": GUESSER, "daddr": SERVER, "dport": 22, "proto": "tcp", "handshake": True,
        "uid": f"L{at}", "success": success, "pause": round(pause * SECOND),
    }  # fmt: skip
    return record(SshLogin, at=at, **(usual | fields))


def test_swift_refusals_are_worth_blocking_at_once() -> None:
    """The seventh within 21 s; told again by sevens."""
    harness = Harness(Bruteforce)
    assert not harness.feed(*(login(i * 3.5) for i in range(6)))
    (finding,) = harness.feed(login(21, client="SSH-2.0-Go"))
    assert (finding.threat_level, finding.confidence) == (ThreatLevel.HIGH, 900)
    assert (finding.blocking, finding.proof) == (True, True)
    assert finding.description == (
        f"7 ssh passwords refused in quick succession at {SERVER} port 22 by SSH-2.0-Go"
    )
    again = harness.feed(*(login(22 + i) for i in range(14)))
    assert [f.description[:2] for f in again] == ["14", "21"]
    assert harness.feed(*(login(4000 + i) for i in range(7)))[0].description.startswith("7 ")


def test_refusals_without_a_handshake_prove_nothing() -> None:
    """One of the seven is enough; another seven are judged by themselves."""
    harness = Harness(Bruteforce)
    harness.feed(*(login(i, handshake=i != 3) for i in range(7)))
    harness.feed(*(login(10 + i) for i in range(7)))
    assert [f.proof for f in harness.findings] == [False, True]


INSIDE, MAC, OTHER = "10.0.0.66", "02:00:00:00:00:66", "02:00:00:00:00:77"


def test_refusals_tell_the_mac_of_an_inside_host() -> None:
    """If all seven carry it; of one outside it would be a router's."""
    harness = Harness(Bruteforce)
    harness.feed(*(login(i, saddr=INSIDE, smac=MAC) for i in range(7)))
    harness.feed(*(login(10 + i, saddr=INSIDE, smac=OTHER if i == 3 else MAC) for i in range(7)))
    harness.feed(*(login(20 + i, saddr=INSIDE, smac=MAC) for i in range(7)))
    harness.feed(*(login(30 + i, smac=MAC) for i in range(7)))
    assert [f.attacker_mac for f in harness.findings] == [MAC, "", MAC, ""]
    assert all(f.proof for f in harness.findings)


@pytest.mark.parametrize(("odd", "mac"), [(None, MAC), (3, "")])
def test_failures_tell_the_mac_of_an_inside_host(odd: int | None, mac: str) -> None:
    """The slow count, and the login after it, likewise."""
    harness = Harness(Bruteforce)
    for i in range(31):
        harness.feed(ssh(i, saddr=INSIDE, smac=OTHER if i == odd else MAC))
    harness.feed(ssh(40, True, saddr=INSIDE, smac=MAC))
    *_, fast, let_in = harness.findings
    assert (fast.type, fast.proof, fast.attacker_mac) == ("PASSWORD_GUESSING", True, mac)
    assert (let_in.type, let_in.proof, let_in.attacker_mac) == ("SSH_SUCCESSFUL", True, mac)


@pytest.mark.parametrize(
    "refusals",
    [
        [login(i * 3.6) for i in range(40)],
        [login(i, pause=0.8) for i in range(40)],
        [login(i / 10, daddr=f"10.0.0.{i}") for i in range(40)],
        [login(i / 10, saddr=f"10.0.1.{i}") for i in range(40)],
        [login(i, success=i % 7 == 0) for i in range(40)],
        [login(0, True), *(login(3500 + i) for i in range(40))],
    ],
    ids=["slow", "typed", "one at each server", "one of each", "let in between", "let in before"],
)
def test_refusals_that_are_not_told(refusals: list[SshLogin]) -> None:
    """An old password in a script, a person, a tool over many hosts, and who knows a password."""
    assert not Harness(Bruteforce).feed(*refusals)


def test_a_login_vouches_for_an_hour() -> None:
    """And then no longer."""
    harness = Harness(Bruteforce)
    harness.feed(login(0, True), *(login(3600 + i) for i in range(7)))
    assert len(harness.findings) == 1


def test_memory_is_bounded() -> None:
    """Whatever number of sources and servers."""
    connections = (
        ssh(
            i * 0.01,
            saddr=f"2001:db8:1111:2222:3333:4444:5555:{i % 2999:x}",
            daddr=f"fd00::1111:2222:3333:{i % 61:x}",
            sbytes=i % 4999,
        )
        for i in range(10000)
    )
    refusals = (
        login(i * 0.01, saddr=f"2001:db8:1111:2222:3333:4444:5555:{i % 499:x}") for i in range(5000)
    )
    assert peak_of(Bruteforce, itertools.chain(connections, refusals)) < Bruteforce.budget
