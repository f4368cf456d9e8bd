"""Records to msgpack arrays and back.

The sensor is not trusted: what it wrote is decoded with limits (msgpack bounds every size by
that of the record, at most 8 kB, and nests no deeper than 1024 without recursion) and must
have exactly the fields of its kind, each of the type that its class declares.
"""

import itertools
import typing
from collections.abc import Callable, Mapping
from types import MappingProxyType, UnionType
from typing import Any, NamedTuple

import msgpack

from hdr_lite.records.application import Arp, Dns, Http, Ssh, SshLogin, Tls
from hdr_lite.records.flow import Attempts, Clock, Conn, Fate, Flow, Probes, Stats
from hdr_lite.records.kind import Kind

Record = (
    Conn | Fate | Flow | Attempts | Dns | Http | Tls | Ssh | SshLogin | Arp | Clock | Probes | Stats
)

#: Kind -> class of its records.
CLASS_OF: Mapping[Kind, type[Record]] = MappingProxyType(
    {
        Kind.CONN: Conn,
        Kind.FATE: Fate,
        Kind.FLOW: Flow,
        Kind.FOLDED_FLOW: Flow,
        Kind.ATTEMPTS: Attempts,
        Kind.DNS: Dns,
        Kind.HTTP: Http,
        Kind.TLS: Tls,
        Kind.SSH: Ssh,
        Kind.SSH_LOGIN: SshLogin,
        Kind.ARP: Arp,
        Kind.CLOCK: Clock,
        Kind.PROBES: Probes,
        Kind.STATS: Stats,
    }
)


class MalformedRecord(ValueError):
    """Bytes that are no record of their kind."""


def encode(record: Record) -> bytes:
    """The msgpack array of a record's fields."""
    # The name of a source, in Stats, need not be UTF-8.
    packed: bytes = msgpack.packb(record, unicode_errors="backslashreplace")
    return packed


def decode(kind: int, body: bytes) -> Record:
    """The record of that kind. ``MalformedRecord`` names the kind when it is none."""
    shape = _SHAPES.get(kind)
    if shape is None:
        raise MalformedRecord(f"kind {kind}")
    try:
        fields = msgpack.unpackb(body, use_list=False)
    except (ValueError, RecursionError) as error:
        raise MalformedRecord(f"{Kind(kind).name}: {error}") from None
    if type(fields) is not tuple or tuple(map(type, fields)) not in shape.accepted:
        raise MalformedRecord(f"{Kind(kind).name}: wrong fields")
    for index, check in shape.containers:
        if not check(fields[index]):
            raise MalformedRecord(f"{Kind(kind).name}: wrong elements in field {index + 1}")
    for index in shape.lists:
        fields = (*fields[:index], list(fields[index]), *fields[index + 1 :])
    record: Record = tuple.__new__(shape.cls, fields)
    return record


class _Shape(NamedTuple):
    """What the fields of a kind must be.

    Comparing the types of all fields at once costs a quarter of looking at each in Python.
    """

    cls: type[Any]
    accepted: frozenset[tuple[type, ...]]
    containers: tuple[tuple[int, Callable[[Any], bool]], ...]  # field -> check of its elements
    lists: tuple[int, ...]  # fields that are lists: msgpack makes tuples


def _shape_of(cls: type[Any]) -> _Shape:
    hints = list(typing.get_type_hints(cls).values())
    accepted = frozenset(itertools.product(*map(_types_on_the_wire, hints)))
    checks = ((i, _check_of(hint)) for i, hint in enumerate(hints))
    lists = tuple(i for i, hint in enumerate(hints) if typing.get_origin(hint) is list)
    return _Shape(cls, accepted, tuple((i, check) for i, check in checks if check), lists)


def _types_on_the_wire(hint: Any) -> tuple[type, ...]:
    """What msgpack makes of a field: a list comes as a tuple, ``X | None`` as either."""
    if isinstance(hint, UnionType):
        return typing.get_args(hint)
    origin = typing.get_origin(hint)
    return (tuple,) if origin is list else (origin or hint,)


def _check_of(hint: Any) -> Callable[[Any], bool] | None:
    """The check of a container's elements, None for what is no container."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (tuple, list):
        return _elements(typing.get_origin(arguments[0]) or arguments[0])
    if origin is dict:
        return _values(arguments[1])
    return None


def _elements(kind: type) -> Callable[[Any], bool]:
    return lambda items: all(type(item) is kind for item in items)


def _values(kind: type) -> Callable[[Any], bool]:
    return lambda table: all(
        type(key) is str and type(value) is kind for key, value in table.items()
    )


_SHAPES: Mapping[int, _Shape] = MappingProxyType(
    {int(kind): _shape_of(cls) for kind, cls in CLASS_OF.items()}
)
