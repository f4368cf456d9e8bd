"""Whose turn it is: deficit round robin by measured CPU time (Shreedhar and Varghese, 1995).

In each pass every module that has something to do is granted a quantum of CPU time and
takes a turn while it is not in debt. A turn that took longer than it was granted leaves a
debt that later passes pay off first, so that a slow module delays itself. In replay there
is no quantum: a turn serves the whole queue, so that the order of things is always the same.
"""

from collections.abc import Sequence

from hdr_lite.engine.seat import Seat, State

#: Passes in which modules may answer each other's messages before the next records come.
MOST_PASSES = 32


class Scheduler:
    """The seats, in their order."""

    def __init__(self, seats: Sequence[Seat], quantum: float, replay: bool) -> None:
        """``quantum`` in seconds."""
        self.seats = seats
        self._quantum = round(quantum * 1_000_000_000)
        self._replay = replay
        self._credit = [0] * len(seats)

    def new_round(self, now: int) -> None:
        """Before records are delivered: bounds are granted anew, what waited long enough starts."""
        for seat in self.seats:
            seat.new_round()
            if seat.state is State.WAITING and seat.due <= now:
                seat.restart()

    def one_pass(self) -> None:
        """A turn for each module that has something to do and is not in debt."""
        for index, seat in enumerate(self.seats):
            if not seat.can_run():
                self._credit[index] = min(self._credit[index], 0)
            elif self._replay:
                seat.turn()
            else:
                # What is left of one grant is kept for one more, so that an idle module
                # cannot save up for a long absence of the others.
                credit = min(self._credit[index] + self._quantum, 2 * self._quantum)
                if credit > 0:
                    credit -= seat.turn()
                self._credit[index] = credit

    def backlog(self) -> bool:
        """Whether a module still has something to do."""
        return any(seat.can_run() for seat in self.seats)
