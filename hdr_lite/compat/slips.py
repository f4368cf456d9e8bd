"""Puts the names ``slips_files.*`` in place, and no more until a module imports one.

``install()`` adds one finder to ``sys.meta_path``. Only when a legacy module says
``from slips_files.common.imports import *`` are :mod:`hdr_lite.compat.legacy` and its
messages imported: modules that do not use the layer pay nothing for it.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
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


class _LegacyLoader(Loader):
    """Fills a ``slips_files`` module from :mod:`hdr_lite.compat.legacy`."""

    def exec_module(self, module: ModuleType) -> None:
        offered = NAMES[module.__name__]
        if offered:
            from hdr_lite.compat import legacy  # only now: somebody asked

            for name in offered:
                setattr(module, name, getattr(legacy, name))
        module.__dict__["__all__"] = list(offered)


class _LegacyFinder(MetaPathFinder):
    """Finds the names above and nothing else."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in NAMES:
            return None
        return ModuleSpec(fullname, _LegacyLoader(), is_package=not NAMES[fullname])


def install() -> None:
    """Make ``slips_files.*`` importable. Once is enough; again does nothing."""
    if not any(isinstance(finder, _LegacyFinder) for finder in sys.meta_path):
        sys.meta_path.append(_LegacyFinder())
