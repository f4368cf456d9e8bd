"""The C core, under documented names. Nothing else imports ``_native``."""

from hdr_lite.native._native import Capture, Meter, Ring, Tally

__all__ = ["Capture", "Meter", "Ring", "Tally"]
