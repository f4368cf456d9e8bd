"""The package that opkg takes: a gzip'd tar of two gzip'd tars, as OpenWrt's build root writes it.

Owners are 0:0, names sorted, times one, so that the same files give the same bytes.
"""

import gzip
import io
import tarfile
from pathlib import Path

from scripts.openwrt.feed import Package

_POSTINST = """#!/bin/sh
[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. ${IPKG_INSTROOT}/lib/functions.sh
default_postinst $0 $@
"""
_PRERM = """#!/bin/sh
[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. ${IPKG_INSTROOT}/lib/functions.sh
default_prerm $0 $@
"""


def kept_paths(package: Package) -> list[str]:
    """Of its conffiles, what is no file of the package: a system upgrade keeps these by a list."""
    return [path for path in package.conffiles if not (package.data / path.lstrip("/")).is_file()]


def write_keep_list(package: Package) -> None:
    """The list by which a system upgrade keeps what the package's files do not name."""
    kept = kept_paths(package)
    if kept:
        path = package.data / "lib/upgrade/keep.d" / package.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in kept))
        path.chmod(0o644)


def installed_size(folder: Path) -> int:
    """The bytes of all files below ``folder``."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if not p.is_dir() or p.is_symlink())


def control(package: Package, architecture: str, epoch: int, size: int) -> str:
    """The control file."""
    given = package.fields
    fields = {
        "Package": package.name,
        "Version": package.version,
        "Depends": ", ".join(package.depends),
        "Provides": ", ".join(given["PROVIDES"].split()),
        "Conflicts": ", ".join(given["CONFLICTS"].split()),
        "Source": f"feeds/hdr/{package.name}",
        "SourceName": given["NAME"] or package.name,
        "License": given["LICENSE"],
        "LicenseFiles": given["LICENSE_FILES"],
        "Section": given["SECTION"],
        "Require-User": given["USERID"],
        "SourceDateEpoch": str(epoch),
        "URL": given["URL"],
        "Maintainer": given["MAINTAINER"],
        "Architecture": architecture,
        "Installed-Size": str(size),
    }
    description = [f" {line.strip()}\n" for line in given["description"].splitlines()]
    text = "".join(f"{name}: {value}\n" for name, value in fields.items() if value.strip())
    return f"{text}Description: {''.join(description)}"


def write(package: Package, architecture: str, epoch: int, folder: Path) -> Path:
    """Write the package into ``folder``."""
    write_keep_list(package)
    data = _tar(_files(package.data), epoch)
    members = {
        "control": (control(package, architecture, epoch, len(data)).encode(), 0o644),
        "postinst": (_POSTINST.encode(), 0o755),
        "prerm": (_PRERM.encode(), 0o755),
    }
    files = [p for p in package.conffiles if p not in kept_paths(package)]
    if files:
        members["conffiles"] = ("".join(f"{p}\n" for p in sorted(files)).encode(), 0o644)
    for name, suffix in (("preinst", ""), ("postinst", "-pkg"), ("prerm", "-pkg"), ("postrm", "")):
        if package.fields[name].strip():
            members[name + suffix] = (f"{package.fields[name]}\n".encode(), 0o755)
    outer = {
        "debian-binary": (b"2.0\n", 0o644),
        "data.tar.gz": (_gzip(data), 0o644),
        "control.tar.gz": (_gzip(_tar(_members(members), epoch)), 0o644),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{package.name}_{package.version}_{architecture}.ipk"
    path.write_bytes(_gzip(_tar([(i, c) for i, c in _members(outer) if i.name != "."], epoch)))
    return path


def _files(folder: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Every file below ``folder``; a folder's mode is 0755, whatever the umask here."""
    entries = []
    for path in [folder, *sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).parts)]:
        info = tarfile.TarInfo(_name(path, folder))
        info.mode = path.lstat().st_mode & 0o7777
        content = b""
        if path.is_symlink():
            info.type, info.linkname = tarfile.SYMTYPE, str(path.readlink())
        elif path.is_dir():
            info.type, info.mode = tarfile.DIRTYPE, 0o755
        else:
            content = path.read_bytes()
        entries.append((info, content))
    return entries


def _name(path: Path, folder: Path) -> str:
    return "." if path == folder else f"./{path.relative_to(folder)}"


def _members(contents: dict[str, tuple[bytes, int]]) -> list[tuple[tarfile.TarInfo, bytes]]:
    top = tarfile.TarInfo(".")
    top.type, top.mode = tarfile.DIRTYPE, 0o755
    entries = [(top, b"")]
    for name, (content, mode) in contents.items():
        info = tarfile.TarInfo(f"./{name}")
        info.mode = mode
        entries.append((info, content))
    return entries


def _tar(entries: list[tuple[tarfile.TarInfo, bytes]], epoch: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for info, content in entries:
            info.mtime, info.size = epoch, len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=9, mtime=0)
