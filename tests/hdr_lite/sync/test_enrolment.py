"""The file that says whom this device reports to."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from hdr_lite.config import UserError
from hdr_lite.sync.enrolment import (
    FILE,
    HOST,
    Enrolment,
    Server,
    collector_host,
    forget_enrolment,
    is_enrolled,
    load_enrolment,
    read_url,
    save_enrolment,
)

ENROLMENT = Enrolment("https://c.example", "0" * 32, "attic", bytes(range(32)), "PEM")


@pytest.mark.parametrize(
    ("url", "server", "authority"),
    [
        ("https://c.example", Server("c.example", 443, ""), "c.example:443"),
        ("https://192.0.2.1:8443/", Server("192.0.2.1", 8443, ""), "192.0.2.1:8443"),
        ("https://[2001:DB8::1]:1/hdr/", Server("2001:db8::1", 1, "/hdr"), "[2001:db8::1]:1"),
    ],
)
def test_urls(url: str, server: Server, authority: str) -> None:
    """Names, addresses, a port, a path before all others."""
    assert read_url(url) == server
    assert read_url(url).authority == authority


@pytest.mark.parametrize(
    "url",
    ["", "c.example", "http://c.example", "https://", "https://c:x", "https://u:p@c", "https://c?a"]
    + ["https://[::1", "https://c:99999", "https://c#a"],
)
def test_what_is_no_url(url: str) -> None:
    """Only TLS, no password in it, nothing that would be ignored."""
    with pytest.raises(UserError, match="is no address of a collector"):
        read_url(url)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """Whole, for its owner alone; saving again replaces it."""
    assert not is_enrolled(str(tmp_path))
    assert load_enrolment(str(tmp_path)) is None
    for enrolment in (ENROLMENT, replace(ENROLMENT, secret=bytes(32))):
        save_enrolment(str(tmp_path), enrolment)
        assert is_enrolled(str(tmp_path))
        assert load_enrolment(str(tmp_path)) == enrolment
    assert {path.name for path in tmp_path.iterdir()} == {FILE, HOST}
    assert (tmp_path / HOST).stat().st_mode & 0o777 == 0o644
    assert collector_host(str(tmp_path)) == "c.example"
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_it_belongs_to_the_directorys_owner(tmp_path: Path) -> None:
    """Root enrols, another user sends."""
    os.chown(tmp_path, 65534, 65534)
    save_enrolment(str(tmp_path), ENROLMENT)
    assert (tmp_path / FILE).stat().st_uid == 65534


def test_a_link_in_its_way_is_not_followed(tmp_path: Path) -> None:
    """The directory's owner cannot have root write elsewhere."""
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / f"{FILE}.new").symlink_to(other)
    (tmp_path / FILE).symlink_to(other)
    save_enrolment(str(tmp_path), ENROLMENT)
    assert other.read_text() == "mine"
    assert not (tmp_path / FILE).is_symlink()


def test_what_is_none(tmp_path: Path) -> None:
    """Torn at each byte, of wrong types, or a directory: a sentence each time."""
    save_enrolment(str(tmp_path), ENROLMENT)
    whole = (tmp_path / FILE).read_bytes()
    short = json.loads(whole) | {"secret": "00"}
    odd = json.loads(whole) | {"name": 1}
    wrong = [json.dumps(short).encode(), json.dumps(odd).encode(), b"[]", b"\xff"]
    for text in [*(whole[:cut] for cut in range(len(whole))), *wrong]:
        (tmp_path / FILE).write_bytes(text)
        with pytest.raises(UserError, match="holds no enrolment"):
            load_enrolment(str(tmp_path))
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(UserError, match="cannot read"):
        load_enrolment(str(tmp_path))


def test_the_secret_is_not_shown() -> None:
    """Neither in a message nor in a traceback."""
    assert ENROLMENT.secret.hex()[:16] not in repr(ENROLMENT)
    assert "secret" not in repr(ENROLMENT)


def test_forgetting(tmp_path: Path) -> None:
    """It is gone, and asking twice is no failure."""
    save_enrolment(str(tmp_path), ENROLMENT)
    assert forget_enrolment(str(tmp_path))
    assert not forget_enrolment(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert collector_host(str(tmp_path)) == ""


def test_the_collectors_address_without_its_interface(tmp_path: Path) -> None:
    """Of a link-local one."""
    save_enrolment(str(tmp_path), replace(ENROLMENT, url="https://[fe80::1%eth0]:1"))
    assert collector_host(str(tmp_path)) == "fe80::1"


def test_no_directory(tmp_path: Path) -> None:
    """A sentence where it cannot be written."""
    with pytest.raises(UserError, match="cannot write"):
        save_enrolment(str(tmp_path / "absent"), ENROLMENT)
