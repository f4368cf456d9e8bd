"""A configuration from a TOML file and the command line: read, checked, with where it came from.

Every mistake is one sentence with file, line, key and what is allowed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import Field
from pathlib import Path
from typing import Any, NamedTuple

from hdr_lite.config.settings import Config, ModulesConfig, allowed, sections, settings_of


class UserError(Exception):
    """A user's mistake; its text is one sentence for a person."""


class ConfigError(UserError):
    """A setting that does not exist or has a value it may not have."""


class Override(NamedTuple):
    """A setting given on the command line."""

    key: str  #: ``section.key`` or ``modules.NAME.option``
    value: object
    where: str  #: how it was given, for messages: ``--set meter.flows=1``
    add: bool = False  #: to a list, rather than in its place


class Settings(NamedTuple):
    """A checked configuration and where it came from."""

    config: Config
    origins: Mapping[str, str]  #: key -> ``FILE:LINE`` or the option; defaults are absent

    def origin(self, key: str) -> str:
        """Where the value of a key came from, ``default`` if nobody set it."""
        return self.origins.get(key, "default")


def load(path: str | None = None, overrides: Iterable[Override] = ()) -> Settings:
    """The configuration of a TOML file, or the defaults, with overrides on top.

    Raises ``ConfigError``: one sentence with file, line, key and what is allowed.
    """
    loader = _Loader()
    if path is not None:
        loader.take_file(path)
    for override in overrides:
        loader.take(tuple(override.key.split(".")), override.value, override.where, override.add)
    return loader.settings()


def flatten(config: Config) -> dict[str, object]:
    """Every setting under its key, as JSON can carry it; ``restore`` takes it back."""
    values: dict[str, object] = {}
    for section, part in sections().items():
        for name in settings_of(part):
            value = getattr(getattr(config, section), name)
            values[f"{section}.{name}"] = list(value) if isinstance(value, tuple) else value
    for module, options in config.modules.options.items():
        for name, value in options.items():
            values[f"modules.{module}.{name}"] = value
    return values


def restore(values: Mapping[str, object]) -> Config:
    """The configuration of ``flatten``, checked again; ``ConfigError``."""
    return load(None, (Override(key, value, key) for key, value in values.items())).config


def parse_override(text: str) -> Override:
    """``--set section.key=value``: the value is TOML, or a bare word that is taken as text."""
    import tomllib

    where = f"--set {text}"
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key:
        raise ConfigError(f"{where}: expected section.key=value")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        if value[:1] in ("'", '"', "[", "{"):
            raise ConfigError(f"{where}: the value is not valid TOML") from None
        parsed = value
    f = _known(key)
    if f is not None and f.type is str and not isinstance(parsed, str):
        parsed = value  # a directory may be called 2024, or true
    return Override(key, parsed, where)


def _known(key: str) -> "Field[Any] | None":
    section, _, name = key.partition(".")
    part = sections().get(section)
    return settings_of(part).get(name) if part else None


class _Loader:
    """Collects values with their origins, checks each as it comes."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {name: {} for name in sections()}
        self._options: dict[str, dict[str, Any]] = {}
        self._origins: dict[str, str] = {}

    def take_file(self, path: str) -> None:
        """All settings of a TOML file."""
        text = _read(path)
        for keys, value in _leaves(_parse(path, text)):
            self.take(keys, value, f"{path}:{line_of(text, keys)}")

    def take(self, keys: tuple[str, ...], value: object, where: str, add: bool = False) -> None:
        """One setting."""
        part = sections().get(keys[0])
        if part is None:
            raise ConfigError(f"{where}: unknown section {_nearest(keys[0], sections())}")
        if part is ModulesConfig and len(keys) == 3:
            self._options.setdefault(keys[1], {})[keys[2]] = value
        elif part is ModulesConfig and len(keys) == 2 and value == {}:
            self._options.setdefault(keys[1], {})
        else:
            self._take_setting(part, keys, value, where, add)
        self._origins[".".join(keys)] = where

    def _take_setting(
        self, part: type, keys: tuple[str, ...], value: object, where: str, add: bool
    ) -> None:
        known = settings_of(part)
        section, name = keys[0], ".".join(keys[1:])
        if not name:
            if value != {}:
                raise ConfigError(f"{where}: '{section}' is a section, not a setting")
            return
        if name not in known:
            nearest = _nearest(f"{section}.{name}", [f"{section}.{key}" for key in known])
            raise ConfigError(f"{where}: unknown key {nearest}")
        checked = _check(known[name], value)
        if checked is None:
            raise ConfigError(
                f"{where}: {section}.{name} must be {allowed(known[name])}, not {_show(value)}"
            )
        if add:
            checked = tuple(dict.fromkeys(self._values[section].get(name, ()) + checked))
        self._values[section][name] = checked

    def settings(self) -> Settings:
        """What was collected, over the defaults."""
        self._values["modules"]["options"] = self._options
        parts = {name: part(**self._values[name]) for name, part in sections().items()}
        return Settings(Config(**parts), self._origins)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"cannot read the configuration {path}: {reason}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from None


def _parse(path: str, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        number = int(line[1]) if line else text.count("\n") + 1
        raise ConfigError(f"{path}:{number}: not valid TOML: {reason.lower()}") from None


def _leaves(
    table: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is no table, with its keys; an empty table is a value."""
    for key, value in table.items():
        keys = (*above, key)
        if isinstance(value, dict) and value and len(keys) < 3:
            yield from _leaves(value, keys)
        else:
            yield keys, value


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """The line (from 1) where a TOML text sets these keys, or the table they stand in.

    ``tomllib`` keeps no positions, so this looks for the key as people write it; the
    longest match wins.
    """
    best, line_of_best = 0, 1
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\[?([^\[\]]+)\]", line):
            found = table = _split(match[1])
        elif match := re.match(r"\s*([\w.\-\"' ]+?)\s*=", line):
            found = table + _split(match[1])
        else:
            continue
        if len(found) > best and found == keys[: len(found)]:
            best, line_of_best = len(found), number
    return line_of_best


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _nearest(name: str, known: Iterable[str]) -> str:
    """``'meter.flow': the nearest is 'meter.flows'; allowed are …``."""
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.0)[0]
    short = ", ".join(n.rpartition(".")[2] for n in names)
    return f"'{name}': the nearest is '{near}'; allowed are {short}"


def _check(f: "Field[Any]", value: Any) -> Any:
    """The value as the setting keeps it, or None when it may not be that."""
    if f.type is bool or f.type is str:
        right = isinstance(value, f.type) and value in (f.metadata["choices"] or (value,))
        return value if right else None
    if f.type is int or f.type is float:
        return _check_number(f, value)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        return None
    is_right = {"networks": _is_network, "ports": _is_port}.get(f.metadata["form"])
    return tuple(value) if is_right is None or all(map(is_right, value)) else None


def _check_number(f: "Field[Any]", value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if f.type is int and not isinstance(value, int):
        return None
    if not f.metadata["least"] <= value <= f.metadata["most"]:
        return None
    if f.metadata["form"] == "power of two" and int(value).bit_count() != 1:
        return None
    return float(value) if f.type is float else value


def _is_network(text: str) -> bool:
    from ipaddress import ip_network

    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    return re.fullmatch("[1-9][0-9]{0,4}", text) is not None and int(text) < 65536


def _show(value: object) -> str:
    """A value as TOML writes it, as far as that matters in a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
