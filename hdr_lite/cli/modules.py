"""List the detection modules: which run, what each reads, how much memory it may hold.

Shipped modules are switched on and off in the configuration ([modules] enable, disable);
those in the operator's own directory (--modules-dir) are on, and replace a shipped one of
the same name.

examples:
  hdr-lite modules
  hdr-lite modules --modules-dir ~/my-modules --json
"""

import argparse
import json
from collections.abc import Iterable

from hdr_lite.cli.settings import add_settings_arguments, load_settings
from hdr_lite.config import ConfigError, Settings
from hdr_lite.engine.loader import Found, find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("--json", action="store_true", help="one JSON array")
    add_settings_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the modules; the exit status."""
    found = find_modules(load_settings(arguments))
    if arguments.json:
        print(json.dumps([_facts(module) for module in found], indent=2))
    else:
        print(_table(found))
    return 0


def find_modules(settings: Settings) -> list[Found]:
    """All modules; ``ConfigError`` when the configuration names what there is not.

    That a module is broken is no mistake of the configuration: it is told in its ``error``.
    """
    found, problems = find(settings.config.modules)
    for name, reason in problems:
        raise ConfigError(f"{_where(settings, name)}: {name}: {reason}")
    for module in found:
        for option in settings.config.modules.options.get(module.name, {}):
            if f"option '{option}'" in module.error:
                where = settings.origin(f"modules.{module.name}.{option}")
                raise ConfigError(f"{where}: module {module.name}: {module.error}")
    return found


def _where(settings: Settings, name: str) -> str:
    """Which setting named it."""
    modules = settings.config.modules
    if name in modules.disable:
        return settings.origin("modules.disable")
    if name in modules.enable:
        return settings.origin("modules.enable")
    if name == modules.directory:
        return settings.origin("modules.directory")
    keys = (key for key in settings.origins if key.startswith(f"modules.{name}"))
    return settings.origin(next(keys, ""))


def _facts(found: Found) -> dict[str, object]:
    module = found.module
    return {
        "name": found.name,
        "enabled": found.enabled,
        "runs": found.runs,
        "error": found.error,
        "origin": found.origin,
        "description": module.description if module else "",
        "authors": list(module.authors) if module else [],
        "channels": list(module.handled()) if module and found.runs else [],
        "budget": module.budget if module else 0,
        "budget_reason": module.budget_reason if module else "",
        "options": dict(found.options),
    }


def _table(found: Iterable[Found]) -> str:
    rows = [("module", "state", "budget", "channels")]
    notes = []
    for entry in found:
        facts = _facts(entry)
        state = "on" if entry.runs else "broken" if entry.error else "off"
        budget = f"{entry.module.budget // 1024} kB" if entry.module else "-"
        rows.append((entry.name, state, budget, ", ".join(map(str, facts["channels"]))))
        notes.append(f"{entry.name}: {entry.error or facts['description']}")
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]]).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", *notes])
