"""Finds modules by folder, and says of each whether it runs and, if not, why not.

A module is a folder ``NAME`` with ``__init__.py`` and ``NAME.py`` that holds one class: one
that derives from :class:`hdr_lite.module.Module`. A tree of ``.pyc`` files alone serves as well
(pkgutil would find it, too, but loads the compiler's grammar for that, 0.9 MB). One in the
operator's directory is on, and replaces a shipped one of the same name. Whatever is wrong with a
module concerns that module only: its name and the reason go to errors.log, the others run.
"""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hdr_lite.compat import slips
from hdr_lite.config import ModulesConfig
from hdr_lite.engine.turn import describe
from hdr_lite.module.base import Module, Option

#: Largest budget that a module may ask for, in bytes.
MOST_BUDGET = 64 * 1024 * 1024


class ModuleError(Exception):
    """Why a module cannot run: one line."""


@dataclass(frozen=True, slots=True)
class Found:
    """A module as it was found. ``module`` is absent when it could not be loaded."""

    name: str
    origin: str  #: ``shipped``, or the operator's directory
    enabled: bool
    module: type[Module] | None
    options: Mapping[str, Any]
    error: str = ""  #: why it does not run though it is enabled

    @property
    def runs(self) -> bool:
        """Whether the engine is to start it."""
        return self.enabled and not self.error


def find(config: ModulesConfig) -> tuple[list[Found], list[tuple[str, str]]]:
    """All modules by name, and what else is wrong: pairs of a name and the reason."""
    slips.install()
    places: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    for name in _names(_shipped()):
        places[name] = ""
    if config.directory:
        if not Path(config.directory).is_dir():
            problems.append((config.directory, "there is no such directory"))
        for name in _names([config.directory]):
            places[name] = config.directory
    found = [_load(name, directory, config) for name, directory in sorted(places.items())]
    problems += _strangers(config, places)
    return found, problems


def _shipped() -> list[str]:
    """Where the shipped modules are: found by name, as they stand beside the engine, not below."""
    spec = importlib.util.find_spec("hdr_lite.modules")
    return list(spec.submodule_search_locations or ()) if spec is not None else []


def _names(path: list[str]) -> list[str]:
    return [
        folder.name for place in path for folder in _folders(Path(place)) if _is_package(folder)
    ]


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(place.iterdir())
    except OSError:
        return []


def _is_package(folder: Path) -> bool:
    kinds = ("__init__.py", "__init__.pyc")
    return "." not in folder.name and any((folder / kind).exists() for kind in kinds)


def _strangers(config: ModulesConfig, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Modules that the configuration names and nobody has."""
    named = dict.fromkeys((*config.enable, *config.disable, *config.options))
    for name in named:
        if name not in places:
            yield name, f"there is no such module; there are {', '.join(places)}"


def _load(name: str, directory: str, config: ModulesConfig) -> Found:
    origin = directory or "shipped"
    try:
        module = _class_in(_import(name, directory))
    except ModuleError as error:
        return Found(name, origin, name not in config.disable, None, {}, str(error))
    except BaseException as error:  # noqa: BLE001 - whatever a module's own code raises at import
        reason = f"cannot be imported: {describe(error, '').reason}"
        return Found(name, origin, name not in config.disable, None, {}, reason)
    enabled = bool(directory) or module.enabled_by_default or name in config.enable
    enabled = enabled and name not in config.disable
    try:
        _check(module, name)
        options = _options(module, config.options.get(name, {}))
    except (ModuleError, ValueError, TypeError) as error:
        return Found(name, origin, enabled, module, {}, str(error))
    return Found(name, origin, enabled, module, options)


def _import(name: str, directory: str) -> ModuleType:
    package = _operators_package(directory) if directory else "hdr_lite.modules"
    wanted = f"{package}.{name}.{name}"
    try:
        return importlib.import_module(wanted)
    except ModuleNotFoundError as error:
        if error.name != wanted:
            raise
        reason = f"its folder holds no {name}.py: the file's name must be the folder's"
        raise ModuleError(reason) from None


def _operators_package(directory: str) -> str:
    """A package of our own making whose folders are those of the directory.

    Its name is the directory's, so that modules of two directories do not mix, and nothing
    of the operator's can take the place of a module of Python's or ours.
    """
    path = str(Path(directory).resolve())
    package = f"hdr_lite_operator_{hashlib.sha256(path.encode()).hexdigest()[:12]}"
    if package not in sys.modules:
        made = ModuleType(package, f"The operator's modules in {path}.")
        made.__path__ = [path]
        sys.modules[package] = made
    importlib.invalidate_caches()
    return package


def _class_in(source: ModuleType) -> type[Module]:
    """The one class of a module that is made there, not imported."""
    made = [
        value
        for value in vars(source).values()
        if isinstance(value, type) and value.__module__ == source.__name__
    ]
    modules = [value for value in made if issubclass(value, Module)]
    if len(modules) == 1:
        return modules[0]
    if modules:
        names = ", ".join(value.__name__ for value in modules)
        raise ModuleError(f"holds more than one module class: {names}")
    if any(value.__name__ == "Module" for value in made):
        raise ModuleError("its class Module derives from neither hdr_lite's nor Slips' Module")
    raise ModuleError("holds no class that derives from Module")


def _check(module: type[Module], folder: str) -> None:
    if not isinstance(module.name, str) or not module.name:
        raise ModuleError("its class has no name")
    if module.name != folder:
        raise ModuleError(f"its class is named '{module.name}': name and folder must be the same")
    if not isinstance(module.description, str) or not module.description:
        raise ModuleError("its class has no description")
    if not isinstance(module.budget, int) or not 0 < module.budget <= MOST_BUDGET:
        raise ModuleError(f"its budget must be 1 to {MOST_BUDGET} bytes")
    if module.budget > Module.budget and not module.budget_reason:
        raise ModuleError(f"a budget of {module.budget} bytes needs a budget_reason")
    module.handled()  # raises for a method named after a channel that does not exist


def _options(module: type[Module], given: Mapping[str, Any]) -> Mapping[str, Any]:
    declared = {option.name: option for option in module.options}
    for name in given:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise ModuleError(f"unknown option '{name}': it declares {known}")
    return {
        name: _value(option, given.get(name, option.default)) for name, option in declared.items()
    }


def _value(option: Option, value: object) -> object:
    kind = type(option.default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        raise ModuleError(f"option '{option.name}' must be {words[kind]}, not {value!r}")
    if isinstance(value, int | float):
        low, high = option.minimum, option.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            least = "" if low is None else f" from {low:g}"
            most = "" if high is None else f" to {high:g}"
            raise ModuleError(f"option '{option.name}' must be{least}{most}, not {value!r}")
    return value
