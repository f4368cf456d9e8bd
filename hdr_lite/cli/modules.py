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
from typing import Any

from hdr_lite.cli.settings import add_settings_arguments, load_settings
from hdr_lite.config import ConfigError, Settings
from hdr_lite.engine.loader import Found, find
from hdr_lite.engine.process import Engine
from hdr_lite.outputs.text import one_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("--json", action="store_true", help="one JSON array")
    add_settings_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the modules; the exit status."""
    settings = load_settings(arguments)
    found = find_modules(settings)
    engine = Engine(settings.config, replay=True)
    channels, problems = engine.channels(), dict(engine.problems)
    facts = [
        _facts(module, channels.get(module.name, []), problems.get(module.name, module.error))
        for module in found
    ]
    print(json.dumps(facts, indent=2) if arguments.json else _table(facts))
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


def _facts(found: Found, channels: list[str], error: str) -> dict[str, Any]:
    module = found.module
    return {
        "name": found.name,
        "enabled": found.enabled,
        "runs": found.enabled and not error,
        "error": error,
        "origin": found.origin,
        "description": module.description if module else "",
        "authors": list(module.authors) if module else [],
        "channels": channels,
        "budget": module.budget if module else 0,
        "budget_reason": module.budget_reason if module else "",
        "options": dict(found.options),
    }


def _table(modules: list[dict[str, Any]]) -> str:
    """A line a module, and below it what it does or why it does not run."""
    rows = [("module", "state", "budget", "channels"), *map(_row, modules)]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{name:<{wide[0]}}  {state:<{wide[1]}}  {budget:>{wide[2]}}  {channels}".rstrip()
        for name, state, budget, channels in rows
    ]
    lines.append("")
    lines += [f"{m['name']}: {one_line(m['error'] or m['description'])}" for m in modules]
    return "\n".join(lines)


def _row(facts: dict[str, Any]) -> tuple[str, str, str, str]:
    state = "on" if facts["runs"] else "broken" if facts["error"] else "off"
    budget = f"{facts['budget'] // 1024} kB" if facts["budget"] else "-"
    return facts["name"], state, budget, ", ".join(facts["channels"])
