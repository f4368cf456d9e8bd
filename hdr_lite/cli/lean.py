"""To be imported before anything that imports ``hashlib``: keeps OpenSSL out of the process.

``hashlib`` prefers OpenSSL's digests and maps libcrypto for them, which costs a service of four
processes 2 MB (PSS, measured). Where ``_hashlib`` cannot be imported it takes Python's own, which
serve as well for a few ids a second.
"""

import sys

sys.modules["_hashlib"] = None  # type: ignore[assignment]
