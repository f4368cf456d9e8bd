"""The verb ``collector``."""

import re
from pathlib import Path

import pytest

from hdr_lite.cli import main
from hdr_lite.collector.certificates import prepare
from hdr_lite.records.batch import read_token


def test_token_carries_the_ca(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Made beside a collector; before its first start there is none to pin."""
    data = str(tmp_path)
    assert main(["collector", "token", "--data", data]) == 2
    assert "first 'collector serve'" in capsys.readouterr().err
    prepare(tmp_path, ["localhost"])
    assert main(["collector", "token", "--data", data, "--note", "attic"]) == 0
    assert len(read_token(capsys.readouterr().out).ca) == 43
    assert main(["collector", "token", "--data", data, "--system-trust"]) == 0
    assert read_token(capsys.readouterr().out).ca == "-"


def test_user_gets_a_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Told once; a name that is none is refused."""
    words = ["collector", "user", "--data", str(tmp_path)]
    assert main([*words, "anna", "--role", "operator"]) == 0
    assert re.search(r"'anna' has the role operator .* password \S{20}", capsys.readouterr().out)
    assert main([*words, "A B"]) == 2


def test_backup_and_restore(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Of one directory into another."""
    one, two, file = str(tmp_path / "one"), str(tmp_path / "two"), str(tmp_path / "file")
    assert main(["collector", "backup", "--data", one, file]) == 2
    assert main(["collector", "user", "--data", one, "anna"]) == 0
    assert main(["collector", "backup", "--data", one, file]) == 0
    assert main(["collector", "restore", "--data", two, file]) == 0
    assert main(["collector", "restore", "--data", two, file]) == 2
    assert "move it away" in capsys.readouterr().err


def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Where the extra was not installed."""
    monkeypatch.setattr(
        "hdr_lite.cli.collector.find_spec", lambda name: None if name == "litestar" else name
    )
    assert main(["collector", "serve"]) == 2
    assert "needs litestar: pip install" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["serve", "--listen", "nowhere"], ["token", "--hours", "1000"]])
def test_nonsense_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]):
    """By a sentence."""
    with pytest.raises(SystemExit) as end:
        main(["collector", *words])
    assert end.value.code == 2
