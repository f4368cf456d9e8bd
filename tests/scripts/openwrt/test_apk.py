"""What a package for apk says beside its files; apk itself is not on every machine."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from scripts.openwrt import apk
from tests.scripts.openwrt.test_ipk import package


def test_lists(tmp_path: Path) -> None:
    """OpenWrt's scripts find files, configuration with its digest, and users."""
    apk.write_lists(package(tmp_path))
    lists = {p.name: p.read_text() for p in (tmp_path / "lib/apk/packages").iterdir()}
    digest = hashlib.sha256(b"on\n").hexdigest()
    assert lists == {
        "sample.list": "/etc/link\n/etc/program\n/etc/sample\n",
        "sample.conffiles": "/etc/sample\n/etc/kept/\n",
        "sample.conffiles_static": f"/etc/sample {digest}\n",
        "sample.rusers": "u=9:u=9\n",
    }


def test_scripts(tmp_path: Path) -> None:
    """Each is a script that a shell can read, and calls what the base system has for it."""
    scripts = apk.scripts(package(tmp_path))
    assert scripts["post-install"].count("#!") == scripts["post-upgrade"].count("#!") == 1
    assert "\nadd_group_and_user\ndefault_postinst\n" in scripts["post-install"]
    assert scripts["post-upgrade"].startswith("#!/bin/sh\nexport PKG_UPGRADE=1\n")
    assert 'export pkgname="sample"\ndefault_prerm\n' in scripts["pre-deinstall"]
    for text in scripts.values():
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)


@pytest.mark.skipif(not apk.available(), reason="there is no apk with mkpkg here")
def test_the_same_bytes(tmp_path: Path) -> None:
    """apk's own archive is the same for the same files."""
    first = apk.write(package(tmp_path / "a"), "all", 1000, tmp_path / "1").read_bytes()
    assert apk.write(package(tmp_path / "b"), "all", 1000, tmp_path / "2").read_bytes() == first
