"""``hdr-lite collector load`` and ``consume``."""

import json
from pathlib import Path

import pytest

from hdr_lite.cli import main
from tests.fleet.process import Process


def test_load_tells_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, of a collector that runs."""
    server = Process(
        tmp_path / "log", "serve", "--plain", "--data", str(tmp_path / "data"),
        "--listen", "127.0.0.1:0",
    )  # fmt: skip
    server.start()
    store = f"sqlite:///{tmp_path}/data/collector.db"
    options = ["--store", store, "--devices", "4", "--batch", "10", "--alerts", "100"]
    try:
        assert main(["collector", "load", f"http://127.0.0.1:{server.port}", *options]) == 0
    finally:
        server.stop()
    figures = json.loads(capsys.readouterr().out)
    assert figures["alerts"] == 100
    assert figures["alerts_per_second"] > 0
    assert figures["ms_p99"] >= figures["ms_median"] > 0


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://192.0.2.1:8443", "no loopback address"),
        ("http://collector.example:8443", "no loopback address"),
        ("ftp://127.0.0.1:1", "no http"),
        ("https://127.0.0.1", "no http"),
    ],
)
def test_load_is_for_this_machine(url: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is really meant."""
    assert main(["collector", "load", url, "--store", "sqlite:///x"]) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--devices", "--batch", "--alerts"])
def test_load_is_bounded(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """So that a slip of the finger does not fill a disk."""
    with pytest.raises(SystemExit):
        main(["collector", "load", "http://127.0.0.1:1", "--store", "x", option, "99999999"])
    assert "from 1 to" in capsys.readouterr().err


def test_consume_needs_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    """And says so."""
    where = ["--store", "sqlite:///x", "--bus", "nats://127.0.0.1:1"]
    assert main(["collector", "consume", *where]) == 2
    assert "postgresql://" in capsys.readouterr().err
