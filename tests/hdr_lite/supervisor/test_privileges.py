"""What a process has given up, as the kernel sees it."""

import ctypes
import errno
import os
import resource
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hdr_lite.supervisor.calls import ENGINE, FATAL
from hdr_lite.supervisor.privileges import (
    Account,
    Capability,
    Privileges,
    find_account,
    find_group,
    give_up,
    may_change_account,
    permitted,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give something up")
NOBODY = Account("nobody", 65534, 65534)


def in_child(privileges: Privileges, action: Callable[[], str]) -> tuple[int, str]:
    """Give up in a child, do something there; its wait status and what it said."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 3
        os.closerange(3, writer)  # what other tests have open counts here, too
        os.closerange(writer + 1, os.sysconf("SC_OPEN_MAX"))
        try:
            failed = give_up(privileges)
            os.write(writer, f"{failed}\n{action()}".encode())
            status = 0
        except BaseException as error:  # noqa: BLE001 - the child must not run the tests
            os.write(writer, f"raised {error!r}".encode())
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        text = said.read().decode()
    return os.waitpid(pid, 0)[1], text


def own_status() -> str:
    return Path("/proc/self/status").read_text()


def field(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(name + ":")]
    return line.split()[1:]


@as_root
def test_all_is_given_up() -> None:
    """User, groups, capabilities, bounding set, no_new_privs and filter: /proc shows each."""
    keep = Privileges(
        NOBODY,
        frozenset({Capability.NET_RAW}),
        limits={resource.RLIMIT_NOFILE: 64},
        calls=ENGINE,
        fatal=FATAL,
    )
    status, text = in_child(keep, own_status)
    assert status == 0, text
    assert text.startswith("[]\n")
    raw = f"{1 << Capability.NET_RAW:016x}"
    assert field(text, "Uid") == field(text, "Gid") == ["65534"] * 4
    assert field(text, "Groups") == []
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert field(text, name) == [raw]
    for name in ("CapInh", "CapAmb"):
        assert field(text, name) == ["0" * 16]
    assert field(text, "NoNewPrivs") == ["1"]
    assert field(text, "Seccomp") == ["2"]


@as_root
def test_root_does_not_come_back() -> None:
    """Whoever has become another user cannot become root again."""

    def try_root() -> str:
        try:
            os.setuid(0)
        except PermissionError:
            return "refused"
        return "root"

    assert in_child(Privileges(NOBODY), try_root)[1].endswith("refused")


@as_root
def test_limits() -> None:
    """A limit holds, soft and hard; one that was lower stays lower."""

    def limits() -> str:
        return str(resource.getrlimit(resource.RLIMIT_NOFILE))

    assert "(64, 64)" in in_child(Privileges(limits={resource.RLIMIT_NOFILE: 64}), limits)[1]
    resource_before = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    many = Privileges(limits={resource.RLIMIT_NOFILE: 1 << 30})
    if resource_before < 1 << 30:
        assert f"({resource_before}, {resource_before})" in in_child(many, limits)[1]


def confined() -> Privileges:
    return Privileges(capabilities=permitted(), bounding=permitted(), calls=ENGINE, fatal=FATAL)


def test_denied_call_is_eperm() -> None:
    """A call that is not in the list fails with EPERM and nothing else happens."""

    def open_socket() -> str:
        try:
            socket.socket()
        except OSError as error:
            return errno.errorcode[error.errno or 0]
        return "opened"

    status, text = in_child(confined(), open_socket)
    assert (status, text.splitlines()[-1]) == (0, "EPERM")


def test_values_of_an_argument() -> None:
    """A call that is allowed with some first arguments is denied with others."""
    keep = Privileges(
        capabilities=permitted(),
        bounding=permitted(),
        calls={**ENGINE, "socket": (int(socket.AF_UNIX), int(socket.AF_NETLINK))},
    )

    def open_sockets() -> str:
        socket.socket(socket.AF_UNIX).close()
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
        try:
            socket.socket(socket.AF_INET)
        except PermissionError:
            return "denied"
        return "opened"

    assert in_child(keep, open_sockets)[1].endswith("denied")


@pytest.mark.parametrize("call", ["execve", "ptrace", "mount", "unshare"])
def test_fatal_calls_end_the_process(call: str) -> None:
    """A new program, another's memory, a mount or a namespace ends the process with SIGSYS."""
    libc = ctypes.CDLL(None)
    calls: dict[str, Callable[[], object]] = {
        "execve": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
        "ptrace": lambda: libc.ptrace(0, 0, 0, 0),
        "mount": lambda: libc.mount(b"none", b"/nonexistent", b"tmpfs", 0, None),
        "unshare": lambda: libc.unshare(0),
    }

    def action() -> str:
        calls[call]()
        return "lived"

    status, text = in_child(confined(), action)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == 31
    assert "lived" not in text


def test_missing_capability_is_told() -> None:
    """A start without root cannot give what it does not have, and says so."""
    missing = frozenset(Capability) - permitted()
    if not missing:
        drop = Privileges(capabilities=frozenset(), bounding=frozenset())

        def again() -> str:
            return str(give_up(Privileges(capabilities=frozenset({Capability.NET_RAW}))))

        text = in_child(drop, again)[1]
        assert "it was not given CAP_NET_RAW" in text
        assert "CAP_SETPCAP" in text
    else:
        text = in_child(Privileges(capabilities=missing), own_status)[1]
        assert "it was not given" in text


def test_unknown_names() -> None:
    """A system call that exists nowhere is a mistake of ours, told at once."""
    status, text = in_child(Privileges(calls={"no_such_call": ()}), own_status)
    assert status != 0
    assert "no such system call: no_such_call" in text


def test_accounts() -> None:
    """The first account that there is; None when there is none of them."""
    assert find_account(("no-such-user", "nobody")) == NOBODY
    assert find_account(("no-such-user",)) is None
    assert find_group("root") == 0
    assert find_group("no-such-group") is None
    assert may_change_account() == (os.geteuid() == 0)
