"""Numbers, times and hostile text as people read them."""

from datetime import UTC, datetime

_MOST = 2000  #: characters of a text that are shown
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))

FAMILIES = {
    "scan": "Scanning",
    "bruteforce": "Password guessing",
    "flood": "Flooding",
    "spoof": "Spoofing",
    "tunnel": "Tunnelling",
    "exfiltration": "Data leaving",
    "c2": "Remote control",
    "dga": "Generated domains",
    "exploit": "Exploit",
    "malware": "Malware",
    "lateral": "Moving inside",
    "policy": "Policy",
    "anomaly": "Anomaly",
    "intel": "Known bad",
}
VERBS = {
    "": "watched",
    "limit": "may be limited",
    "block": "may be blocked",
    "quarantine": "may be quarantined",
}
KINDS = {"block": "blocked", "limit": "limited", "quarantine": "quarantined"}
ROLES = {1: "viewer", 2: "operator", 3: "admin"}
_CAPITALS = {"arp", "icmp", "tcp", "udp", "ip", "dns", "tls", "http", "os", "dga", "mitm", "ssh"}


def clean(value: object) -> object:
    """What a template prints, made harmless to the eye: all that templates print passes here.

    HTML's own characters are the autoescape's business. This takes what turns text around or hides
    it (bidirectional controls, control characters, private characters) and bounds its length.
    """
    if value is None:
        return ""
    if type(value) is not str:  # numbers; markup, a str of its own type, has been escaped
        return value
    if len(value) > _MOST:
        value = value[:_MOST] + "…"
    if value.isprintable():
        return value
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in value
    )


def amount(number: float) -> str:
    """12,345."""
    return f"{number:,.0f}"


def size(number: int) -> str:
    """Bytes."""
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def span(seconds: float) -> str:
    """A length of time by its two largest units: ``3 h 20 min``."""
    left = max(0, int(seconds))
    parts = []
    for unit, length in _UNITS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def ago(ms: int, now: int) -> str:
    """How long ago a moment was, by its largest unit."""
    seconds = (now - ms) // 1000
    if abs(seconds) < 10:
        return "just now"
    words = span(abs(seconds)).split()
    return f"in {words[0]} {words[1]}" if seconds < 0 else f"{words[0]} {words[1]} ago"


def moment(ms: int) -> str:
    """A time of day in UTC, to the second."""
    return _datetime(ms).strftime("%Y-%m-%d %H:%M:%S UTC")


def short(ms: int, now: int) -> str:
    """A time of day, with its date where that is not today's."""
    then = _datetime(ms)
    return then.strftime("%H:%M:%S" if then.date() == _datetime(now).date() else "%d %b %H:%M")


def clock(ms: int) -> str:
    """A time of day, to the second."""
    return _datetime(ms).strftime("%H:%M:%S")


def iso(ms: int) -> str:
    """As HTML's ``time`` wants it."""
    return _datetime(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def family(name: str) -> str:
    """A family as a person says it."""
    return FAMILIES.get(name, name)


def kind(name: str) -> str:
    """A type as a person says it: VERTICAL_PORT_SCAN is a vertical port scan."""
    if not name.replace("_", "").isupper():
        return name
    words = [w.upper() if w in _CAPITALS else w for w in name.lower().split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _datetime(ms: int) -> datetime:
    """Within the years that Python and HTML know: clocks of devices say anything."""
    return datetime.fromtimestamp(min(max(ms, 0), 253_402_300_799_000) / 1000, UTC)
