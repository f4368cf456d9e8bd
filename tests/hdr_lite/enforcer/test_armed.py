"""The kept choice of mode."""

from pathlib import Path

import pytest

from hdr_lite.enforcer.armed import Armed, ArmedFile


def test_kept_for_this_boot(tmp_path: Path) -> None:
    """What was chosen is there again, until the device boots anew or it is forgotten."""
    boot = tmp_path / "boot"
    boot.write_text("one\n")
    file = ArmedFile(tmp_path / "state.armed", boot)
    assert file.load() is None
    for choice in (Armed("block", 1234.5), Armed("limit", None)):
        file.save(choice)
        assert file.load() == choice
    boot.write_text("two\n")
    assert file.load() is None
    boot.write_text("one\n")
    file.forget()
    file.forget()
    assert file.load() is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "7", '{"mode": "fire", "until": null, "boot": ""}',
     '{"mode": "block", "until": "soon", "boot": ""}', '{"mode": [], "until": 1, "boot": ""}'],
)  # fmt: skip
def test_nonsense_is_no_choice(tmp_path: Path, text: str) -> None:
    """A damaged file arms nothing."""
    path = tmp_path / "state.armed"
    path.write_text(text)
    assert ArmedFile(path, tmp_path / "no boot id").load() is None
