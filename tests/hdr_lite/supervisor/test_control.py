"""The control socket against peers of every kind."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from hdr_lite.config import UserError
from hdr_lite.supervisor import control
from hdr_lite.supervisor.control import MOST_PEERS, MOST_REQUEST, ControlServer, Reply, ask
from tests.hdr_lite.supervisor.serving import serving


def echo(request: Mapping[str, Any], reply: Reply) -> None:
    reply({"got": request["verb"], "long": "x" * request.get("length", 0)})


def test_one_request_one_answer(tmp_path: Path) -> None:
    """An answer may be long; the socket is gone after the end."""
    with serving(tmp_path / "s", echo):
        assert ask(tmp_path / "s", {"verb": "status"}) == {"got": "status", "long": ""}
        answer = ask(tmp_path / "s", {"verb": "x", "length": 1_000_000})
        assert len(answer["long"]) == 1_000_000
        with pytest.raises(UserError, match="too long"):
            ask(tmp_path / "s", {"verb": "x", "length": control.MOST_ANSWER})
    assert not (tmp_path / "s").exists()
    with pytest.raises(UserError, match="nothing runs"):
        ask(tmp_path / "s", {"verb": "status"})


def raw(path: Path, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(str(path))
        peer.sendall(data)
        answer = b""
        while more := peer.recv(4096):
            answer += more
    return answer


@pytest.mark.parametrize(
    "data",
    [b"\n", b"{}\n", b'{"verb": 1}\n', b"[1]\n", b"\xff\xfe\n", b"[" * 50_000 + b"\n"],
)
def test_nonsense(tmp_path: Path, data: bytes) -> None:
    """What is no request is told so, and the next one is served."""
    with serving(tmp_path / "s", echo):
        assert b"a request is a JSON object with a verb" in raw(tmp_path / "s", data)
        assert ask(tmp_path / "s", {"verb": "status"})["got"] == "status"


def test_request_without_end(tmp_path: Path) -> None:
    """A request past the limit is refused."""
    with serving(tmp_path / "s", echo):
        assert b"the request is too long" in raw(tmp_path / "s", b"x" * (MOST_REQUEST + 10))


def test_more_after_the_request(tmp_path: Path) -> None:
    """What follows the line is not read as another request, nor does it cost the answer."""
    with serving(tmp_path / "s", echo):
        answer = raw(tmp_path / "s", b'{"verb": "a"}\n{"verb": "b"}\n')
        assert answer.count(b"got") == 1


def test_silent_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers that say nothing are let go, so that they cannot take all the places for good."""
    monkeypatch.setattr(control, "PATIENCE", 0.3)
    with serving(tmp_path / "s", echo):
        peers = [socket.socket(socket.AF_UNIX) for _ in range(MOST_PEERS)]
        for peer in peers:
            peer.connect(str(tmp_path / "s"))
            peer.settimeout(10)
        assert [peer.recv(1) for peer in peers] == [b""] * MOST_PEERS
        assert ask(tmp_path / "s", {"verb": "status"})["got"] == "status"
        for peer in peers:
            peer.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
@pytest.mark.parametrize(
    ("groups", "permitted"), [([], False), ([4242], True), ([*range(100, 300), 4242], True)]
)
def test_who_may_ask(groups: list[int], permitted: bool) -> None:
    """Root may, the group may, by whichever of its groups; another is told that he may not."""
    with TemporaryDirectory() as folder, serving(Path(folder) / "s", echo, group=4242) as server:
        path = server.path
        Path(folder).chmod(0o755)
        path.chmod(0o666)  # the kernel's word is to decide, not the mode
        pid = os.fork()
        if pid == 0:
            status = 9
            try:
                os.setgroups(groups)
                os.setgid(65534)
                os.setuid(65534)
                status = 0 if ask(path, {"verb": "status"}) else 2
            except UserError as error:
                status = 1 if "that is for root and the group" in str(error) else 3
            finally:
                os._exit(status)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == (0 if permitted else 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_mode(tmp_path: Path) -> None:
    """The socket is root's and the group's; without a group, root's alone."""
    server = ControlServer(tmp_path / "a", 4242, echo)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o660
    assert (tmp_path / "a").stat().st_gid == 4242
    server.close()
    server = ControlServer(tmp_path / "b", None, echo)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    server.close()
