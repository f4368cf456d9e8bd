"""Whether a run fits into ``memory.total``, before it starts."""

from collections.abc import Sequence

from hdr_lite.config import ConfigError, Settings
from hdr_lite.engine.loader import Found
from hdr_lite.native import Ring
from hdr_lite.ring import RingMemory
from hdr_lite.sensor.meter import make_meter

_MB = 1024 * 1024
#: Three processes forked from one, without tables, ring, capture buffers and modules' state:
#: measured on x86-64 with Debian's Python 3.11 as 21.5 MB idle, 25.5 MB under load (Pss).
BASE = 26 * _MB


def check_memory(
    settings: Settings, found: Sequence[Found], memory: RingMemory, interfaces: int
) -> None:
    """``ConfigError`` names what needs most when the parts do not fit together."""
    config = settings.config
    ring = Ring(memory.memory)
    meter = make_meter(ring, 0, config.meter, wait=True)  # its memory is not touched
    parts = {
        "the processes": BASE,
        "the tables of [meter]": meter.memory,
        f"ring.size = {config.ring.size}": Ring.size_for(config.ring.size),
        f"capture.buffer = {config.capture.buffer}": config.capture.buffer * interfaces,
    }
    for module in found:
        if module.runs and module.module is not None:
            parts[f"module {module.name}"] = module.module.budget
    needed = sum(parts.values())
    if needed <= config.memory.total:
        return
    # What the processes need is given; the rest can be changed.
    largest = max((name for name in parts if name != "the processes"), key=parts.__getitem__)
    where = settings.origin("memory.total")
    raise ConfigError(
        f"memory.total = {config.memory.total} ({where}) is too little: "
        f"{needed / _MB:.1f} MB are needed, the most of them by {largest} "
        f"({parts[largest] / _MB:.1f} MB)"
    )
