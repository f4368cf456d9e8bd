"""To be imported before anything else of ours by what shall stay small: the service.

Of a page that processes share by fork each takes a copy once it writes to it, and Python writes
to what it uses: to the counts of references. So it matters what is loaded, and when. All figures
were measured as PSS of four processes, x86-64, Debian 12.
"""

import sys
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

#: ``hashlib`` prefers OpenSSL's digests and maps libcrypto, 2 MB; without it Python's own serve.
#: ``shutil``, which ``argparse`` asks how wide the terminal is, would load the others.
_UNUSED = ("_hashlib", "bz2", "lzma")
#: ``dataclasses`` imports it, with the compiler's grammar, 0.9 MB, and up to Python 3.12 asks it
#: only about a class that has no docstring.
_SELDOM = ("inspect",)
#: What a child asks for after the fork. There to import a module makes copies of 1.3 MB; in the
#: parent it takes what the module needs, once.
_WARM = ("nftables", "pcap")


def _postpone(name: str) -> None:
    """Have a module loaded when somebody first asks for something in it.

    ``importlib.util.LazyLoader`` loads it as soon as it is imported twice.
    """
    stand_in = ModuleType(name)

    def load(attribute: str) -> Any:
        if sys.modules[name] is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    stand_in.__getattr__ = load  # type: ignore[method-assign]
    sys.modules[name] = stand_in


for _name in _UNUSED:
    sys.modules[_name] = None  # type: ignore[assignment]
for _name in _SELDOM:
    if _name not in sys.modules:
        _postpone(_name)
for _name in _WARM:
    with suppress(ImportError):
        import_module(_name)
