"""A copy of all that a collector has, taken while it runs, and put back."""

import io
import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path

from hdr_lite.config import UserError

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
        new = Path(folder) / "new"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
                for path in (copy, *(data / name for name in _FILES)):
                    if path.exists():
                        _add(archive, path)
            file.flush()
            os.fsync(file.fileno())
        size = new.stat().st_size
        new.replace(target)
    return size


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
    new = data / f"{member.name}.new"
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := content.read(io.DEFAULT_BUFFER_SIZE * 16):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    new.replace(data / member.name)
