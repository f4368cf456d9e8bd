"""An .ipk taken apart."""

import io
import tarfile
from pathlib import Path


def members(data: bytes) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """What a gzip'd tar holds, by name."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for info in archive:
            file = archive.extractfile(info)
            found[info.name] = info, file.read() if file else b""
    return found


class Unpacked:
    """The two archives of a package."""

    def __init__(self, path: Path) -> None:
        self.outer = members(path.read_bytes())
        self.control = members(self.outer["./control.tar.gz"][1])
        self.data = members(self.outer["./data.tar.gz"][1])
