"""What the supervisor has asked its children and waits for: for itself, or for who asked it.

Nobody is waited for beyond a time: an answer is made of what has come until then.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hdr_lite.link.codec import Answer, Request
from hdr_lite.supervisor.control import Reply
from hdr_lite.supervisor.member import Member

#: Seconds that a request waits for the children's words.
ANSWER_TIMEOUT = 2.0


class _Question(NamedTuple):
    """A request that waits for answers of children."""

    number: int
    deadline: float
    missing: set[str]
    finish: Callable[[], None]


class Questions:
    """Those that are open. ``members`` changes as processes come and go."""

    def __init__(
        self,
        members: Mapping[str, Member],
        status: Callable[[Sequence[Member]], dict[str, Any]],
    ) -> None:
        self._members = members
        self._make_status = status
        self._open: list[_Question] = []
        self._replies: dict[int, Reply] = {}  # of verbs that a child answers
        self._numbers = 0

    def ask_figures(self, member: Member) -> None:
        """Whether it is well: nobody waits for the answer."""
        member.send(self._figures_request(False))

    def lose(self, name: str) -> None:
        """That process will not answer any more."""
        for question in self._open:
            question.missing.discard(name)

    def deadlines(self) -> Iterator[float]:
        """Moments at which something is to be finished."""
        return (question.deadline for question in self._open)

    def take_answer(self, member: Member, answer: Answer) -> None:
        """A child answered, a question of somebody else's or ours."""
        reply = self._replies.pop(answer.number, None)
        if reply is not None:
            reply(read_object(answer.text))
            return
        member.take_figures(answer.text)
        for question in self._open:
            if question.number <= answer.number:
                question.missing.discard(member.name)

    def ask_for_status(self, reply: Reply) -> None:
        """All are asked; the answer is made of what has come when it is time."""
        request = self._figures_request(True)
        alive = {m.name for m in self._members.values() if m.child is not None}
        for name in alive:
            self._members[name].send(request)

        def finish() -> None:
            reply(self._make_status(tuple(self._members.values())))

        deadline = time.monotonic() + ANSWER_TIMEOUT
        self._open.append(_Question(request.number, deadline, alive, finish))

    def pass_on(self, member: Member, request: Mapping[str, Any], reply: Reply) -> None:
        """It is that process's to answer."""
        if member.child is None:
            reply({"error": f"the {member.name} does not run just now"})
            return
        self._numbers += 1
        number = self._numbers
        text = json.dumps(dict(request))
        self._replies[number] = reply
        member.send(Request(number, text))

        def give_up_waiting() -> None:
            late = self._replies.pop(number, None)
            if late is not None:
                late({"error": f"the {member.name} did not answer in time"})

        deadline = time.monotonic() + ANSWER_TIMEOUT
        self._open.append(_Question(number, deadline, {""}, give_up_waiting))

    def finish_due(self, now: float) -> None:
        """Answer what all have answered, or what was waited for long enough."""
        for question in list(self._open):
            if not question.missing or now >= question.deadline:
                self._open.remove(question)
                question.finish()

    def _figures_request(self, memory: bool) -> Request:
        self._numbers += 1
        return Request(self._numbers, json.dumps({"verb": "figures", "memory": memory}))


def read_object(text: str) -> dict[str, Any]:
    """What a child wrote; an error where it is no JSON object."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {"error": "the answer is no JSON object"}
