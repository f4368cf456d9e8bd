"""Show every setting: its value, its default, what it means, and where the value came from.

Settings come from the file given with -c, and above it from the command line. The options
that modules declare are listed, too, as modules.NAME.OPTION.
"""

import argparse
import json
from typing import NamedTuple

from hdr_lite.cli.modules import find_modules
from hdr_lite.cli.settings import add_settings_arguments, load_settings
from hdr_lite.config import Settings, allowed, sections, settings_of
from hdr_lite.module import Option


class Row(NamedTuple):
    """One setting as it stands."""

    key: str
    value: object
    default: object
    meaning: str
    allowed: str
    origin: str  #: ``default``, ``FILE:LINE`` or the option that set it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("--json", action="store_true", help="one JSON object, keys as in --set")
    add_settings_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the settings; the exit status."""
    settings = load_settings(arguments)
    rows = [*rows_of(settings), *module_rows(settings)]
    if arguments.json:
        print(json.dumps({row.key: _facts(row) for row in rows}, indent=2))
    else:
        print(_table(rows))
    return 0


def rows_of(settings: Settings) -> list[Row]:
    """Every setting of every part, in the order of the configuration."""
    rows = []
    for section, part in sections().items():
        values = getattr(settings.config, section)
        for name, f in settings_of(part).items():
            key = f"{section}.{name}"
            rows.append(
                Row(
                    key,
                    getattr(values, name),
                    f.default,
                    f.metadata["meaning"],
                    allowed(f),
                    settings.origin(key),
                )
            )
    return rows


def module_rows(settings: Settings) -> list[Row]:
    """The options that the modules declare."""
    rows = []
    for found in find_modules(settings):
        for option in found.module.options if found.module else ():
            key = f"modules.{found.name}.{option.name}"
            value = found.options.get(option.name, option.default)
            meaning, words = option.help, _allowed(option)
            rows.append(Row(key, value, option.default, meaning, words, settings.origin(key)))
    return rows


def _allowed(option: Option) -> str:
    kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    low = "" if option.minimum is None else f" from {option.minimum}"
    high = "" if option.maximum is None else f" to {option.maximum}"
    return kind[type(option.default)] + low + high


def _facts(row: Row) -> dict[str, object]:
    return {name: value for name, value in row._asdict().items() if name != "key"}


def _table(rows: list[Row]) -> str:
    """Three lines a setting: what a person would write, what it means, where it came from."""
    lines = []
    for row in rows:
        lines.append(f"{row.key} = {_toml(row.value)}")
        lines.append(f"    {row.meaning}: {row.allowed}")
        changed = "" if row.value == row.default else f" (the default is {_toml(row.default)})"
        lines.append(f"    from {row.origin}{changed}")
    return "\n".join(lines)


def _toml(value: object) -> str:
    """A value as it would be written in the file."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else repr(value)
