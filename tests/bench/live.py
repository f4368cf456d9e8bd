"""The benches of the running service, which need root, namespaces and nftables.

Each is a module ``tests.bench.NAME_bench`` with a function ``run() -> list[Figure]``; to plug one
in, add its name to :data:`LIVE`.
"""

import importlib
from collections.abc import Sequence

from tests.bench.figure import Figure

#: In the order in which they are run.
LIVE = ("latency", "attacks", "inline", "memory", "enforcer", "nflog")


def measure(names: Sequence[str] = LIVE) -> list[Figure]:
    """All figures of those benches."""
    figures: list[Figure] = []
    for name in names:
        figures += importlib.import_module(f"tests.bench.{name}_bench").run()
    return figures
