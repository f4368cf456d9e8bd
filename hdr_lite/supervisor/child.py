"""One process that the supervisor forks: how it starts, and our end of its link."""

import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from hdr_lite.config import UserError
from hdr_lite.link.codec import Failed
from hdr_lite.link.end import End, LinkClosed, LinkError, create_link
from hdr_lite.link.stop import StopSignal
from hdr_lite.native import die_with_parent, set_title

#: What a child does: its end of the link and its stop signal in, its exit status out.
Main = Callable[[End, StopSignal], int]

_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class Child:
    """A process that was forked, and our end of its link."""

    def __init__(self, name: str, pid: int, end: End) -> None:
        self.name = name
        self.pid = pid
        self.end = end
        self.pidfd = os.pidfd_open(pid)

    def kill(self, number: int) -> None:
        """The process is not yet waited for, so that its id is its own."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit status, or minus the signal that ended it."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """Give the descriptors back."""
        self.end.close()
        os.close(self.pidfd)


def fork_child(name: str, process_title: str, main: Main, confine: Callable[[End], None]) -> Child:
    """Fork one that does ``main`` and ends.

    ``confine`` is called in it first: it closes what the child shall not have and gives up
    what it shall not keep.
    """
    ours, theirs = create_link()
    # A signal that comes to the child before it has handlers of its own waits until it has.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            ours.close()
            _live(main, theirs, process_title, confine)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return Child(name, pid, ours)


def _live(main: Main, end: End, name: str, confine: Callable[[End], None]) -> NoReturn:
    """The order in which each child starts; it never returns to the parent's code."""
    status = 1
    try:
        set_title(name)
        confine(end)
        # Ctrl-C reaches the whole terminal; the supervisor alone acts on it.
        stop = StopSignal((signal.SIGTERM,), ignored=(signal.SIGINT, signal.SIGHUP))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        status = main(end, stop)
    except UserError as error:
        status = _last_words(end, Failed(str(error), 2))
    except LinkClosed:
        status = 1  # the supervisor is gone
    except BaseException as error:  # noqa: BLE001 - the fence between a child and its parent
        status = _last_words(end, Failed(f"{name}: {_describe(error)}", 1))
    finally:
        os._exit(status)


def end_with_parent(parent: int) -> None:
    """Be killed when the parent ends. To be called after the user has changed, which undoes it."""
    die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(1)


def how_it_ended(status: int) -> str:
    """``was ended by SIGKILL``, of a status that :meth:`Child.wait` gave."""
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def title(name: str, instance: str) -> str:
    """``hdr-sensor``, ``NAME:sensor``: what ps shows of it, which is 15 bytes."""
    return f"{instance[: 14 - len(name)]}:{name}" if instance else f"hdr-{name}"


def _describe(error: BaseException) -> str:
    """A failure of our own: what it was and where, in one line."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = ""
    if place is not None:
        where = f" at {place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
    return f"{type(error).__name__}: {error}{where}"


def _last_words(end: End, words: Failed) -> int:
    try:
        end.send(words)
    except (LinkClosed, LinkError):
        print(words.text, file=sys.stderr)  # noqa: T201 - nobody else is left to say it
    return words.status
