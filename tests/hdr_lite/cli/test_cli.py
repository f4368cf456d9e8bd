"""The program's front: verbs, the form without one, and mistakes in one sentence."""

import argparse
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hdr_lite import __version__, cli
from hdr_lite.config import ConfigError


@pytest.fixture(name="called")
def _called(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """Every verb is replaced by one that notes how it was called."""
    calls: list[argparse.Namespace] = []

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("-i")
        parser.add_argument("-o")

    def run(arguments: argparse.Namespace) -> int:
        calls.append(arguments)
        if arguments.i == "wrong":
            raise ConfigError("one sentence")
        return 0

    verb = SimpleNamespace(add_arguments=add_arguments, run=run, __doc__="a verb")
    monkeypatch.setattr(cli, "import_module", lambda name: calls.append(name) or verb)
    return calls


def test_seed_form_is_run(called: list[object]) -> None:
    """Slips' command line without a verb means run."""
    assert cli.main(["-i", "wlp3s0", "-o", "local_conn_detector"]) == 0
    assert called[0] == "hdr_lite.cli.run"
    assert vars(called[1]) == {"i": "wlp3s0", "o": "local_conn_detector"}


def test_only_the_verb_is_imported(called: list[object]) -> None:
    """A verb's module is imported when it is called, and no other's."""
    assert cli.main(["config"]) == 0
    assert called[0] == "hdr_lite.cli.config"
    assert len(called) == 2


def test_users_mistake(called: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is one sentence on stderr and status 2, never a traceback."""
    assert cli.main(["run", "-i", "wrong"]) == 2
    assert capsys.readouterr().err == "hdr-lite run: one sentence\n"


def test_wrong_usage(called: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown option is one sentence and status 2."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "--nonsense"])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("hdr-lite run: unrecognized arguments: --nonsense")
    assert err.count("\n") == 1


def test_unknown_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown verb names the nearest one."""
    assert cli.main(["insepct", "x"]) == 2
    err = capsys.readouterr().err
    assert "unknown verb 'insepct': the nearest is 'inspect'" in err
    assert err.count("\n") == 1


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Help lists every verb with an example of the seed's form; nothing at all is wrong usage."""
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in cli.VERBS)
    assert "hdr-lite -i wlp3s0 -o local_conn_detector" in out
    assert cli.main([]) == 2
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.endswith(f"hdr-lite {__version__}\n")


def _in_shell(words: str) -> "subprocess.CompletedProcess[str]":
    """The program with its streams as the shell makes them."""
    return subprocess.run(
        f"{sys.executable} -m hdr_lite {words}",
        shell=True,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("words", ["--help", "--version", "run --help", "modules", "config"])
def test_full_standard_output(words: str) -> None:
    """A standard output that takes nothing is one sentence and status 1."""
    done = _in_shell(f"{words} > /dev/full")
    assert done.stderr == "hdr-lite: cannot write to standard output: No space left on device\n"
    assert done.returncode == 1


@pytest.mark.parametrize("words", ["--help", "run --help", "modules"])
def test_reader_that_left(words: str) -> None:
    """Who reads no further is told nothing."""
    done = _in_shell(f"{words} | true")
    assert done.stderr == ""


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["--help", "modules"])
def test_closed_streams(words: str, streams: str) -> None:
    """Without standard streams there is nobody to tell, which is no failure."""
    done = _in_shell(f"{words} {streams}")
    assert (done.returncode, done.stderr) == (0, "")
