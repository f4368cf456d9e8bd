"""The seed's module: any private address that talks to another private address."""

import ipaddress

from hdr_lite.module import Flow, Module, ThreatLevel


class LocalConnectionDetector(Module):
    """Accuses every connection inside the LAN; an example, so switched off."""

    name = "local_connection_detector"
    description = "detects connections to other devices in your local network"
    authors = ("HDR-lite",)
    enabled_by_default = False

    def new_flow(self, flow: Flow) -> None:
        """Report a flow between two private addresses (RFC 1918 and kin)."""
        if not ipaddress.ip_address(flow.saddr).is_private:
            return
        if not ipaddress.ip_address(flow.daddr).is_private:
            return
        self.set_evidence(
            "ConnectionToLocalDevice",
            attacker=flow.saddr,
            victim=flow.daddr,
            threat_level=ThreatLevel.HIGH,
            confidence=0.8,
            description=f"Detected a connection to a local device {flow.daddr}",
            port=flow.dport,
            proto=flow.proto,
            uids=(flow.uid,),
            ts=flow.ts,
        )
