"""Puts the names ``slips_files.*`` in place, and no more until a module imports one.

``install()`` adds one finder to ``sys.meta_path``. Only when a legacy module says
``from slips_files.common.imports import *`` are :mod:`hdr_lite.compat.legacy` and its
messages imported: modules that do not use the layer pay nothing for it.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import MappingProxyType, ModuleType

#: Importable name -> what it offers; packages offer nothing of their own.
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "slips_files": (),
        "slips_files.common": (),
        "slips_files.common.abstracts": ("Module",),
        "slips_files.common.imports": ("Module", "json", "multiprocessing", "utils"),
        "slips_files.common.slips_utils": ("utils",),
    }
)


# Neither class derives from importlib.abc's, which imports a megabyte of modules that nobody
# here needs (tempfile, shutil, random); Python asks for no more than these methods.
class _LegacyLoader:
    """Fills a ``slips_files`` module from :mod:`hdr_lite.compat.legacy`."""

    def create_module(self, spec: ModuleSpec) -> None:
        """The module is Python's usual one."""

    def exec_module(self, module: ModuleType) -> None:
        offered = NAMES[module.__name__]
        if offered:
            from hdr_lite.compat import legacy  # only now: somebody asked

            for name in offered:
                setattr(module, name, getattr(legacy, name))
        module.__dict__["__all__"] = list(offered)


class _LegacyFinder:
    """Finds the names above and nothing else."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in NAMES:
            return None
        return ModuleSpec(fullname, _LegacyLoader(), is_package=not NAMES[fullname])  # type: ignore[arg-type]


def install() -> None:
    """Make ``slips_files.*`` importable. Once is enough; again does nothing."""
    if not any(isinstance(finder, _LegacyFinder) for finder in sys.meta_path):
        sys.meta_path.append(_LegacyFinder())
