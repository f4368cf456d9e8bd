"""What a process gives up before it sees anything from the network, in one visible order.

:func:`give_up` is the order. What a system cannot do (an account that does not exist, a
kernel without seccomp, a start without root) is left out, and told in words.
"""

import errno
import grp
import os
import pwd
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from hdr_lite.native import (
    forbid_new_privileges,
    keep_capabilities,
    limit_capabilities,
    restrict_calls,
    set_capabilities,
)

#: The account that all children share where their own do not exist.
SHARED = ("hdr-lite", "nobody")


class Capability(IntEnum):
    """Numbers of capabilities(7), of those that this program knows."""

    CHOWN = 0
    KILL = 5
    SETGID = 6
    SETUID = 7
    SETPCAP = 8
    NET_ADMIN = 12
    NET_RAW = 13


class Account(NamedTuple):
    """A user of the system and its group."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Privileges:
    """What a process keeps."""

    account: Account | None = None  #: whom it becomes; None: it stays who it is
    capabilities: frozenset[Capability] = frozenset()
    #: Capabilities that stay in the bounding set, which must hold those above.
    bounding: frozenset[Capability] = frozenset()
    #: Resource (``resource.RLIMIT_…``) -> its limit, soft and hard.
    limits: Mapping[int, int] = field(default_factory=dict)
    #: System call -> values of its first argument, () for any; None: no filter at all.
    calls: Mapping[str, tuple[int, ...]] | None = None
    fatal: tuple[str, ...] = ()  #: calls that end the process


def give_up(keep: Privileges) -> list[str]:
    """Give up all but that, for good; what could not be given up, in words.

    The order matters: the bounding set needs CAP_SETPCAP, the groups CAP_SETGID, the user
    CAP_SETUID, so these go before the capabilities; no_new_privs is what lets one without
    privilege set a filter; the filter is last, as it forbids the rest.
    """
    failed: list[str] = []
    _limit_bounding_set(keep, failed)
    _change_account(keep, failed)
    _keep_capabilities(keep, failed)
    forbid_new_privileges()
    _limit_resources(keep, failed)
    _filter_calls(keep, failed)
    return failed


def _limit_bounding_set(keep: Privileges, failed: list[str]) -> None:
    try:
        limit_capabilities(mask(keep.bounding | keep.capabilities))
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        failed.append("the bounding set stays as it is: that needs CAP_SETPCAP")


def _change_account(keep: Privileges, failed: list[str]) -> None:
    account = keep.account
    if account is None:
        return
    keep_capabilities()
    os.setgroups([])
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)


def _keep_capabilities(keep: Privileges, failed: list[str]) -> None:
    missing = keep.capabilities - permitted()
    if missing:
        failed.append("it was not given " + ", ".join(f"CAP_{c.name}" for c in sorted(missing)))
    set_capabilities(mask(keep.capabilities - missing))


def _limit_resources(keep: Privileges, failed: list[str]) -> None:
    for number, limit in keep.limits.items():
        _, hard = resource.getrlimit(number)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(number, (limit, limit))


def _filter_calls(keep: Privileges, failed: list[str]) -> None:
    if keep.calls is None:
        return
    try:
        restrict_calls(dict(keep.calls), keep.fatal)
    except OSError as error:
        failed.append(f"no filter of system calls: {error.strerror}")


def mask(capabilities: frozenset[Capability]) -> int:
    """A bit for each."""
    return sum(1 << capability for capability in capabilities)


def permitted() -> frozenset[Capability]:
    """The capabilities of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            value = int(line.split()[1], 16)
            return frozenset(c for c in Capability if value >> c & 1)
    return frozenset()


def may_change_account() -> bool:
    """Whether this process can become another user."""
    return {Capability.SETUID, Capability.SETGID} <= permitted()


def find_account(names: Sequence[str]) -> Account | None:
    """The first of these that the system has."""
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    return None


def find_group(name: str) -> int | None:
    """The number of a group; None when there is no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
