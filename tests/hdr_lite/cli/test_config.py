"""``hdr-lite config``: every setting with value, default, meaning and origin."""

import json
from pathlib import Path

import pytest

from hdr_lite.cli import main
from hdr_lite.config import sections, settings_of


def test_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A person sees what is set, what it means, what is allowed and where it came from."""
    path = tmp_path / "c.toml"
    path.write_text("[meter]\nflows = 1024\n")
    assert (
        main(["config", "-c", str(path), "--set", "capture.filter=tcp", "--disable", "template"])
        == 0
    )
    out = capsys.readouterr().out
    assert "meter.flows = 1024\n    flows followed at once: a whole number from 64 to" in out
    assert f"    from {path}:2 (the default is 16384)\n" in out
    assert 'capture.filter = "tcp"\n' in out
    assert "    from --set capture.filter=tcp" in out
    assert 'modules.disable = ["template"]\n' in out
    assert "    from --disable" in out
    assert "    from default\n" in out


def test_json_has_every_setting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get one object with every key, each with the same facts."""
    assert main(["config", "--json", "-v", "2", "-F", "udp", "--modules-dir", str(tmp_path)]) == 0
    facts = json.loads(capsys.readouterr().out)
    keys = {f"{s}.{name}" for s, part in sections().items() for name in settings_of(part)}
    assert keys <= set(facts)
    assert facts["output.verbose"] == {
        "value": 2,
        "default": 1,
        "meaning": "1 tells what modules print, 2 also evidence and restarts, 3 also windows",
        "allowed": "a whole number from 0 to 3",
        "origin": "-v",
    }
    assert facts["capture.filter"]["value"] == "udp"
    assert facts["modules.directory"]["origin"] == "--modules-dir"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-v", "7"], "-v: output.verbose must be a whole number from 0 to 3, not 7"),
        (["--set", "x=1"], "--set x=1: unknown section 'x'"),
        (["-c", "/nonexistent"], "cannot read the configuration /nonexistent: no such file"),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong setting is status 2 and one sentence that names it."""
    assert main(["config", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"hdr-lite config: {sentence}")
    assert err.count("\n") == 1
