"""Framed, typed, length-checked messages between the processes, over socket pairs.

``codec`` knows the messages and their bytes and does no I/O; ``end`` is one end of a
socket pair.
"""
