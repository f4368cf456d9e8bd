"""The C core, under documented names. Nothing else imports ``_native``."""

from hdr_lite.native._native import (
    Budget,
    Capture,
    Conntrack,
    Meter,
    Nflog,
    Ring,
    Tally,
    die_with_parent,
    forbid_new_privileges,
    hear_everywhere,
    keep_capabilities,
    limit_capabilities,
    restrict_calls,
    set_capabilities,
    set_title,
    trim_memory,
)

__all__ = [
    "Budget",
    "Capture",
    "Conntrack",
    "Meter",
    "Nflog",
    "Ring",
    "Tally",
    "die_with_parent",
    "forbid_new_privileges",
    "hear_everywhere",
    "keep_capabilities",
    "limit_capabilities",
    "restrict_calls",
    "set_capabilities",
    "set_title",
    "trim_memory",
]
