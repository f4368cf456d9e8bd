"""An .ipk is what opkg takes, and the same for the same files."""

import os
from pathlib import Path

from scripts.openwrt import ipk
from scripts.openwrt.feed import Package
from tests.scripts.openwrt.unpacked import Unpacked

BLANK = dict.fromkeys(
    "PROVIDES CONFLICTS NAME LICENSE LICENSE_FILES SECTION USERID URL MAINTAINER description"
    " preinst postinst prerm postrm".split(),
    "",
)


def package(data: Path) -> Package:
    """A package with a file, a program, a link and a configuration."""
    (data / "etc").mkdir(parents=True)
    (data / "etc/sample").write_text("on\n")
    (data / "etc/sample").chmod(0o600)
    (data / "etc/program").write_text("#!/bin/sh\n")
    (data / "etc/program").chmod(0o755)
    (data / "etc/link").symlink_to("program")
    fields = {**BLANK, "USERID": "u=9:u=9", "description": "  One.\n  Two."}
    return Package("sample", "1-r1", fields, ("libc",), ("/etc/sample", "/etc/kept/"), (), data)


def test_the_same_bytes(tmp_path: Path) -> None:
    """Neither the place nor the order, times or umask of the files shows."""
    first = ipk.write(package(tmp_path / "a"), "all", 1000, tmp_path / "1").read_bytes()
    before = os.umask(0o077)
    try:
        second = ipk.write(package(tmp_path / "b"), "all", 1000, tmp_path / "2").read_bytes()
    finally:
        os.umask(before)
    assert first == second


def test_well_formed(tmp_path: Path) -> None:
    """Names, order, owners, modes and times as opkg's own tool writes them."""
    path = ipk.write(package(tmp_path / "data"), "all", 1000, tmp_path)
    assert path.name == "sample_1-r1_all.ipk"
    seen = Unpacked(path)
    assert list(seen.outer) == ["./debian-binary", "./data.tar.gz", "./control.tar.gz"]
    assert seen.outer["./debian-binary"][1] == b"2.0\n"
    for archive in (seen.outer, seen.control, seen.data):
        for info, _ in archive.values():
            assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, "", "")
            assert info.mtime == 1000
    modes = {name: info.mode for name, (info, _) in seen.data.items()}
    assert modes["./etc/sample"] == 0o600
    assert modes["./etc/program"] == modes["./etc"] == 0o755
    assert seen.data["./etc/link"][0].linkname == "program"
    assert seen.data["./lib/upgrade/keep.d/sample"][1] == b"/etc/kept/\n"
    assert seen.control["./conffiles"][1] == b"/etc/sample\n"
    assert seen.control["./postinst"][0].mode == 0o755
    assert b"default_postinst $0 $@" in seen.control["./postinst"][1]
    assert b"default_prerm $0 $@" in seen.control["./prerm"][1]
    control = seen.control["./control"][1].decode()
    assert "Require-User: u=9:u=9\n" in control
    assert control.endswith("Description:  One.\n Two.\n")
