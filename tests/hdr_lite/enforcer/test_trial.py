"""Who is asked after a claim, and what the answers prove."""

from hdr_lite.enforcer.trial import ANSWER, NEEDED, PATIENCE, Heard, Suspect, Trial

MAC = "02:00:00:00:00:11"
SUSPECT = Suspect(MAC, "192.168.9.11", "192.168.9.1", "br0", "192.168.9.1")
CLAIM = Heard("", True, MAC, "192.168.9.1", "192.168.9.12")
ANSWERED = Heard("", True, MAC, "192.168.9.11", "192.168.9.1")


def test_claimant_answers_each_time() -> None:
    """Asked after each claim, and answered each time: it is the one."""
    trial = Trial(SUSPECT, 0.0)
    for number in range(NEEDED):
        assert trial.verdict is None
        assert trial.hear(CLAIM, number)
        assert not trial.hear(CLAIM, number)  # the same one, heard on the bridge, too
        assert not trial.hear(ANSWERED, number + 0.1)
        assert not trial.hear(ANSWERED, number + 0.1)  # likewise
    assert trial.verdict == ""
    assert not trial.hear(CLAIM, 9)


def test_a_friend_whose_mac_is_forged() -> None:
    """What is asked goes to the forger's port: the friend does not hear it, so it is not he."""
    trial = Trial(SUSPECT, 0.0)
    assert trial.hear(CLAIM, 1.0)
    assert trial.due() == 1.0 + ANSWER
    assert not trial.tick(1.0 + ANSWER / 2)
    assert trial.tick(1.0 + ANSWER)
    assert not trial.tick(1.0 + ANSWER * 1.5)
    assert not trial.tick(1.0 + ANSWER * 2)
    assert trial.verdict is not None
    assert "somebody else may forge that MAC" in trial.verdict
    assert not trial.tick(9.0)


def test_one_answer_proves_nothing() -> None:
    """A friend who happened to speak in between answers now and then."""
    trial = Trial(SUSPECT, 0.0)
    trial.hear(CLAIM, 1.0)
    trial.hear(ANSWERED, 1.1)
    trial.hear(CLAIM, 2.0)
    trial.tick(2.0 + ANSWER)
    trial.tick(2.0 + 2 * ANSWER)
    assert trial.verdict


def test_what_nobody_asked_is_no_answer() -> None:
    """Announcements, answers to others and claims in another's name count for nothing."""
    trial = Trial(SUSPECT, 0.0)
    for said in (
        ANSWERED,
        ANSWERED._replace(target_ip="192.168.9.12"),
        ANSWERED._replace(reply=False),
        CLAIM._replace(sender_mac="02:00:00:00:00:12"),
    ):
        assert not trial.hear(said, 1.0)
    trial.hear(CLAIM, 1.0)
    for said in (ANSWERED._replace(target_ip="192.168.9.12"), ANSWERED._replace(reply=False)):
        for number in range(NEEDED):
            trial.hear(said, 1.1 + number / 100)
    assert trial.verdict is None


def test_two_ports_are_two_hosts() -> None:
    """On a bridge of ours a forger cannot speak where the accused does."""
    trial = Trial(SUSPECT, 0.0)
    trial.hear(CLAIM._replace(port="p11"), 1.0)
    trial.hear(ANSWERED._replace(port="p12"), 1.1)
    assert trial.verdict == f"{MAC} speaks on p11 and p12: somebody forges it"


def test_it_has_stopped() -> None:
    """Without another claim nobody is asked, and nobody quarantined."""
    trial = Trial(SUSPECT, 0.0)
    assert trial.due() == PATIENCE
    assert not trial.tick(PATIENCE)
    assert trial.verdict == f"{MAC} has not gone on claiming 192.168.9.1"
