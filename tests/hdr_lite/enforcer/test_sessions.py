"""Who is logged in, told by records, by logind, by age."""

import os
import socket
from pathlib import Path

import pytest

from hdr_lite.enforcer.sessions import AUTHENTICATED, Sessions, logged_in, login_record
from tests.netns.bed import LAN_HOST, ROUTER_IN_LAN, bed, opened, within

HEAD = "  sl  local_address rem_address   st\n"
FOUR = "   0: 0107A8C0:0016 0A07A8C0:{port:04X} {state} 00000000:00000000 00:00000000 0 0 0 1\n"
SIX = (
    "   0: 0000000000000000FFFF00000107A8C0:0016 0000000000000000FFFF00000B07A8C0:9C40 01 0:0 0\n"
    "   1: B80D0120000000000000000001000000:0016 B80D0120000000000000000007000000:9C41 01 0:0 0\n"
)


def write(root: Path, name: str, text: str) -> None:
    """A file below a root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_old_connections(tmp_path: Path) -> None:
    """One that lasts longer than a server waits for a login has logged in; no other."""
    sessions = Sessions(tmp_path)
    assert sessions.now((22,), 0) == frozenset()
    write(tmp_path, "proc/thread-self/net/tcp", HEAD + FOUR.format(port=40000, state="01"))
    assert sessions.now((22,), 10) == frozenset()
    assert sessions.now((22,), 9 + AUTHENTICATED) == frozenset()
    assert sessions.now((22,), 10 + AUTHENTICATED) == {("192.168.7.10", 22)}
    write(tmp_path, "proc/thread-self/net/tcp", HEAD + FOUR.format(port=40001, state="01"))
    assert sessions.now((22,), 11 + AUTHENTICATED) == frozenset()  # another connection
    write(tmp_path, "proc/thread-self/net/tcp", HEAD + FOUR.format(port=40001, state="06"))
    assert sessions.now((22,), 12 + 2 * AUTHENTICATED) == frozenset()  # that one has ended
    assert sessions.now((443,), 13) == frozenset()


def test_both_families(tmp_path: Path) -> None:
    """IPv4 in IPv6's clothes is IPv4."""
    sessions = Sessions(tmp_path)
    write(tmp_path, "proc/thread-self/net/tcp6", HEAD + SIX)
    sessions.now((22,), 0)
    assert sessions.now((22,), AUTHENTICATED) == {("192.168.7.11", 22), ("2001:db8::7", 22)}


def test_logind(tmp_path: Path) -> None:
    """Remote sessions that are there; not local ones, ending ones, or names."""
    for number, text in enumerate(
        (
            "REMOTE=1\nREMOTE_HOST=192.168.1.10\nSTATE=active\n",
            "REMOTE=1\nREMOTE_HOST=fe80::7%eth0\nSTATE=online\n",
            "REMOTE=1\nREMOTE_HOST=192.168.1.11\nSTATE=closing\n",
            "REMOTE=0\nSTATE=active\n",
            "REMOTE=1\nREMOTE_HOST=a.example\nSTATE=active\n",
        )
    ):
        write(tmp_path, f"run/systemd/sessions/{number}", text)
    (tmp_path / "run/systemd/sessions/7.ref").mkdir()
    assert Sessions(tmp_path).now((22,), 0) == {("192.168.1.10", 22), ("fe80::7", 22)}


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")
def test_of_the_kernel() -> None:
    """The kernel's own table, of the namespace that asks."""
    with bed() as net, opened(net.lan, LAN_HOST, ROUTER_IN_LAN, 22):
        sessions = Sessions()
        assert within(net.router, lambda: sessions.now((22,), 0)) == frozenset()
        aged = within(net.router, lambda: sessions.now((22,), AUTHENTICATED))
        assert aged == {(LAN_HOST, 22)}


def test_logged_in(tmp_path: Path) -> None:
    """Remote logins count, local ones and ended ones do not; a cut record is left out."""
    record = login_record(os.uname().machine)

    def entry(kind: int, raw: bytes) -> bytes:
        return record.pack(
            kind, 1, b"pts/0", b"ts/0", b"root", b"host", 0, 0, 0, 0, 0, raw.ljust(16, b"\0")
        )

    v6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    entries = [
        *(entry(7, socket.inet_aton("192.168.1.10")), entry(7, v6), entry(7, b"")),
        *(entry(8, socket.inet_aton("192.168.1.11")), entry(7, v6)[:-1]),
    ]
    (tmp_path / "run").mkdir()
    (tmp_path / "run/utmp").write_bytes(b"".join(entries))
    assert list(logged_in(tmp_path)) == ["192.168.1.10", "2001:db8::7"]
    assert Sessions(tmp_path).now((22, 443), 0) == {
        (address, port) for address in ("192.168.1.10", "2001:db8::7") for port in (22, 443)
    }


def test_login_record_sizes() -> None:
    """glibc's struct has 384 bytes where 32-bit programs share it, 400 elsewhere."""
    assert login_record("x86_64").size == login_record("mips").size == 384
    assert login_record("aarch64").size == 400
