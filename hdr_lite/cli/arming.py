"""Whether this program may block here, and the enforcer of a run in the foreground."""

import os
from importlib.util import find_spec
from pathlib import Path

from hdr_lite.config import Config, UserError
from hdr_lite.enforcer import run_enforcer
from hdr_lite.enforcer.interfaces import Interfaces, open_files
from hdr_lite.enforcer.prober import open_socket
from hdr_lite.link.end import End
from hdr_lite.link.stop import StopSignal
from hdr_lite.supervisor.child import Main
from hdr_lite.supervisor.privileges import Capability, permitted


def why_unarmed() -> str:
    """What is missing for an enforcer, in words; "" when nothing is."""
    if Capability.NET_ADMIN not in permitted():
        return "that needs root or CAP_NET_ADMIN"
    if find_spec("nftables") is None:
        return "that needs the Python binding of nftables (Debian: python3-nftables)"
    return ""


def enforcer_of_a_run(
    config: Config, instance: str, label: str, runtime: Path, interfaces: tuple[str, ...]
) -> Main | None:
    """The enforcer where there is something to do; ``UserError`` where that is not permitted."""
    mode = config.enforcer.mode
    if mode == "observe" or not interfaces:
        return None
    if why := why_unarmed():
        raise UserError(f"enforcer.mode = {mode}: {why}")
    files = open_files(runtime, interfaces)
    Path(config.enforcer.state).absolute().parent.mkdir(mode=0o750, parents=True, exist_ok=True)

    def main(end: End, stop: StopSignal) -> int:
        packets = open_socket() if Capability.NET_RAW in permitted() else None
        holders = Interfaces(files, f"{label} (process {os.getppid()})")
        return run_enforcer(config, instance, end, stop, holders, packets)

    return main
