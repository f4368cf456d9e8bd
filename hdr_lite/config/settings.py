"""Every setting: one frozen dataclass per part, with defaults, limits and meanings.

The table a setting stands in (``[meter]``) is its part; the field's metadata holds what
``hdr-lite config`` prints and what values are allowed.
"""

from dataclasses import Field, dataclass, field, fields
from typing import Any

#: Bytes that an interface's capture buffer has at least.
LEAST_BUFFER = 64 * 1024


def setting(
    default: Any,
    meaning: str,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
    form: str = "",
) -> Any:
    """A dataclass field with what it means and what it may be.

    ``form`` is a further condition: ``power of two``, ``networks`` or ``ports``.
    """
    limits = {"least": least, "most": most, "choices": choices, "form": form}
    return field(default=default, metadata={"meaning": meaning, **limits})


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    """``[capture]``: the source of packets."""

    source: str = setting(
        "auto",
        "what the service reads: first packets of connections (nflog), all packets (capture),"
        " or nflog where the device forwards and its kernel can (auto)",
        choices=("auto", "nflog", "capture"),
    )
    filter: str = setting("", "BPF filter, as for tcpdump")
    promiscuous: bool = setting(True, "whether an interface is put into promiscuous mode")
    snap_length: int = setting(4096, "bytes of a packet that are looked at", least=96, most=262144)
    buffer: int = setting(
        2 * 1024 * 1024,
        "bytes of the kernel's capture buffers, shared by the interfaces",
        least=LEAST_BUFFER,
        most=1 << 30,
    )
    first_packets: int = setting(
        8, "nflog: packets of each direction of a connection that are looked at", least=4, most=1000
    )
    first_bytes: int = setting(512, "nflog: bytes of each of them", least=96, most=2048)
    login_ports: tuple[str, ...] = setting(
        # ftp, ssh, telnet, smtp, pop3, imap, submission and where ssh and telnet hide
        ("21", "22", "23", "25", "110", "143", "587", "2222", "2323"),
        "nflog: TCP ports of servers that people log in to, of which more is looked at",
        form="ports",
    )
    login_packets: int = setting(
        64, "nflog: packets of each direction of their connections", least=4, most=10000
    )


@dataclass(frozen=True, slots=True)
class MeterConfig:
    """``[meter]``: the flow table and its timeouts (seconds)."""

    flows: int = setting(16384, "flows followed at once", least=64, most=4194304)
    applications: int = setting(
        512, "flows whose first payloads are read at once", least=16, most=1048576
    )
    sources: int = setting(
        2048, "sources and targets whose attempts are summed", least=16, most=1 << 20
    )
    attempt_timeout: float = setting(
        5.0, "seconds until a connection counts as unanswered", least=0.1, most=3600
    )
    tcp_idle: float = setting(300.0, "seconds of silence that end a TCP flow", least=1, most=86400)
    udp_idle: float = setting(60.0, "seconds of silence that end a UDP flow", least=1, most=86400)
    icmp_idle: float = setting(
        60.0, "seconds of silence that end an ICMP flow", least=1, most=86400
    )
    closed_linger: float = setting(
        5.0, "seconds that a closed TCP flow is kept (first packets: at least 3)", least=0, most=600
    )
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

    size: int = setting(1 << 20, "bytes", least=1 << 18, most=1 << 28, form="power of two")


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """``[scheduler]``: turns of modules."""

    quantum: float = setting(
        0.02, "seconds that a module may run before the next one's turn", least=0.001, most=10
    )
    queue: int = setting(
        4096, "messages kept for a module that reads slowly", least=16, most=1 << 20
    )
    failures: int = setting(5, "failures after which a module is retired", least=1, most=1000)


@dataclass(frozen=True, slots=True)
class DetectionConfig:
    """``[detection]``: from evidence to alerts."""

    threshold: float = setting(
        15.0,
        "points (level x confidence) per profile and window that raise an alert",
        least=0.1,
        most=1e6,
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
        form="networks",
    )
    profiles: int = setting(4096, "profiles kept at once", least=16, most=1 << 20)


@dataclass(frozen=True, slots=True)
class OutputConfig:
    """``[output]``: the files."""

    flows: bool = setting(False, "whether flows.jsonl is written")
    verbose: int = setting(
        1,
        "1 tells what modules print, 2 also evidence and restarts, 3 also windows",
        least=0,
        most=3,
    )
    debug: int = setting(
        0,
        "1 tells tracebacks of modules, 2 also malformed and lost, 3 also figures",
        least=0,
        most=3,
    )


