"""Client certificates: nginx in front of the real collector asks for one, as docs/sync.md says."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hdr_lite.cli import main
from hdr_lite.config import SyncConfig
from hdr_lite.outputs.spool import Spool
from hdr_lite.sync.sender import send_round
from tests.hdr_lite.outputs.samples import ALERT
from tests.hdr_lite.sync.certificates import Authority
from tests.hdr_lite.sync.real import RealCollector, needs_collector

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

CONFIG = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {identity};
        ssl_certificate_key {identity};
        ssl_client_certificate {authority};
        ssl_verify_client on;
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
        }}
    }}
}}
"""


@pytest.fixture(name="front")
def _front(tmp_path: Path, authority: Authority, identity: Path) -> Iterator[RealCollector]:
    """A collector without TLS of its own, behind nginx, whose port it is given as its own."""
    needs_collector()
    if NGINX is None:
        pytest.skip("needs nginx")
    ca = ("--ca", str(authority.certificate))
    collector = RealCollector(tmp_path, "--plain", "--proxy", "127.0.0.1", *ca)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(
        CONFIG.format(
            folder=tmp_path,
            port=port,
            identity=identity,
            authority=authority.certificate,
            behind=collector.port,
        )
    )
    nginx = subprocess.Popen([NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf"])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.02)
    collector.port = port
    yield collector
    nginx.terminate()
    nginx.wait()
    collector.close()


def test_a_device_with_a_certificate(
    front: RealCollector, tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    """With it the device enrols and reports; without it nginx lets nothing through."""
    certificate = str(authority.sign("device"))
    where = ["--runtime", str(tmp_path), "--set", f"sync.state={tmp_path}/state"]
    where += ["--set", f"sync.spool={tmp_path}/spool"]
    token = front.token("--ca", str(authority.certificate))
    words = ["enrol", front.url, "--token", token, *where]
    assert main(words) == 2
    assert "who answers there is not the collector" in capsys.readouterr().err
    assert main([*words, "--set", f"sync.certificate={certificate}"]) == 0
    spool = Spool(tmp_path / "spool", 1 << 20, tmp_path / "state/cursor")
    spool.open()
    spool.alert(ALERT)
    spool.close()
    lines: list[object] = []
    bare = SyncConfig(state=str(tmp_path / "state"))
    send_round(bare, tmp_path / "spool", {}, lambda line: lines.append(line["error"]))
    assert lines == ["it answers 400"]
    full = SyncConfig(state=str(tmp_path / "state"), certificate=certificate)
    send_round(full, tmp_path / "spool", {}, lambda line: lines.append(line.get("error")))
    assert lines[-1] == ""
    assert front.alerts() == {ALERT.id: 1}
