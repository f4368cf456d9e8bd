"""Ordinary load through the whole service in mode block: nobody is blocked, nothing is lost."""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.netns.bed import bed
from tests.netns.guard import guarding
from tests.netns.load import site

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces"),
    *(
        pytest.mark.skipif(shutil.which(name) is None, reason=f"needs {name}")
        for name in ("iperf3", "curl", "dnsmasq", "ping", "ssh", "dropbear")
    ),
]

SECONDS = 15


@pytest.mark.parametrize("source", ["nflog", "capture"])
def test_nothing_is_touched(source: str, tmp_path: Path) -> None:
    """Transfers, pages, names, pings, logins, a service that is down, a backup: all go on."""
    with ExitStack() as stack:
        place = stack.enter_context(site(stack.enter_context(bed()), tmp_path))
        guard = stack.enter_context(guarding(place.net, source))
        did = place.under_load(SECONDS)
        assert did.wrong == []
        for what in ("files fetched", "names answered", "pings answered", "logins"):
            assert did.done[what] > 0
        for what in ("service was down", "service answered", "machines backed up", "MB moved"):
            assert did.done[what] > 0
        assert guard.outcomes() == {}
        assert guard.status()["engine"]["alerts"] == 0
        assert guard.verb("blocked").startswith("mode block, held: 0")
        assert guard.stop() == 0
