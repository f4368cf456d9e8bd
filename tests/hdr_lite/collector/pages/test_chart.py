"""The time chart."""

from xml.etree import ElementTree

from hdr_lite.collector.pages.chart import counts, label, time_chart
from hdr_lite.collector.store import Bucket, Overview

HOUR = 3_600_000
DAY = 24 * HOUR


def overview(*buckets: Bucket, hours: int = 24) -> Overview:
    return Overview(0, hours * HOUR, HOUR, list(buckets), [], [], 0, 0, 0)


def test_counts_has_every_step():
    """Families are summed; steps without an alert are there; buckets outside are not."""
    seen = overview(
        Bucket(HOUR, "scan", "high", 2),
        Bucket(HOUR, "spoof", "high", 3),
        Bucket(HOUR, "scan", "low", 1),
        Bucket(99 * HOUR, "scan", "low", 7),
        hours=3,
    )
    assert counts(seen) == [(0, {}), (HOUR, {"high": 5, "low": 1}), (2 * HOUR, {})]


def test_labels():
    """As long as they need be."""
    assert label(HOUR, HOUR, days=False) == "01:00"
    assert label(HOUR, HOUR, days=True) == "01 Jan 01:00"
    assert label(HOUR, DAY, days=True) == "01 Jan"


def test_bars_stand_on_each_other():
    """A bar for each level of a step that has some, and what it says when pointed at."""
    chart = time_chart(overview(Bucket(HOUR, "scan", "high", 2), Bucket(HOUR, "scan", "low", 4)))
    root = ElementTree.fromstring(chart)

    bars = [g for g in root.iter("g") if g.get("class") == "bar" and g.find("title") is not None]
    said = {g.find("title").text: float(g.find("rect").get("height")) for g in bars}
    assert said["01:00: 4"] > said["01:00: 2"] > 0
    assert root.get("aria-label") == "6 alerts over time, by level"


def test_nothing_in_it_that_the_policy_of_pages_refuses():
    """No style, no script, no reference to elsewhere; no alert gives a chart, too."""
    for chart in (time_chart(overview()), time_chart(overview(Bucket(0, "scan", "info", 1)))):
        root = ElementTree.fromstring(chart)
        assert root.tag == "svg"
        assert not [e for e in root.iter() if e.tag in {"style", "script", "defs", "image"}]
        assert not [name for e in root.iter() for name in e.attrib if name == "style"]
        assert "http" not in chart
