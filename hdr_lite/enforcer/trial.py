"""Whether who makes false ARP claims is the host whose MAC they carry. Pure.

Theory of operation. Any host can send frames with another's MAC, so that a claim accuses nobody.
But whoever is asked by a frame to his MAC alone answers only if it reaches him: a switch sends it
where that MAC spoke last. So the accused is asked for its own address *right after* it claims
another's. The claimant himself answers, each time; where somebody else forged the claim, the
question goes to the forger's port, and the accused does not hear it. Where the switch is our own
bridge, its ports tell the same at once: a MAC heard on two of them is two hosts.

What this cannot tell is in docs/security.md.
"""

from typing import NamedTuple

#: Questions right after a claim that must be answered.
NEEDED = 3
#: Seconds that an answer may take; the question is put so many times.
ANSWER, TRIES = 0.5, 2
#: Seconds in which all this must happen.
PATIENCE = 60.0


class Suspect(NamedTuple):
    """Who is accused, and where it can be asked."""

    mac: str
    own: str  #: its own IPv4 address
    claimed: str  #: the one that it claims falsely
    interface: str  #: ours, where it is a neighbour
    source: str  #: our own address there


class Heard(NamedTuple):
    """An ARP message from the accused MAC."""

    port: str  #: the bridge port that it came in by, "" when by none
    reply: bool
    sender_mac: str
    sender_ip: str
    target_ip: str


class Trial:
    """One accused. :meth:`hear` and :meth:`tick` tell when it is to be asked."""

    def __init__(self, suspect: Suspect, now: float) -> None:
        self.suspect = suspect
        #: Why it is not believed to be the claimant; "" when it is; None: not known yet.
        self.verdict: str | None = None
        self._ends = now + PATIENCE
        self._ports: set[str] = set()
        self._asked: float | None = None  # when, and not answered yet
        self._tries = 0
        self._answered = 0

    def hear(self, heard: Heard, now: float) -> bool:
        """Take what it said; whether it is to be asked now."""
        suspect = self.suspect
        if self.verdict is not None:
            return False
        if heard.port:
            self._ports.add(heard.port)
        if len(self._ports) > 1:
            self.verdict = (
                f"{suspect.mac} speaks on {' and '.join(sorted(self._ports))}: somebody forges it"
            )
        elif heard.sender_mac != suspect.mac:
            return False
        elif heard.sender_ip == suspect.claimed and self._asked is None:
            self._tries = 1
            return self._ask(now)
        elif heard.sender_ip == suspect.own and heard.target_ip == suspect.source and heard.reply:
            self._take_answer()
        return False

    def tick(self, now: float) -> bool:
        """Time passes; whether it is to be asked again now."""
        if self.verdict is None and self._asked is not None and now - self._asked >= ANSWER:
            if self._tries < TRIES:
                self._tries += 1
                return self._ask(now)
            self.verdict = (
                f"{self.suspect.own} does not answer right after {self.suspect.mac} claims"
                f" {self.suspect.claimed}: somebody else may forge that MAC"
            )
        elif self.verdict is None and now >= self._ends:
            self.verdict = f"{self.suspect.mac} has not gone on claiming {self.suspect.claimed}"
        return False

    def due(self) -> float:
        """When :meth:`tick` has something to do at the latest."""
        return self._ends if self._asked is None else min(self._ends, self._asked + ANSWER)

    def _ask(self, now: float) -> bool:
        self._asked = now
        return True

    def _take_answer(self) -> None:
        if self._asked is None:
            return  # a question of the kernel's own, or heard twice: on a port and its bridge
        self._asked = None
        self._answered += 1
        if self._answered >= NEEDED:
            self.verdict = ""
