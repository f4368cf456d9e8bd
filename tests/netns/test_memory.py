"""What the service takes, and that its processes share what they were forked from."""

import os
import re
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.bench.measure import proportional_kib
from tests.netns.network import wires
from tests.netns.service import Service, serving

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make network namespaces"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
]

#: MiB, with room for what development tools hook into each start of Python.
AT_REST = 36


def test_at_rest() -> None:
    """Four processes stay under their budget, and ``status`` says what the kernel says."""
    with serving() as service:
        time.sleep(2)
        processes = service.processes()
        assert set(processes) == {"supervisor", "sensor", "engine", "enforcer"}
        for process in processes.values():
            seen = proportional_kib(process["pid"]) * 1024
            assert abs(process["memory"] - seen) < 1 << 20
        total = sum(proportional_kib(process["pid"]) for process in processes.values())
        assert total < AT_REST * 1024, processes
        assert service.stop() == 0


def test_children_import_nothing() -> None:
    """What they need was loaded before the fork: afterwards it would copy what is shared."""
    with serving("env", "PYTHONPROFILEIMPORTTIME=1") as service:
        sent = service.send("syn_flood")
        service.until(lambda: service.packets() >= sent)
        told = [line.rpartition("|")[2].strip() for line in service.said.splitlines()]
        last = max(n for n, name in enumerate(told) if name.startswith("hdr_lite.modules."))
        assert service.stop() == 0
        late = [name for name in told[last + 1 :] if re.fullmatch(r"[a-z_][\w.]*", name)]
        assert late == []


class TwoInterfaces(Service):
    """A service that watches two."""

    def _words(self) -> tuple[str, ...]:
        return (*super()._words(), "-i", "in1")


def test_interfaces_share_the_capture_buffer() -> None:
    """However many are watched, the kernel's buffers take what is set for all of them."""
    with TemporaryDirectory(prefix="hdr-lite-") as name, wires(2) as network:
        folder = Path(name)
        folder.chmod(0o755)
        service = TwoInterfaces(network, folder)
        try:
            service.until_said("hdr-lite: ready\n")
            maps = Path(f"/proc/{service.processes()['sensor']['pid']}/maps").read_text()
            sizes = [
                int(end, 16) - int(start, 16)
                for start, end in re.findall(r"(?m)^(\w+)-(\w+) .* socket:", maps)
            ]
            assert len(sizes) == 2
            assert sum(sizes) <= 2 << 20
            assert service.stop() == 0
        finally:
            service.close()
