"""Who serves the tests of sync."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hdr_lite.sync.certificates import Authority
from tests.hdr_lite.sync.server import Server


@pytest.fixture(name="authority", scope="session")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that the device trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(name="identity", scope="session")
def _identity(authority: Authority) -> Path:
    """The collector's key and certificate."""
    return authority.sign("collector")


@pytest.fixture(name="server")
def _server(identity: Path) -> Iterator[Server]:
    """A server that answers as it was told."""
    with Server(identity) as server:
        yield server
