"""Community ID, version 1: an id of a flow that other tools compute, too.

The specification is github.com/corelight/community-id-spec.
"""

import base64
import hashlib
import struct
from ipaddress import ip_address

_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmp6": 58}
_WITH_PORTS = frozenset({1, 6, 17, 58, 132})

#: ICMP messages that ask, and what answers them (both ways): the other's type stands for a port.
_COUNTERPARTS = {
    "icmp": {8: 0, 13: 14, 15: 16, 10: 9, 17: 18},
    "icmp6": {128: 129, 133: 134, 135: 136, 130: 131, 139: 140, 144: 145},
}
COUNTERPARTS = {
    proto: {**pairs, **{answer: question for question, answer in pairs.items()}}
    for proto, pairs in _COUNTERPARTS.items()
}


def zeek_ports(proto: str, sport: int, dport: int) -> tuple[int, int]:
    """The two ports as Zeek writes them: for ICMP its type, and its counterpart's or the code."""
    return sport, COUNTERPARTS.get(proto, {}).get(sport, dport)


def community_id(saddr: str, sport: int, daddr: str, dport: int, proto: str) -> str:
    """The id of a flow; for ICMP ``sport`` is the type and ``dport`` the code."""
    number = _PROTOCOLS.get(proto) or int(proto)
    one_way = proto in COUNTERPARTS and sport not in COUNTERPARTS[proto]
    ports = zeek_ports(proto, sport, dport)
    ends = [(ip_address(saddr).packed, ports[0]), (ip_address(daddr).packed, ports[1])]
    if not one_way:
        ends.sort()
    text = struct.pack("!H", 0) + ends[0][0] + ends[1][0] + bytes((number, 0))
    if number in _WITH_PORTS:
        text += struct.pack("!HH", ends[0][1], ends[1][1])
    digest = hashlib.sha1(text, usedforsecurity=False).digest()
    return "1:" + base64.b64encode(digest).decode()
