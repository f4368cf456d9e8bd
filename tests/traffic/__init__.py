"""The traffic generator: labelled captures, the same bytes for the same seed everywhere.

``python -m tests.traffic --list`` names the scenarios, ``python -m tests.traffic NAME -o FILE``
writes one. Parts, in the order in which they build on each other: ``dice`` (chance), ``frames``
(bytes of packets), ``timeline`` (frames in time, and the pcap file), ``hosts`` (who is who),
``tcp`` (conversations), ``payloads`` and ``ssh`` (what they carry), ``scenarios`` (what happens).
"""
