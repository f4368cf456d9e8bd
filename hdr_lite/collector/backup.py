"""A copy of all that a collector has, taken while it runs, and put back."""

import io
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from hdr_lite.config import UserError
from hdr_lite.storage import replacing

_DATABASE = "collector.db"
_FILES = ("ca.pem", "ca.key", "server.pem", "server.key")


def back_up(data: Path, target: Path) -> int:
    """Write database, CA and certificate into one file; bytes of it. It holds all secrets."""
    if not (data / _DATABASE).exists():
        raise UserError(f"there is no collector's database in {data}")
    with tempfile.TemporaryDirectory(dir=target.absolute().parent) as folder:
        copy = Path(folder) / _DATABASE
        with (
            closing(sqlite3.connect(data / _DATABASE)) as source,
            closing(sqlite3.connect(copy)) as sink,
        ):
            source.backup(sink)
        with (
            replacing(target, 0o600) as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive,
        ):
            for path in (copy, *(data / name for name in _FILES)):
                if path.exists():
                    _add(archive, path)
    return target.stat().st_size


def restore(source: Path, data: Path) -> None:
    """Put a backup into a directory in which there is no collector's database."""
    if (data / _DATABASE).exists():
        raise UserError(f"there is a database in {data}: move it away first")
    try:
        with tarfile.open(source, mode="r:gz") as archive:
            for member in archive:
                _extract(archive, member, data)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise UserError(f"cannot read the backup {source}: {error}") from error
    if not (data / _DATABASE).exists():
        raise UserError(f"there is no database in the backup {source}")


def _add(archive: tarfile.TarFile, path: Path) -> None:
    member = tarfile.TarInfo(path.name)
    member.size = path.stat().st_size
    member.mode = 0o600
    with path.open("rb") as file:
        archive.addfile(member, file)


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, data: Path) -> None:
    """One of our files, whole or not at all; what else an archive may hold is left."""
    if member.name not in (_DATABASE, *_FILES) or not member.isreg():
        return
    content = archive.extractfile(member)
    assert content is not None  # noqa: S101 - it is a regular file
    with replacing(data / member.name, 0o600) as file:
        while chunk := content.read(io.DEFAULT_BUFFER_SIZE * 16):
            file.write(chunk)
