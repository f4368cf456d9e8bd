"""What a new module starts from: ``cp -a hdr_lite/modules/template hdr_lite/modules/NAME``.

Rename this file to NAME.py, the class and ``name`` likewise, and take out
``enabled_by_default``. ``scripts/new-module NAME`` does all of that.
"""

from hdr_lite.module import BoundedTable, Flow, Module, Option, ThreatLevel


class Template(Module):
    """Reports a source whose flows reach many ports nobody gave a name to."""

    name = "template"
    description = "shows how a module is written"
    authors = ("your name",)
    enabled_by_default = False
    options = (Option("flows", 100, "flows of one source until it is reported", minimum=1),)

    def init(self) -> None:
        """State lives in bounded tables only: here a count per source, of 256 sources."""
        self._flows: BoundedTable[str, list[int]] = BoundedTable(256, lambda: [0])

    def new_flow(self, flow: Flow) -> None:
        """Named after the channel it reads; called with each message of that channel."""
        if flow.service:
            return
        count = self._flows.use(flow.saddr)
        count[0] += 1
        if count[0] == self.option("flows"):
            self.set_evidence(
                "ManyUnknownServices",
                family="anomaly",
                attacker=flow.saddr,
                threat_level=ThreatLevel.LOW,
                confidence=0.3,
                description=f"{count[0]} flows of services that were not recognised",
                uids=(flow.uid,),
            )
