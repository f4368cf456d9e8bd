"""The package of OpenWrt 25.12 and later, by ``apk mkpkg``: made where that program is."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from scripts.openwrt.feed import Package
from scripts.openwrt.ipk import write_keep_list

_SCRIPT = """#!/bin/sh
{guard}[ -s ${{IPKG_INSTROOT}}/lib/functions.sh ] || exit 0
. ${{IPKG_INSTROOT}}/lib/functions.sh
export root="${{IPKG_INSTROOT}}"
export pkgname="{name}"
{calls}
"""
_NO_SCRIPT = '[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n'


def available() -> bool:
    """Whether an apk is here that makes packages of its third version."""
    program = shutil.which("apk")
    if program is None:
        return False
    return (
        subprocess.run([program, "mkpkg", "--help"], capture_output=True, check=False).returncode
        == 0
    )


def scripts(package: Package) -> dict[str, str]:
    """What runs after an installation, after an upgrade and before a removal."""
    given = package.fields
    after = _SCRIPT.format(
        guard=_NO_SCRIPT,
        name=package.name,
        calls="add_group_and_user\ndefault_postinst\n" + _body(given["postinst"]),
    )
    return {
        "post-install": after,
        "post-upgrade": "#!/bin/sh\nexport PKG_UPGRADE=1\n" + _body(after),
        "pre-deinstall": _SCRIPT.format(
            guard="", name=package.name, calls="default_prerm\n" + _body(given["prerm"])
        ),
    }


def _body(script: str) -> str:
    return "".join(f"{line}\n" for line in script.splitlines() if not line.startswith("#!"))


def write_lists(package: Package) -> None:
    """What OpenWrt's own scripts read of a package: its files, conffiles and users."""
    files = sorted(
        f"/{p.relative_to(package.data)}" for p in package.data.rglob("*") if not p.is_dir()
    )
    folder = package.data / "lib/apk/packages"
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"list": files, "conffiles": list(package.conffiles), "conffiles_static": []}
    for name in package.conffiles:
        path = package.data / name.lstrip("/")
        if path.is_file():
            texts["conffiles_static"].append(
                f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            )
    if package.fields["USERID"]:
        texts["rusers"] = [package.fields["USERID"]]
    for suffix, lines in texts.items():
        if lines:
            (folder / f"{package.name}.{suffix}").write_text("".join(f"{line}\n" for line in lines))


def write(package: Package, architecture: str, epoch: int, folder: Path) -> Path:
    """Write the package into ``folder``."""
    write_keep_list(package)
    write_lists(package)
    path = folder / f"{package.name}-{package.version}.apk"
    info = {
        "name": package.name,
        "version": package.version,
        "description": " ".join(package.fields["description"].split()),
        "arch": "noarch" if architecture == "all" else architecture,
        "license": package.fields["LICENSE"],
        "origin": f"feeds/hdr/{package.name}",
        "url": package.fields["URL"],
        "maintainer": package.fields["MAINTAINER"],
        "depends": " ".join(package.depends),
    }
    arguments = [part for name, value in info.items() for part in ("--info", f"{name}:{value}")]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for name, text in scripts(package).items():
            (Path(work) / name).write_text(text)
            arguments += ["--script", f"{name}:{Path(work) / name}"]
        subprocess.run(
            ["apk", "mkpkg", *arguments, "--files", str(package.data), "--output", str(path)],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
            check=True,
            capture_output=True,
        )
    return path
