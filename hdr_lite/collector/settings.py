"""What an operator chooses for a collector."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and times, with their defaults."""

    ca: str = ""  #: PEM of the CA that devices pin, "": they trust the system's
    ca_digest: str = "-"  #: as tokens carry it
    days: int = 90  #: that alerts are kept
    size: int = 20 << 30  #: bytes that they may take
    alerts_per_minute: int = 6_000  #: of one device
    bytes_per_minute: int = 16 << 20  #: of its bodies, as sent
    session_hours: int = 12
    token_hours: float = 1.0
