"""What the service's processes take together, as it is watched from outside. Needs root.

    python -m tests.bench.memory_bench

Python itself is mapped by every Python process of the machine: of what they share, ours are
charged a part only. So a figure is worth keeping when no other Python runs.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hdr_lite.enforcer.state import KeptHold, save
from tests.bench.figure import Figure
from tests.bench.measure import proportional_kib
from tests.netns.network import wires
from tests.netns.service import Service

#: MiB, with the 2 that the kernel's capture buffer takes: 33 at rest, 48 under any load.
AT_REST, UNDER_LOAD = 33.0, 48.0
BLOCKS = 5000
#: Seconds until what a start or a flood has left behind is given back.
SETTLES = 3.0


class Blocking(Service):
    """A service in mode block that has blocks from before."""

    def write_settings(self, _text: str) -> None:
        """Its settings and its state file."""
        state = self.folder / "state"
        state.mkdir()
        keys = (f"198.18.{n >> 8}.{n & 255}" for n in range(BLOCKS))
        evidence = "a1b2c3d4-0000-5000-8000-123456789abc"
        holds = [KeptHold("block4", k, 80000, evidence, "X", False, 0) for k in keys]
        save(state / "blocks", holds, [])
        self.settings.write_text(
            f"[memory]\ntotal = {64 << 20}\n"  # so many count, though they take less
            f'[enforcer]\nblocks = {BLOCKS}\nstate = "{state}/blocks"\n'
            'mode = "block"\non_stop = "remove"\n'
        )


def sizes(service: Service) -> dict[str, float]:
    """MiB of each process, pages that it shares counted in parts (PSS)."""
    pids = {name: process["pid"] for name, process in service.processes().items()}
    return {name: proportional_kib(pid) / 1024 for name, pid in pids.items()}


def measure(kind: type[Service], flood: str = "") -> Mapping[str, dict[str, float]]:
    """Sizes at rest and, if one is named, after a flood."""
    with TemporaryDirectory(prefix="hdr-lite-") as name, wires(1) as network:
        folder = Path(name)
        folder.chmod(0o755)
        service = kind(network, folder)
        try:
            service.until_said("hdr-lite: ready\n")
            time.sleep(SETTLES)
            found = {"at rest": sizes(service)}
            if flood:
                sent = service.send(flood)
                service.until(lambda: service.packets() >= sent, 60)
                found["after a flood"] = sizes(service)
            return found
        finally:
            service.stop()
            service.close()


def run() -> list[Figure]:
    """All of them."""
    found = {
        **measure(Service, "syn_flood"),
        f"with {BLOCKS} blocks": measure(Blocking)["at rest"],
    }
    budgets = {"at rest": AT_REST}
    figures = []
    for when, parts in found.items():
        budget = budgets.get(when, UNDER_LOAD)
        figures.append(Figure(f"memory {when}", round(sum(parts.values()), 1), "MiB", most=budget))
        figures += [Figure(f"memory {when}: {n}", round(v, 1), "MiB") for n, v in parts.items()]
    return figures


if __name__ == "__main__":
    from tests.bench.main import tell

    raise SystemExit(tell([figure.row() for figure in run()], as_json=False))
