"""The queue from engine to collector: alerts on storage, until the collector has them.

``segments`` is the directory as the one who writes it sees it, ``reader`` as the one who sends
from it; ``codec`` turns records into bytes and back, ``cursor`` says what was acknowledged. What
is appended, and when it is forced to storage, is the engine's output's to decide
(``hdr_lite.outputs.spool``).
"""

from hdr_lite.spool.codec import Record
from hdr_lite.spool.cursor import Cursor, load_cursor, save_cursor
from hdr_lite.spool.reader import Batch, SpoolReader

__all__ = ["Batch", "Cursor", "Record", "SpoolReader", "load_cursor", "save_cursor"]
