"""Records are written in C and read in Python: both sides have the same numbers and fields."""

import re
from pathlib import Path

from hdr_lite.records.application import Arp
from hdr_lite.records.flow import Attempts, Conn, Fate, Flow, Probes
from hdr_lite.records.kind import Kind

CORE = Path(__file__).parents[3] / "hdr_lite/native/core"


def test_kinds_have_the_numbers_of_record_h() -> None:
    """Every kind has one number in the ring's record header, on both sides."""
    text = (CORE / "record.h").read_text()
    numbers = {name: int(number) for name, number in re.findall(r"RECORD_(\w+) = (\d+)", text)}
    assert numbers.pop("KINDS") == 32
    assert numbers == {kind.name: int(kind) for kind in Kind}


def test_arrays_have_the_fields_of_their_class() -> None:
    """flow_record.c writes as many elements as the class has fields."""
    text = (CORE / "flow_record.c").read_text()
    written = {
        name: int(fields)
        for name, fields in re.findall(
            r"flow_record_(\w+)\(uint8_t \*buffer.*?RECORD_MAX, (\d+)\)", text, re.DOTALL
        )
    }
    classes = {
        "conn": Conn,
        "fate": Fate,
        "flow": Flow,
        "attempts": Attempts,
        "probes": Probes,
        "arp": Arp,
    }
    assert written == {name: len(cls._fields) for name, cls in classes.items()}


def test_fields_say_what_they_are() -> None:
    """The fields that modules rely on keep their names: Slips' where Slips has one."""
    assert Flow._fields[:7] == Conn._fields[:7] == Fate._fields[:7]
    assert Flow._fields[:7] == ("ts", "uid", "saddr", "sport", "daddr", "dport", "proto")
