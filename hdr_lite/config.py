"""Every setting: one frozen dataclass per part, with defaults, limits and meanings.

The table a setting stands in (``[meter]``) is its part; the field's metadata holds what
``hdr-lite config`` prints and what values are allowed. Loading and checking a file is at the
end.
"""

from dataclasses import dataclass, field
from typing import Any


def setting(
    default: Any,
    meaning: str,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field with what it means and what it may be."""
    metadata = {"meaning": meaning, "least": least, "most": most, "choices": choices}
    if isinstance(default, tuple):
        return field(default=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    """``[capture]``: the source of packets."""

    filter: str = setting("", "BPF filter, as for tcpdump")
    promiscuous: bool = setting(True, "whether an interface is put into promiscuous mode")
    snap_length: int = setting(65535, "bytes of a packet that are looked at", least=96, most=262144)
    buffer: int = setting(
        2 * 1024 * 1024, "bytes of the kernel's capture buffer", least=65536, most=1 << 30
    )


@dataclass(frozen=True, slots=True)
class MeterConfig:
    """``[meter]``: the flow table and its timeouts (seconds)."""

    flows: int = setting(16384, "flows followed at once", least=64, most=4194304)
    applications: int = setting(
        512, "flows whose first payloads are read at once", least=16, most=1048576
    )
    sources: int = setting(2048, "sources and targets whose attempts are summed", least=16, most=1 << 20)
    attempt_timeout: float = setting(
        5.0, "seconds until a connection counts as unanswered", least=0.1, most=3600
    )
    tcp_idle: float = setting(300.0, "seconds of silence that end a TCP flow", least=1, most=86400)
    udp_idle: float = setting(60.0, "seconds of silence that end a UDP flow", least=1, most=86400)
    icmp_idle: float = setting(60.0, "seconds of silence that end an ICMP flow", least=1, most=86400)
    closed_linger: float = setting(5.0, "seconds that a closed TCP flow is kept", least=0, most=600)
    active_timeout: float = setting(
        300.0, "seconds between checkpoints of a long flow", least=1, most=86400
    )
    fold_after: int = setting(
        64, "failed attempts of a source told singly in an interval", least=1, most=1 << 20
    )
    fold_interval: float = setting(10.0, "seconds of that interval", least=0.1, most=3600)


@dataclass(frozen=True, slots=True)
class RingConfig:
    """``[ring]``: the queue between sensor and engine."""

    size: int = setting(1 << 20, "bytes, a power of two", least=1 << 18, most=1 << 28)


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """``[scheduler]``: turns of modules."""

    quantum: float = setting(
        0.02, "seconds that a module may run before the next one's turn", least=0.001, most=10
    )
    queue: int = setting(4096, "messages kept for a module that reads slowly", least=16, most=1 << 20)
    failures: int = setting(5, "failures after which a module is retired", least=1, most=1000)


@dataclass(frozen=True, slots=True)
class DetectionConfig:
    """``[detection]``: from evidence to alerts."""

    threshold: float = setting(
        15.0, "points (level x confidence) per profile and window that raise an alert", least=0.1, most=1e6
    )
    window: float = setting(3600.0, "seconds of traffic time in a window", least=1, most=1e9)
    home: tuple[str, ...] = setting(
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ),
        "networks that are watched: the inside",
    )
    profiles: int = setting(4096, "profiles kept at once", least=16, most=1 << 20)


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """``[output]``: the files."""

    flows: bool = setting(False, "whether flows.jsonl is written")
    verbose: int = setting(1, "verbosity, Slips' -v", least=0, most=3)
    debug: int = setting(0, "debug level, Slips' -e", least=0, most=3)


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """``[memory]``: what all processes together may use."""

    total: int = setting(48 * 1024 * 1024, "bytes", least=16 * 1024 * 1024, most=1 << 40)


@dataclass(frozen=True, slots=True)
class ModulesConfig:
    """``[modules]``: which run. A table ``[modules.NAME]`` holds a module's own options."""

    enable: tuple[str, ...] = setting((), "modules to run though they are shipped switched off")
    disable: tuple[str, ...] = setting((), "modules not to run")
    directory: str = setting("", "the operator's own modules")
    options: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings."""

    capture: CaptureConfig = CaptureConfig()
    meter: MeterConfig = MeterConfig()
    ring: RingConfig = RingConfig()
    scheduler: SchedulerConfig = SchedulerConfig()
    detection: DetectionConfig = DetectionConfig()
    modules: ModulesConfig = field(default_factory=ModulesConfig)
    output: OutputConfig = OutputConfig()
    memory: MemoryConfig = MemoryConfig()
