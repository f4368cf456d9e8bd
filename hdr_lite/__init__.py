"""HDR-lite: a behavioural intrusion prevention sensor for a router.

The parts, in the order in which the data flows:

- ``sources``     an interface, a capture file or a log becomes packets or records
- ``native``      the C core: decode, flow table, meter, protocol facts, ring
- ``sensor``      the process from sources through the meter into the ring
- ``ring``        the two ends of the shared-memory queue between sensor and engine
- ``engine``      the process from the ring to alerts: scheduler, bus, profiles, scoring
- ``module``      all that the author of a detection module needs
- ``modules``     the detections
- ``outputs``     alerts.log, alerts.json, evidence.jsonl and the other files
- ``enforcer``    the process that alone touches nftables: blocks, limits, quarantine
- ``spool``       alerts on storage, until the collector has them
- ``sync``        the process that alone talks to the collector
- ``link``        framed messages between the processes
- ``supervisor``  forks the processes from one warm parent and watches them
- ``records``     what flows between the parts; ``channels`` names them for modules
- ``config``      every setting; ``cli`` the program's verbs
"""

__version__ = "0.1.0"
