"""Where a running instance has its lock and its control socket."""

import os
from pathlib import Path

from hdr_lite.config import UserError

#: Of a service that was started by root, or by systemd.
SYSTEM = Path("/run/hdr-lite")


def make_runtime(given: str | None) -> Path:
    """The directory for lock and socket of what is to be started, made where it is not there."""
    path = Path(given) if given else _own()
    try:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {path}: {(error.strerror or str(error)).lower()}") from None
    return path


def find_socket(given: str | None, instance: str) -> Path:
    """The control socket of an instance, which may be root's or one's own."""
    name = f"{file_name(instance)}.sock"
    if given:
        return Path(given) / name
    own = _own() / name
    return own if own.exists() else SYSTEM / name


def file_name(instance: str) -> str:
    """Of an instance's files, without what follows the dot."""
    return f"instance-{instance}" if instance else "hdr-lite"


def _own() -> Path:
    if os.geteuid() == 0 or os.environ.get("RUNTIME_DIRECTORY") == str(SYSTEM):
        return SYSTEM
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "hdr-lite" if base else Path(f"/tmp/hdr-lite-{os.geteuid()}")  # noqa: S108
