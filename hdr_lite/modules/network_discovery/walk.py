"""Sequential hypothesis testing of one source's first contacts, in bounded memory.

Jung, Paxson, Berger, Balakrishnan: "Fast Portscan Detection Using Sequential Hypothesis
Testing" (IEEE S&P 2004). Each first contact either succeeds or fails; the log-likelihood
ratio of "scanner" to "benign" walks up or down with it until one hypothesis is accepted.
All of it is integers: thousandths of natural logarithms.
"""

from hdr_lite.module import Distinct

#: ln(P(failure | scanner) / P(failure | benign)) = ln(0.8 / 0.2), and the same for success.
STEP = 1386
#: ln((1 - beta) / alpha) with alpha = beta = 0.01: past it the source is a scanner.
ACCUSED = 4595
#: The walk is kept within these, so that the past can be outweighed.
LOWEST, HIGHEST = -ACCUSED, 4 * ACCUSED
#: Hardware address of what failed under more than one.
MIXED = "mixed"
#: Failed contacts without which nothing is certain.
CERTAIN = 10
#: A scan that goes on is told again after this long, ns: one window of the default length; one
#: that is certain much sooner than its limit ends, so that who paused is limited again.
REPEAT, AGAIN = 3_600_000_000_000, 10_000_000_000


class Walk:
    """First contacts of a source with the hosts of a port, or with the ports of a host."""

    __slots__ = (
        "abandoned",
        "begun",
        "contacts",
        "doubtful",
        "examples",
        "failed_at",
        "failures",
        "foreseen",
        "fresh",
        "mac",
        "ports",
        "refused",
        "reported",
        "reported_at",
        "score",
        "sureness",
    )

    def __init__(self) -> None:
        self.contacts = Distinct()
        self.score = 0  #: thousandths of the log-likelihood ratio
        self.begun = 0  #: time of the first contact, ns
        self.failures = 0  #: distinct contacts that failed
        self.foreseen = 0  #: of those, whose fates are still to come
        self.fresh = False  #: more was foreseen since the last report
        self.refused = 0  #: of those, refused
        self.abandoned = 0  #: of those, answered but given up at once
        self.doubtful = 0  #: of those, unanswered while nobody was answering, or abandoned
        self.ports: tuple[int, ...] = ()  #: the first three of a walk over hosts and ports
        self.examples: tuple[str, ...] = ()  #: the first five that failed
        self.reported = 0  #: failures when it was last reported
        self.reported_at = 0
        self.sureness = 0  #: of the last report: 1 certain, 2 proven
        self.mac: str | None = None  #: hardware address of what failed, None before; or MIXED
        self.failed_at = 0  #: time of the last failure of one that is certain

    def contact(self, now: int, value: str, weight: int, refused: bool = False) -> bool:
        """Step by ``weight`` (up: a failure) if it is a first contact; whether it was one."""
        if not self.contacts.add(value):
            return False
        self.begun = self.begun or now
        if self.foreseen:
            self.foreseen -= 1
            self.failures -= 1
            self.score -= STEP if weight <= 0 else weight
        self.score = max(LOWEST, min(HIGHEST, self.score + weight))
        if weight > 0:
            self.failures += 1
            self.refused += refused
            if len(self.examples) < 5 and value not in self.examples:
                self.examples += (value,)
        return True

    def foresee(self, now: int, failures: int, weight: int, example: str) -> bool:
        """So many contacts have no answer yet; taken for failures if that makes it certain.

        Whoever was answered more often than not is left to the fates. Those that follow are of
        contacts that are counted already. Whether it was taken.
        """
        new = max(0, failures - self.failures)
        score = min(HIGHEST, self.score + weight * new)
        if self.score < 0 or not is_certain(self.failures + new, score, self.doubtful):
            return False
        self.begun = self.begun or now
        self.score, self.fresh = score, True
        self.failures += new
        self.foreseen += new
        self.examples = self.examples or (example,)
        return True

    def abandon(self, now: int, value: str, weight: int) -> bool:
        """An answered contact was given up with nothing said: it is a failure after all.

        Counted once for a value; what its success has taken away comes back.
        """
        if not self.contacts.add(f"given up {value}"):
            return False
        answered = not self.contacts.add(value)
        self.begun = self.begun or now
        back = STEP if answered and self.score > LOWEST else 0
        self.score = min(HIGHEST, self.score + weight + back)
        self.failures += 1
        self.abandoned += 1
        if len(self.examples) < 5:
            self.examples += (value,)
        return True

    def fail_by(self, now: int, mac: str) -> None:
        """Whose hardware address a failure carries."""
        self.mac = mac if self.mac in (None, mac) else MIXED
        if self.certain:
            self.failed_at = now

    def total(self, now: int, failures: int, refused: int, weight: int) -> None:
        """A sum of failed contacts, of which so many were distinct.

        They may be the same as those known already: the larger number is kept.
        """
        self.begun = self.begun or now
        new = max(0, failures - self.failures)
        self.failures += new
        self.foreseen = 0  # their fates were summed
        self.refused = max(self.refused, min(refused, self.failures))
        self.score = max(LOWEST, min(HIGHEST, self.score + weight * new))

    @property
    def accused(self) -> bool:
        """Whether the test has decided for "scanner"."""
        return self.score >= ACCUSED

    @property
    def certain(self) -> bool:
        """Far past the decision, on many contacts, and not just when nobody at all answered."""
        return is_certain(self.failures, self.score, self.doubtful)

    def is_news(self, now: int, interval: int, proven: bool = False) -> bool:
        """Whether a report is due: at the decision, when it becomes certain, or proven, at 10, 100,
        1,000, ... failures, and after ``interval`` if ten more have failed since, or were
        foreseen. Due once only.
        """
        if not self.accused:
            return False
        grown = len(str(self.failures)) > len(str(self.reported))
        more = self.fresh or self.failures >= self.reported + 10
        goes_on = more and now - self.reported_at >= interval
        sureness = 2 if proven else int(self.certain)
        surer = sureness > self.sureness
        if self.reported and not (grown or goes_on or surer):
            return False
        self.reported, self.reported_at, self.fresh = self.failures, now, False
        self.sureness = max(self.sureness, sureness)
        return True

    @property
    def outcomes(self) -> str:
        """How the contacts failed, in words."""
        silent = self.failures - self.refused - self.abandoned
        if self.failures == self.refused:
            return "all refused"
        if self.failures == silent:
            return "none answered"
        if self.failures == self.abandoned:
            return "all given up as soon as they answered"
        counts = (
            (self.refused, "refused"),
            (silent, "did not answer"),
            (self.abandoned, "were given up as soon as they answered"),
        )
        return ", ".join(f"{count} {word}" for count, word in counts if count > 0)


def is_certain(failures: int, score: int, doubtful: int) -> bool:
    """Far past the decision, on many contacts, and not just when nobody at all answered."""
    return failures >= CERTAIN and score >= 2 * ACCUSED and doubtful * 2 <= failures
