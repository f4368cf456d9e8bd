"""The queue from sensor to engine: records in shared memory that survive either end.

``memory`` makes one, ``writer`` and ``reader`` are its two ends, ``codec`` turns records into
bytes and back. What a kill at any instruction may do is decided in ``native/core/ring.h`` and
``docs/decisions/0001-ring-commit.md``.
"""

from hdr_lite.ring.memory import RingMemory, create_ring
from hdr_lite.ring.reader import Delivery, RingReader
from hdr_lite.ring.writer import RingWriter

__all__ = ["Delivery", "RingMemory", "RingReader", "RingWriter", "create_ring"]
