"""A copy of all, taken while the collector runs, and put back."""

import io
import stat
import tarfile
from pathlib import Path

import pytest

from hdr_lite.collector.backup import back_up, restore
from hdr_lite.config import UserError
from tests.collector.payloads import payload
from tests.collector.server import Device, Person, Server


def test_restored_collector_goes_on(tmp_path: Path):
    """Devices, cursors, users and CA are the same; what came after is asked for again."""
    with Server(tmp_path / "one") as server:
        admin = Person(server)
        device = Device(server, admin.token())
        assert device.batch(1, [(1, payload(1)), (2, payload(2))], 3).status == 200
        assert back_up(tmp_path / "one", tmp_path / "backup.tar.gz") > 1000
        assert device.batch(3, [(3, payload(3))], 4).status == 200
    assert stat.S_IMODE((tmp_path / "backup.tar.gz").stat().st_mode) == 0o600
    (tmp_path / "two").mkdir()
    restore(tmp_path / "backup.tar.gz", tmp_path / "two")
    with Server(tmp_path / "two") as second:
        device.server = second
        answer = device.batch(4, [(4, payload(4))], 5)
        assert (answer.status, answer.msgpack()) == (409, {"next": 3})
        assert device.batch(3, [(3, payload(3)), (4, payload(4))], 5).msgpack() == {"next": 5}
        again = Person(second, "admin", server.password)
        ids = [a["id"] for a in again.get("/api/alerts").json()["items"]]
        assert ids == [f"a{n:08d}" for n in (4, 3, 2, 1)]


def test_what_is_there_is_not_overwritten(tmp_path: Path):
    """Neither by restore, nor is there a backup of nothing."""
    with pytest.raises(UserError, match="no collector's database"):
        back_up(tmp_path, tmp_path / "x")
    (tmp_path / "collector.db").touch()
    with pytest.raises(UserError, match="move it away"):
        restore(tmp_path / "x", tmp_path)


def test_archive_of_somebody_else(tmp_path: Path):
    """Only our files come out of it, and only into the directory."""
    with tarfile.open(tmp_path / "evil", "w:gz") as archive:
        for name in ("../escaped", "other", "ca.pem"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
    data = tmp_path / "data"
    data.mkdir()
    with pytest.raises(UserError, match="no database in the backup"):
        restore(tmp_path / "evil", data)
    assert [path.name for path in data.iterdir()] == ["ca.pem"]
    assert not (tmp_path / "escaped").exists()
    (tmp_path / "none").write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot read the backup"):
        restore(tmp_path / "none", data)
