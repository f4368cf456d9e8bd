"""A device without a collector pays nothing; one with a collector has its directories."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hdr_lite.cli import spooling as module
from hdr_lite.cli.spooling import make_directory, spooling
from hdr_lite.config import Config, SyncConfig
from hdr_lite.supervisor.privileges import Account
from tests.program import ROOT


def config(**settings: str) -> Config:
    return replace(Config(), sync=SyncConfig(**settings))  # type: ignore[arg-type]


def test_without_a_collector(tmp_path: Path) -> None:
    """There is no spool, and none of its code is loaded."""
    assert spooling(config(state=str(tmp_path))) is None
    assert spooling(config(state="/proc/1/fd/nothing")) is None
    words = "from hdr_lite.cli import daemon; from hdr_lite.cli.spooling import spooling;"
    words += " from hdr_lite.config import Config, SyncConfig; import sys;"
    words += f" assert spooling(Config(sync=SyncConfig(state={str(tmp_path)!r}))) is None;"
    words += " assert not [name for name in sys.modules if 'spool.' in name or '.sync' in name]"
    subprocess.run([sys.executable, "-c", words], cwd=ROOT, check=True)


def test_enrolled(tmp_path: Path) -> None:
    """The enrolment's file is enough; the settings may name another directory."""
    (tmp_path / "enrolment").touch()
    found = spooling(config(state=str(tmp_path)))
    assert found is not None
    assert (found.directory, found.state) == (Path(module.DIRECTORY), tmp_path)
    found = spooling(config(state=str(tmp_path), spool=str(tmp_path / "spool")))
    assert found is not None
    assert found.directory == tmp_path / "spool"


def test_set_without_an_enrolment(tmp_path: Path) -> None:
    """It is written from the first alert on, for a collector to come."""
    found = spooling(config(state=str(tmp_path / "state"), spool=str(tmp_path / "spool")))
    assert found is not None
    found.prepare(None, None)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["spool", "state"]
    assert (tmp_path / "spool").stat().st_mode & 0o7777 == 0o2750
    assert (tmp_path / "state").stat().st_mode & 0o7777 == 0o2751
    found.output.open()
    found.output.close()
    (segment,) = (tmp_path / "spool").glob("*.seg")
    assert segment.stat().st_mode & 0o7777 == 0o640


def test_directories_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One account's, for another one's group; what is there stays."""
    owners: list[tuple[str, int, int]] = []
    monkeypatch.setattr(
        module.os, "chown", lambda path, uid, gid: owners.append((path.name, uid, gid))
    )
    engine, sender = Account("engine", 801, 901), Account("sync", 802, 902)
    found = spooling(config(state=str(tmp_path / "a/state"), spool=str(tmp_path / "a/spool")))
    assert found is not None
    for _ in range(2):
        found.prepare(engine, sender)
    assert owners == [("spool", 801, 902), ("state", 802, 901)]
    make_directory(tmp_path / "b", None, engine, 0o1771)
    assert owners[2:] == [("b", -1, 901)]


def test_memory_is_told(tmp_path: Path) -> None:
    """A spool that a reboot takes away is one more blind spot."""
    found = spooling(config(spool="/dev/shm/spool"))
    assert found is not None
    assert list(found.blind()) == [
        "alerts that wait for the collector do not survive a reboot: /dev/shm/spool is memory"
    ]
    found = spooling(config(spool=str(tmp_path)))
    assert found is not None
    assert list(found.blind()) == []
