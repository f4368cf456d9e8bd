"""The module that authors copy."""

from hdr_lite.module import Flow
from hdr_lite.module.testing import Harness, record
from hdr_lite.modules.template.template import Template


def test_many_flows_of_no_known_service_are_reported_once() -> None:
    """Reported when the count is reached, and not again."""
    harness = Harness(Template, flows=3)
    for _ in range(5):
        harness.feed(record(Flow, saddr="10.0.0.1", uid="C1"))
    assert [f.type for f in harness.findings] == ["ManyUnknownServices"]


def test_known_services_do_not_count() -> None:
    """Nor do flows of other sources."""
    harness = Harness(Template, flows=3)
    for i in range(5):
        harness.feed(record(Flow, saddr="10.0.0.1", service="http"))
        harness.feed(record(Flow, saddr=f"10.0.0.{i}"))
    assert not harness.findings


def test_its_memory_is_bounded() -> None:
    """Whatever number of sources comes, 256 are remembered."""
    harness = Harness(Template)
    for i in range(3000):
        harness.feed(record(Flow, saddr=f"10.0.{i // 256}.{i % 256}"))
    assert harness.held() < Template.budget
