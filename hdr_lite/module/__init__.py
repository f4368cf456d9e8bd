"""The module author's whole API.

A module is a class named ``Module`` or anything else that derives from
:class:`Module`, alone in ``hdr_lite/modules/NAME/NAME.py``. A method named after a
channel is the subscription; it is called with that channel's typed message::

    from hdr_lite.module import Flow, Module, ThreatLevel

    class LocalConnectionDetector(Module):
        name = "local_connection_detector"
        description = "detects connections to other devices in your local network"
        authors = ("you",)

        def new_flow(self, flow: Flow) -> None:
            if self.is_inside(flow.saddr) and self.is_inside(flow.daddr):
                self.set_evidence(
                    "ConnectionToLocalDevice", attacker=flow.saddr, victim=flow.daddr,
                    threat_level=ThreatLevel.HIGH, confidence=0.8, uids=(flow.uid,),
                    description=f"Detected a connection to a local device {flow.daddr}",
                )
"""

from hdr_lite.channels import AddressMessage, WindowMessage
from hdr_lite.module.base import Context, Module, Option
from hdr_lite.module.tables import BoundedTable, Distinct
from hdr_lite.records.alert import Alert
from hdr_lite.records.application import Arp, Dns, Http, Ssh, SshLogin, Tls
from hdr_lite.records.evidence import Evidence, Finding, ThreatLevel
from hdr_lite.records.flow import Attempts, Conn, Fate, Flow, Probes

__all__ = [
    "AddressMessage",
    "Alert",
    "Arp",
    "Attempts",
    "BoundedTable",
    "Conn",
    "Context",
    "Distinct",
    "Dns",
    "Evidence",
    "Fate",
    "Finding",
    "Flow",
    "Http",
    "Module",
    "Option",
    "Probes",
    "Ssh",
    "SshLogin",
    "ThreatLevel",
    "Tls",
    "WindowMessage",
]
