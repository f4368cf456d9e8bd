"""Routes as the kernel tells them, in the order in which they hold."""

import sys
from pathlib import Path

import pytest

from hdr_lite.sources import routes as module
from hdr_lite.sources.routes import Route, routes

IPV4 = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wan0\t00000000\t{gateway}\t0003\t0\t0\t0\t00000000\t0\t0\t0
wlan0\t{lan}\t00000000\t0001\t0\t0\t600\t{mask}\t0\t0\t0
lan0\t{lan}\t00000000\t0001\t0\t0\t0\t{mask}\t0\t0\t0
*\t{blocked}\t00000000\t0201\t0\t0\t0\tFFFFFFFF\t0\t0\t0
"""
ZERO = "00000000000000000000000000000000"
IPV6 = f"""\
20010db8000200000000000000000000 40 {ZERO} 00 {ZERO} 00000100 00000001 00000000 00000001     lan0
{ZERO} 00 {ZERO} 00 20010db8000100000000000000000002 00000400 00000003 00000000 00000003     wan0
20010db8000200000000000000000001 80 {ZERO} 00 {ZERO} 00000000 00000002 00000000 80200001     lan0
"""


def _word(*numbers: int) -> str:
    """An address as the kernel prints it: in this machine's order."""
    return f"{int.from_bytes(bytes(numbers), sys.byteorder):08X}"


def _mapped(*numbers: int) -> bytes:
    return bytes(10) + b"\xff\xff" + bytes(numbers)


def test_routes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The most specific first, of alike ones the cheaper; what is refused or our own is behind
    no interface; IPv4 never falls through to the default of IPv6."""
    four, six = tmp_path / "four", tmp_path / "six"
    four.write_text(
        IPV4.format(
            gateway=_word(203, 0, 113, 2),
            lan=_word(10, 0, 0, 0),
            mask=_word(255, 255, 255, 0),
            blocked=_word(10, 0, 0, 66),
        )
    )
    six.write_text(IPV6)
    monkeypatch.setattr(module, "_IPV4", four)
    monkeypatch.setattr(module, "_IPV6", six)
    lan = bytes.fromhex("20010db80002") + bytes(10)
    assert [route[:3] for route in routes()] == [
        (_mapped(10, 0, 0, 66), 128, ""),
        (lan[:-1] + b"\1", 128, ""),
        (_mapped(10, 0, 0, 0), 120, "lan0"),
        (_mapped(10, 0, 0, 0), 120, "wlan0"),
        (_mapped(0, 0, 0, 0), 96, "wan0"),
        (_mapped(0, 0, 0, 0), 96, ""),
        (lan, 64, "lan0"),
        (bytes(16), 0, "wan0"),
    ]


def test_a_kernel_without_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without IP no address is behind anything."""
    for name in ("_IPV4", "_IPV6"):
        monkeypatch.setattr(module, name, tmp_path / "absent")
    assert routes() == [Route(_mapped(0, 0, 0, 0), 96, "", sys.maxsize)]


def test_those_of_this_kernel() -> None:
    """Its own files are understood."""
    assert all(len(route.network) == 16 and 0 <= route.bits <= 128 for route in routes())
