"""The unit, the users and the installer: what systemd makes of them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.program import ROOT

PROCESSES = ("sensor", "engine", "enforcer", "sync")
UNIT = ROOT / "systemd/hdr-lite.service"
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze"
)


def settings() -> dict[str, str]:
    """The unit's settings; of one that stands twice the first."""
    found: dict[str, str] = {}
    for line in UNIT.read_text().splitlines():
        if match := re.match(r"(\w+)=(.*)", line):
            found.setdefault(match[1], match[2])
    return found


@needs_systemd
def test_exposure() -> None:
    """systemd's own measure stays below 3.0, and the unit explains every remaining mark."""
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    said = subprocess.run(words, capture_output=True, text=True, env=environment).stdout
    exposure = re.search(r"exposure level for hdr-lite.service: ([\d.]+)", said)
    assert exposure is not None, said
    assert float(exposure[1]) < 3.0
    marked = re.findall(r"^✗ (\w+)=(?:~?([@\w]+))?", said, re.MULTILINE)
    assert marked
    explained = UNIT.read_text().partition("still marks")[2]
    for name, what in marked:
        assert name in explained, f"{name}={what} is marked and not explained"
        if what.startswith(("@", "CAP_", "AF_")):
            assert what.partition("(")[0] in explained, f"{name} {what} is not explained"


def test_limits_and_watchdog() -> None:
    """Memory, readiness, watchdog and the time to stop are as promised."""
    unit = settings()
    assert (unit["Type"], unit["MemoryHigh"], unit["MemoryMax"]) == ("notify", "48M", "96M")
    assert int(unit["WatchdogSec"]) > 0
    assert int(unit["TimeoutStopSec"]) > 5
    assert unit["KillMode"] == "mixed"
    assert unit["RuntimeDirectoryPreserve"] == "restart"  # what was told outlives a supervisor


def test_capabilities_are_the_supervisors() -> None:
    """The unit gives just what the supervisor keeps."""
    from hdr_lite.cli.daemon import _SUPERVISOR

    given = set(settings()["CapabilityBoundingSet"].split())
    assert given == {f"CAP_{capability.name}" for capability in _SUPERVISOR}


def test_users_of_the_table() -> None:
    """Every user that owns a directory is made."""
    made = {
        line.split()[1]
        for line in (ROOT / "systemd/hdr-lite.sysusers").read_text().splitlines()
        if line and not line.startswith("#")
    }
    owners = {
        word
        for line in (ROOT / "systemd/hdr-lite.tmpfiles").read_text().splitlines()
        if line.startswith("d ")
        for word in line.split()[3:5]
    }
    assert owners <= made | {"root"}
    assert {"hdr-lite", *(f"hdr-lite-{name}" for name in PROCESSES)} == made


def test_shipped_settings_are_settings(tmp_path: Path) -> None:
    """The shipped file loads, also with every setting that it shows uncommented."""
    from hdr_lite.config import load

    text = (ROOT / "systemd/hdr-lite.toml").read_text()
    whole = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    assert whole.count(" = ") > text.count("\ndirectory = ")
    (tmp_path / "whole.toml").write_text(whole)
    assert load(str(ROOT / "systemd/hdr-lite.toml")).config.daemon.directory == "/var/log/hdr-lite"
    assert load(str(tmp_path / "whole.toml")).config.daemon.interfaces == ("br-lan",)


@pytest.mark.skipif(os.geteuid() != 0, reason="the installer wants root")
def test_removal_leaves_settings_until_purged(tmp_path: Path) -> None:
    """--remove takes all that was put in place but settings; --purge those, too."""
    for path in ("usr/lib/systemd/system/hdr-lite.service", "usr/bin/hdr-lite", "etc/hdr-lite/x"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    environment = {**os.environ, "DESTDIR": str(tmp_path)}
    script = str(ROOT / "scripts/install")
    subprocess.run([script, "--remove"], env=environment, check=True, capture_output=True)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / "etc/hdr-lite/x"]
    subprocess.run([script, "--purge"], env=environment, check=True, capture_output=True)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
