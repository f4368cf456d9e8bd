"""The whole of it: the packages of a tree for one target and one Python."""

from dataclasses import dataclass
from pathlib import Path

from scripts.openwrt import apk, extension, feed, headers, ipk, tree
from scripts.openwrt.targets import Target

SITE = "usr/lib/python{}/site-packages"
EXTENSION = "hdr_lite/native/_native.so"


@dataclass(frozen=True)
class Made:
    """A package that was made, and the bytes it takes: as it is sent, and unpacked."""

    path: Path
    compressed: int
    installed: int


def lay_out(root: Path, target: Target, python: headers.Python, epoch: int, work: Path) -> Path:
    """What an installation of the tree brings, below a folder of ``work``: sources, extension."""
    extension.require_zig()
    included, installed = work / "include", work / "installed"
    headers.collect(python, included)
    site = installed / SITE.format(python.version)
    tree.install(root, site, installed / "usr/bin", epoch, work)
    extension.build(root, target, included, site / EXTENSION, work)
    return installed


def build(
    root: Path, target: Target, python: headers.Python, epoch: int, work: Path, output: Path
) -> list[Made]:
    """Make hdr-lite for ``target`` and, where the feed has them, the packages for every machine."""
    installed = lay_out(root, target, python, epoch, work)
    made = []
    for name in ("hdr-lite", "luci-app-hdr-lite"):
        makefile = root / "openwrt-package" / name / "Makefile"
        if not makefile.exists():
            continue
        for package in feed.stage(makefile, work / "feed" / name, python.version, installed):
            tree.follow(package.filespec, installed, package.data)
            tree.compile_all(package.data, python, epoch)
            architecture = package.fields["PKGARCH"] or target.name
            path = ipk.write(package, architecture, epoch, output)
            size = ipk.installed_size(package.data)
            made.append(Made(path, path.stat().st_size, size))
            if apk.available():
                path = apk.write(package, architecture, epoch, output)
                made.append(Made(path, path.stat().st_size, size))
    if not made:
        raise headers.MissingError("there is no openwrt-package/hdr-lite here")
    return made
