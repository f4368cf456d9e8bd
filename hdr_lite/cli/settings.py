"""The options by which every verb that needs settings takes them."""

import argparse

from hdr_lite.cli.duration import seconds
from hdr_lite.config import Override, Settings, load, parse_override


def add_settings_arguments(parser: argparse.ArgumentParser, *, detects: bool = True) -> None:
    """Declare ``-c``, ``--set`` and their short cuts: those about modules if the verb detects."""
    group = parser.add_argument_group("settings ('hdr-lite config' lists them all)")
    group.add_argument("-c", "--config", metavar="CONFIG", help="read settings from a TOML file")
    group.add_argument(
        "--set",
        metavar="SECTION.KEY=VALUE",
        action="append",
        default=[],
        help="one setting, over the file's; may be repeated",
    )
    group.add_argument("-F", "--filter", metavar="BPF", help="look at these packets only")
    if not detects:
        parser.set_defaults(modules_dir=None, disable=[], verbose=None, debug=None, flows=False)
        return
    group.add_argument("--modules-dir", metavar="DIR", help="folder with modules of your own")
    group.add_argument(
        "--disable",
        metavar="NAME",
        action="append",
        default=[],
        help="do not run this module; may be repeated",
    )
    group.add_argument(
        "-v",
        "--verbose",
        type=int,
        metavar="N",
        help="how much to tell, 0 to 3: 1 what modules print, 2 also evidence, 3 also windows",
    )
    group.add_argument(
        "-e",
        "--debug",
        type=int,
        metavar="N",
        help="how much of errors, 0 to 3: 1 tracebacks, 2 also malformed and lost, 3 also figures",
    )
    group.add_argument("--flows", action="store_true", help="write flows.jsonl, too")


def add_blocking_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the short cuts to the settings of whoever blocks."""
    group = parser.add_argument_group("blocking (with an interface)")
    group.add_argument(
        "--mode",
        dest="enforcer_mode",
        choices=("observe", "limit", "block"),
        help="over [enforcer] mode: tell what would be done, block nothing, or all of it",
    )
    group.add_argument(
        "--allow",
        dest="enforcer_allow",
        metavar="NET",
        action="append",
        default=[],
        help="never touch this address, network, MAC or domain; may be repeated",
    )
    group.add_argument(
        "--timeout",
        dest="enforcer_timeout",
        metavar="T",
        type=seconds,
        help="how long a first block holds, such as 10m",
    )


def load_settings(arguments: argparse.Namespace) -> Settings:
    """The settings that the options ask for; ``ConfigError``."""
    overrides = [parse_override(text) for text in arguments.set]
    for key, value, option in (
        ("capture.filter", arguments.filter, "-F"),
        ("modules.directory", arguments.modules_dir, "--modules-dir"),
        ("output.verbose", arguments.verbose, "-v"),
        ("output.debug", arguments.debug, "-e"),
        ("output.flows", arguments.flows or None, "--flows"),
        ("enforcer.mode", getattr(arguments, "enforcer_mode", None), "--mode"),
        ("enforcer.timeout", getattr(arguments, "enforcer_timeout", None), "--timeout"),
    ):
        if value is not None:
            overrides.append(Override(key, value, option))
    for name in arguments.disable:
        overrides.append(Override("modules.disable", (name,), "--disable", add=True))
    for allowed in getattr(arguments, "enforcer_allow", ()):
        overrides.append(Override("enforcer.allow", (allowed,), "--allow", add=True))
    return load(arguments.config, overrides)
