"""Headers of one machine serve the others; what is missing is named."""

from pathlib import Path

import pytest

from scripts.openwrt.headers import MissingError, collect, find_python, portable_config


def test_portable_config() -> None:
    """Sizes that differ are the compiler's, the rest stays."""
    text = "#define SIZEOF_LONG 8\n#define SIZEOF_LONG_LONG 8\n#define SIZEOF_VOID_P 8\n"
    assert portable_config(text) == (
        "#define SIZEOF_LONG __SIZEOF_LONG__\n#define SIZEOF_LONG_LONG 8\n"
        "#define SIZEOF_VOID_P __SIZEOF_POINTER__\n"
    )


def test_debians_headers(tmp_path: Path) -> None:
    """Debian's pyconfig.h, which only chooses, gives way to the one it chooses."""
    collect(find_python("/usr/bin/python3"), tmp_path)
    assert "__SIZEOF_POINTER__" in (tmp_path / "pyconfig.h").read_text()
    assert (tmp_path / "Python.h").exists()
    assert (tmp_path / "pcap/pcap.h").exists()


def test_missing(tmp_path: Path) -> None:
    """A Python or headers that are not there are one sentence."""
    with pytest.raises(MissingError, match=r"no Python 3\.99"):
        find_python("3.99")
    with pytest.raises(MissingError, match="libpcap-dev"):
        collect(find_python("/usr/bin/python3"), tmp_path, pcap=tmp_path)