@dataclass(frozen=True, slots=True)
class MemoryConfig:
    """``[memory]``: what all processes together may use."""

    total: int = setting(
        48 * 1024 * 1024, "bytes (64 MB if enrolled)", least=16 * 1024 * 1024, most=1 << 40
    )


@dataclass(frozen=True, slots=True)
class ModulesConfig:
    """``[modules]``: which run. A table ``[modules.NAME]`` holds a module's own options."""

    enable: tuple[str, ...] = setting((), "modules to run though they are shipped switched off")
    disable: tuple[str, ...] = setting((), "modules not to run")
    directory: str = setting("", "the operator's own modules")
    options: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DaemonConfig:
    """``[daemon]``: the service."""

    interfaces: tuple[str, ...] = setting(
        (), "interfaces that are watched; none: those that have an inside address"
    )
    directory: str = setting("/var/log/hdr-lite", "where alerts and logs are written")
    group: str = setting("hdr-lite", "group whose members may ask for the status")


@dataclass(frozen=True, slots=True)
class EnforcerConfig:
    """``[enforcer]``: what becomes of alerts on this device."""

    mode: str = setting(
        "observe",
        "observe: tell what would be done; limit: block nothing; block: all of it",
        choices=("observe", "limit", "block"),
    )
    allow: tuple[str, ...] = setting(
        (), "never touched: addresses, networks, MACs and domain names"
    )
    management: str = setting("", "interface whose networks are never touched")
    management_ports: tuple[str, ...] = setting(
        ("22",), "TCP ports of this device where a logged-in inside address stays welcome"
    )
    timeout: int = setting(600, "seconds of a first block", least=1, most=86400)
    forgive: int = setting(
        86400,
        "seconds of good behaviour that halve a repeat offender's next block",
        least=60,
        most=10_000_000,
    )
    blocks: int = setting(1024, "blocks held at once, IPv4 and IPv6 each", least=16, most=1 << 20)
    limits: int = setting(1024, "limits held at once, IPv4 and IPv6 each", least=16, most=1 << 18)
    quarantines: int = setting(64, "hosts quarantined at once", least=1, most=65536)
    page_ports: tuple[str, ...] = setting(
        ("80", "443"), "TCP ports of this device that a quarantined host may open"
    )
    on_stop: str = setting(
        "keep", "what happens to blocks when the program stops", choices=("keep", "remove")
    )
    state: str = setting("/var/lib/hdr-lite/enforcer.state", "file that keeps blocks over a reboot")
    state_interval: int = setting(
        900, "seconds between two writes of that file, at least", least=1, most=86400
    )


@dataclass(frozen=True, slots=True)
class SyncConfig:
    """``[sync]``: what the collector gets, once this device is enrolled."""

    spool: str = setting(
        "",
        "directory where alerts wait for the collector; none: /var/lib/hdr-lite/spool once the"
        " device is enrolled, and no spool before",
    )
    spool_size: int = setting(
        4 * 1024 * 1024,
        "bytes of it, at most; past them the oldest of the least severity go",
        least=1024 * 1024,
        most=32 * 1024 * 1024,
    )
    state: str = setting("/var/lib/hdr-lite/sync", "directory of the enrolment and what it keeps")
    proxy: str = setting(
        "", "HTTP proxy to the collector, such as http://192.0.2.1:3128; none: https_proxy"
    )
    certificate: str = setting(
        "", "PEM file with a client certificate, where what is in front of the collector wants one"
    )
    key: str = setting("", "PEM file with its key, where the file of the certificate lacks it")


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
    daemon: DaemonConfig = DaemonConfig()
    enforcer: EnforcerConfig = EnforcerConfig()
    sync: SyncConfig = SyncConfig()


def sections() -> dict[str, type]:
    """Name of each part's table -> its dataclass."""
    return {part.name: part.type for part in fields(Config) if isinstance(part.type, type)}


def settings_of(part: type) -> dict[str, "Field[Any]"]:
    """The settings in a part's table, by name."""
    return {f.name: f for f in fields(part) if "meaning" in f.metadata}


def allowed(f: "Field[Any]") -> str:
    """What a setting may be, in words: ``a whole number from 64 to 4194304``."""
    least, most, form = (f.metadata[name] for name in ("least", "most", "form"))
    if f.metadata["choices"]:
        return "one of " + ", ".join(f.metadata["choices"])
    if form == "networks":
        return "a list of networks such as '192.168.0.0/16'"
    if form == "ports":
        return "a list of ports such as '22'"
    if f.type is bool:
        return "true or false"
    if f.type is int or f.type is float:
        kind = form and f"a {form}" or ("a whole number" if f.type is int else "a number")
        return f"{kind} from {least} to {most}"
    return "text" if f.type is str else "a list of texts"
