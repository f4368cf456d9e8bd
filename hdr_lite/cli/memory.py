"""Whether all processes together fit into ``memory.total``, before they start."""

from collections.abc import Sequence

from hdr_lite.config import LEAST_BUFFER, ConfigError, EnforcerConfig, Settings
from hdr_lite.engine.loader import Found
from hdr_lite.native import Ring
from hdr_lite.ring import RingMemory
from hdr_lite.sensor.meter import make_meter

_MB = 1024 * 1024
# From what was measured on x86-64 with Debian's Python 3.11: 31.8 MB (PSS) of four processes,
# at rest, while few others of Python ran, less the capture buffer, split by the enforcer's share.
# Tables, ring, buffers, modules' state and what is held are counted apart.
#: Supervisor, sensor and engine, forked from one.
BASE = 25 * _MB
#: What the enforcer adds to them, with libnftables.
ENFORCER = 5 * _MB
#: What reporting to a collector adds: ``sync`` asleep (4.0 MB more for all, measured), and the
#: child that sends, while there is something to say (12.2 MB).
SYNC = 4 * _MB + 122 * _MB // 10
#: ``memory.total`` of a device that reports, unless somebody has set it.
REPORTING_TOTAL = 64 * _MB
#: Bytes of a block, of a limit and of an offender that is remembered, each with an IPv6 address.
#: The first two were measured (451, 354); the third is 147 that were, and a key's text.
_BLOCK, _LIMIT, _OFFENDER = 450, 360, 230
#: Sets that hold so many of them each, and of offenders as many for each block of one set.
_BLOCK_SETS, _LIMIT_SETS, _OFFENDERS = 3, 5, 2


def check_memory(
    settings: Settings,
    found: Sequence[Found],
    memory: RingMemory,
    *,
    interfaces: int,
    blocks: bool,
    reports: bool,
) -> None:
    """``ConfigError`` names what needs most when the parts do not fit together.

    ``blocks``: there is an enforcer; ``reports``: there is a collector, and ``sync``.
    """
    config = settings.config
    given = BASE + (ENFORCER if blocks else 0) + (SYNC if reports else 0)
    ring = Ring(memory.memory)
    meter = make_meter(ring, 0, config.meter, wait=True)  # its memory is not touched
    buffers = max(config.capture.buffer, interfaces * LEAST_BUFFER) if interfaces else 0
    parts = {
        "the tables of [meter]": meter.memory,
        f"ring.size = {config.ring.size}": Ring.size_for(config.ring.size),
        f"capture.buffer = {config.capture.buffer}": buffers,
    }
    if blocks:
        parts |= _held(config.enforcer)
    for module in found:
        if module.runs and module.module is not None:
            parts[f"module {module.name}"] = module.module.budget
    needed = given + sum(parts.values())
    if needed <= config.memory.total:
        return
    # What the processes need is given; the rest can be changed.
    largest = max(parts, key=parts.__getitem__)
    where = settings.origin("memory.total")
    raise ConfigError(
        f"memory.total = {config.memory.total} ({where}) is too little: "
        f"{needed / _MB:.1f} MB are needed, {given / _MB:.1f} of them by the processes themselves, "
        f"the most of the others by {largest} ({parts[largest] / _MB:.1f} MB)"
    )


def _held(config: EnforcerConfig) -> dict[str, int]:
    """What full tables of the enforcer take."""
    block = _BLOCK_SETS * _BLOCK + _OFFENDERS * _OFFENDER
    return {
        f"enforcer.blocks = {config.blocks}": config.blocks * block,
        f"enforcer.limits = {config.limits}": config.limits * _LIMIT_SETS * _LIMIT,
    }
