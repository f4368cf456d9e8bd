"""Templates and static files."""

from dataclasses import replace

import pytest
from litestar.exceptions import NotFoundException

from hdr_lite.collector.app import HEADERS
from hdr_lite.collector.pages.render import Files, lost, page, state
from hdr_lite.collector.store import Device
from hdr_lite.records.batch import Health

HOUR = 3_600_000
NOW = 1_795_530_000_000
HEALTH = Health("0.1.0", 60, 36_000_000, drops={"ring": 3, "nflog": 4})
DEVICE = Device(
    "d" * 32, "Kiel", "", "0.1.0", 1, NOW, False, "", 0, 0, 5, 0, 0, HEALTH, NOW
)  # fmt: skip


def test_file_changes_its_address_with_its_content(tmp_path):
    """So that it may be kept for ever; under an address of before it is not kept."""
    (tmp_path / "a.css").write_text("a{}")
    files = Files(tmp_path)
    address = files.address("a.css")
    _, _, version, name = address.split("/")

    assert "immutable" in files.answer(version, name).headers["Cache-Control"]
    assert files.answer("old", name).headers["Cache-Control"] == "no-cache"
    assert files.answer(version, name).media_type == "text/css"
    (tmp_path / "a.css").write_text("b{}")
    assert Files(tmp_path).address("a.css") != address


@pytest.mark.parametrize("name", ["b.css", "../render.py", ""])
def test_nothing_but_those_files_is_served(tmp_path, name: str):
    """Names are looked up, not opened."""
    with pytest.raises(NotFoundException):
        Files(tmp_path).answer("", name)


def test_state_of_a_device():
    """One word, the gravest first."""
    assert state(DEVICE, NOW) == "reporting"
    assert state(DEVICE, NOW + 3 * HOUR) == "silent"
    assert state(replace(DEVICE, last_seen=0), NOW) == "new"
    assert state(replace(DEVICE, health=replace(HEALTH, trouble=["x"])), NOW) == "troubled"
    assert state(replace(DEVICE, revoked=True), NOW) == "revoked"


def test_what_a_device_lost():
    """Alerts that its spool dropped, and what it told to have dropped."""
    assert lost(DEVICE) == 12
    assert lost(replace(DEVICE, health=None)) == 5


def test_page_bears_the_headers_and_escapes():
    """Whatever a template prints: markup is text, and text that hides is shown."""
    answer = page(
        "refusal.html",
        {"heading": "<script>x</script>", "reason": "a\u202eb"},
        who=None,
        status=403,
    )
    assert answer.status_code == 403
    assert answer.headers.items() >= HEADERS.items()
    assert "&lt;script&gt;x&lt;/script&gt;" in answer.content
    assert "<script>x" not in answer.content
    assert "\u202e" not in answer.content
