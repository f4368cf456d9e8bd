"""``hdr-lite run``: one command from a capture to its output, and every mistake a sentence."""

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from hdr_lite.cli.run import claim_output, default_output, hash_file
from hdr_lite.config import UserError
from hdr_lite.sensor.process import Inputs
from tests.hdr_lite.sources.captures import pcap, udp_frame

ROOT = Path(__file__).parents[3]
START = 1_600_000_000 * 10**9


def _hdr_lite(*words: object, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hdr_lite", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(name="capture")
def _capture(tmp_path: Path) -> Path:
    return pcap(tmp_path / "a.pcap", [(START + n * 10**8, udp_frame(n % 5)) for n in range(200)])


def test_a_capture_from_end_to_end(capture: Path, tmp_path: Path) -> None:
    """Everything is written, and what was found is told at the end."""
    out = tmp_path / "out"
    done = _hdr_lite("run", "-f", capture, "-o", out, "--flows")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{capture}: 200 packets, 5 flows, 0 evidence, 0 alerts in " in done.stdout
    assert str(out) in done.stdout
    summary = json.loads((out / "summary.json").read_text())
    assert summary["input"]["sha256"] == hashlib.sha256(capture.read_bytes()).hexdigest()
    assert summary["sensor"]["packets"] == 200
    assert summary["run"]["sources"][0]["name"] == str(capture)
    assert len((out / "flows.jsonl").read_text().splitlines()) == 5


def test_json(capture: Path, tmp_path: Path) -> None:
    """One object on standard output, nothing else."""
    done = _hdr_lite("run", "--json", "-f", capture, "-o", tmp_path / "out")
    facts = json.loads(done.stdout)
    assert facts.pop("seconds") >= 0
    assert facts == {
        "source": str(capture),
        "output": str(tmp_path / "out"),
        "status": 0,
        "packets": 200,
        "flows": 5,
        "evidence": 0,
        "alerts": 0,
    }


def test_output_that_nobody_reads(capture: Path, tmp_path: Path) -> None:
    """A closed pipe on standard output ends nothing early and shows no traceback."""
    out = tmp_path / "out"
    code = f"{sys.executable} -m hdr_lite run -f {capture} -o {out} | true"
    done = subprocess.run(code, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert json.loads((out / "summary.json").read_text())["sensor"]["packets"] == 200


def test_output_that_is_closed(capture: Path, tmp_path: Path) -> None:
    """Without a standard output the files are written all the same."""
    out = tmp_path / "out"
    code = f"{sys.executable} -m hdr_lite run -f {capture} -o {out} >&-"
    done = subprocess.run(code, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((out / "summary.json").read_text())["sensor"]["packets"] == 200


def test_a_full_disk_is_told_once(capture: Path, tmp_path: Path) -> None:
    """Each file that cannot be written is a sentence, and nothing is said besides."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.json").symlink_to("/dev/full")
    done = _hdr_lite("run", "-f", capture, "-o", out)
    assert done.returncode == 1
    path = out / "summary.json"
    assert done.stderr == f"hdr-lite: cannot write {path}: No space left on device\n"


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_names_of_any_bytes(locale: str, capture: Path, tmp_path: Path) -> None:
    """A file's name need not be UTF-8, nor printable, nor the terminal's locale able to show it."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xc3\xbc\x1b.pcap")
    Path(name).write_bytes(capture.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "hdr_lite", "run", "-f", name, "-o", tmp_path / "out"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        env={**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\x1b.pcap: 200 packets, " in done.stdout
    assert json.loads((tmp_path / "out/summary.json").read_text())["sensor"]["packets"] == 200


def test_default_output(capture: Path, tmp_path: Path) -> None:
    """Without -o the output goes to a new folder under output/, as Slips'."""
    assert _hdr_lite("run", "-f", capture, cwd=tmp_path).returncode == 0
    (made,) = (tmp_path / "output").iterdir()
    assert made.name.startswith("a.pcap_20")
    assert (made / "summary.json").exists()


def test_a_pipe(capture: Path, tmp_path: Path) -> None:
    """A capture may come through a pipe, so that a compressed one needs no file."""
    out = tmp_path / "out"
    code = f"cat {capture} | {sys.executable} -m hdr_lite run -f /dev/stdin -o {out}"
    done = subprocess.run(code, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "summary.json").read_text())["sensor"]["packets"] == 200


def test_a_truncated_capture(capture: Path, tmp_path: Path) -> None:
    """What came before the break counts, and the break is one line."""
    capture.write_bytes(capture.read_bytes()[:-1])
    done = _hdr_lite("run", "-f", capture, "-o", tmp_path / "out")
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert f"{capture}: broken after 199 packets: truncated" in done.stderr
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert "broken after 199 packets" in summary["run"]["sources"][0]["error"]
    assert (
        f"sensor: {capture}: broken after 199 packets" in (tmp_path / "out/errors.log").read_text()
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-f", "/nonexistent"], "/nonexistent: no such file"),
        (["-f", "/"], "/: is a directory, not a capture file"),
        (["-f", ""], "a capture file's name is empty"),
        (["-f", "/dev/null"], "/dev/null: not a capture file: truncated"),
        (["-f", "{empty}"], "{empty}: is empty, not a capture file"),
        (["-i", ""], "-i needs the name of an interface"),
        (["-f", "{capture}", "-o", "{text}"], "the output directory {text}: is no directory"),
        (["-f", "{text}"], "{text}: not a capture file: unknown file format"),
        (["-f", "{capture}", "-F", "nonsense at all"], "filter 'nonsense at all': "),
        (["-i", "nosuch0"], "nosuch0: no such interface; there are "),
        (["-i", "a", "-i", "a"], "-i a is given twice"),
        (["-f", "{capture}", "-P", "a/b"], "-P a/b: a name is 1 to 32 letters"),
        (["-f", "{capture}", "-v", "9"], "-v: output.verbose must be a whole number from 0 to 3"),
        (["-f", "{capture}", "--set", "meter.flow=1"], "--set meter.flow=1: unknown key"),
        (["-f", "{capture}", "--disable", "nosuch"], "--disable: nosuch: there is no such module"),
        (["-f", "{capture}", "--modules-dir", "/nonexistent"], "--modules-dir: /nonexistent: "),
        (["-f", "{capture}", "--set", "meter.flows=4194304"], "by the tables of [meter] ("),
        (["-f", "{capture}", "--set", "memory.total=16777216"], "memory.total = 16777216 (--set"),
        (["-f", "{capture}", "-c", "/nonexistent"], "cannot read the configuration /nonexistent"),
        (["-f", "{capture}", "-o", "{text}/x"], "cannot write to the output directory {text}/x: "),
        ([], "one of the arguments -f/--file -i/--interface is required"),
        (["-f", "a", "-i", "b"], "argument -i/--interface: not allowed with argument -f/--file"),
    ],
)
def test_mistakes(words: list[str], sentence: str, capture: Path, tmp_path: Path) -> None:
    """A user's mistake is status 2 and one sentence, and leaves nothing behind."""
    text = tmp_path / "text"
    text.write_text("this is no capture file, though it is long enough for its header")
    empty = tmp_path / "empty"
    empty.touch()
    names = {"text": text, "capture": capture, "empty": empty}
    given = [word.format(**names) for word in words]
    out = tmp_path / "out"
    done = _hdr_lite("run", "-o", out, *given)
    assert done.returncode == 2, done.stderr
    assert sentence.format(**names) in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("hdr-lite")
    assert not out.exists()


def test_a_replay_that_is_stopped(tmp_path: Path) -> None:
    """Ctrl-C ends it within seconds, with complete files and a status that says it is not all."""
    pipe, out = tmp_path / "pipe", tmp_path / "out"
    os.mkfifo(pipe)
    process = _start("run", "-f", pipe, "-o", out, "-P", "stopped", stderr=subprocess.PIPE)
    whole = pcap(tmp_path / "a.pcap", [(START + n, udp_frame(n)) for n in range(3000)])
    with pipe.open("wb") as writer:  # and it stays open: the sensor waits for more
        writer.write(whole.read_bytes())
        writer.flush()
        _until(lambda: _children(process.pid) == ["stopped:engine", "stopped:sensor"])
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=5)
    assert process.returncode == 1
    assert err == f"hdr-lite[stopped]: stopped before the end of {pipe}\n"
    assert json.loads((out / "summary.json").read_text())["sensor"]["packets"] == 3000


def test_progress_on_a_terminal(tmp_path: Path) -> None:
    """Packets, rate and share of the file are drawn on one line of the terminal."""
    path = pcap(tmp_path / "a.pcap", [(START + n, udp_frame(n)) for n in range(3000)])
    ours, theirs = pty.openpty()
    process = _start("run", "-f", path, "-o", tmp_path / "out", stderr=theirs)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # EIO: nobody has the terminal open any more
        while data := os.read(ours, 4096):
            shown += data
    os.close(ours)
    assert process.wait(10) == 0
    process.communicate()
    assert b"\r\x1b[K3,000 packets  " in shown
    assert b"/s  100 %" in shown
    assert shown.endswith(b"\r\x1b[K")


def _start(*words: object, stderr: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "hdr_lite", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def _children(pid: int) -> list[str]:
    """Names of a process's children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sorted(Path(f"/proc/{child}/comm").read_text().strip() for child in children)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_instances_and_one_directory(capture: Path, tmp_path: Path) -> None:
    """Who comes second is refused, and told who is there."""
    out = tmp_path / "out"
    lock = claim_output(str(out), "first")
    done = _hdr_lite("run", "-f", capture, "-o", out, "-P", "second")
    assert done.returncode == 2
    assert f"the output directory {out} is in use by hdr-lite[first], process " in done.stderr
    os.close(lock)
    assert _hdr_lite("run", "-f", capture, "-o", out, "-P", "second").returncode == 0


def test_claim_needs_a_directory(tmp_path: Path) -> None:
    """An output directory that cannot be made is the user's mistake."""
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write to the output directory"):
        claim_output(str(tmp_path / "file"), "")


def test_default_names() -> None:
    """The folder is named after the file, or after the interfaces, and the time."""
    assert default_output(Inputs("/some/where/a.pcap")).startswith("output/a.pcap_20")
    assert default_output(Inputs("", ("eth0", "wlan0"))).startswith("output/eth0_wlan0_20")


def test_hash_in_steps(tmp_path: Path) -> None:
    """The steps end with the digest that sha256sum gives."""
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 4096)
    *steps, last = hash_file(str(path))
    assert set(steps) == {""}
    assert len(steps) == 4
    assert last == hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(hash_file("/dev/null")) == ["-"]
