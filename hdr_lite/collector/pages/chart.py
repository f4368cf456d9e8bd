"""The time chart: alerts by level, as SVG that the pages' own style colours.

pygal lays it out. Its style and script are taken out, since the pages' policy allows none inside
of a page; so the classes that it gives are what ``static/style.css`` colours, dark mode too.
"""

import sys
from datetime import UTC, datetime
from xml.etree import ElementTree

import pygal
from markupsafe import Markup
from pygal.style import Style

from hdr_lite.collector.store import LEVELS, Overview

# pygal adds an importer for plugins of its own, which makes every later import warn on Python 3.11.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_SVG = "{http://www.w3.org/2000/svg}"
_LEFT_OUT = {f"{_SVG}defs", f"{_SVG}title"}
#: Only sizes that pygal leaves room for; on a phone they are so large. Colours are the pages'.
_ROOM = Style(label_font_size=16, major_label_font_size=16)
_LABELS = 6  #: along the time axis
_DAY = 86_400_000


def counts(overview: Overview) -> list[tuple[int, dict[str, int]]]:
    """Alerts by level for each step of the span, the empty ones too."""
    first = overview.since // overview.step * overview.step
    table: dict[int, dict[str, int]] = {
        start: {} for start in range(first, overview.until, overview.step)
    }
    for bucket in overview.buckets:
        levels = table.get(bucket.start)
        if levels is not None:
            levels[bucket.level] = levels.get(bucket.level, 0) + bucket.alerts
    return list(table.items())


def label(start: int, step: int, days: bool) -> str:
    """How the time axis names a step."""
    moment = datetime.fromtimestamp(start / 1000, UTC)
    if step >= _DAY:
        return moment.strftime("%d %b")
    return moment.strftime("%d %b %H:%M" if days else "%H:%M")


def time_chart(overview: Overview, *, width: int = 1000, height: int = 240) -> Markup:
    """Bars for each step, its levels on each other, the highest on top."""
    table = counts(overview)
    days = overview.until - overview.since > _DAY
    names = [label(start, overview.step, days) for start, _ in table]
    every = max(1, -(-len(names) // _LABELS))
    chart = pygal.StackedBar(
        width=width,
        height=height,
        explicit_size=False,
        style=_ROOM,
        js=[],
        css=[],
        no_prefix=True,
        show_legend=False,
        show_minor_x_labels=False,
        x_labels_major_every=every,
        truncate_label=-1,
        margin=2,
        margin_top=10,
        spacing=6,
        rounded_bars=1,
        no_data_text="",
        max_scale=5,
        min_scale=2,
        show_x_guides=False,
        value_formatter=lambda value: f"{value:,.0f}",
    )
    chart.x_labels = names
    for level in LEVELS:
        chart.add(level, [levels.get(level, 0) or None for _, levels in table])
    if not overview.buckets:
        chart.range = (0, 5)
    return _bare(chart.render(is_unicode=True), table)


def _bare(svg: str, table: list[tuple[int, dict[str, int]]]) -> Markup:
    """The drawing alone, to stand in a page."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - pygal's own output, of numbers
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in _LEFT_OUT or child.get("class", "").endswith("overlay"):
                parent.remove(child)
    total = sum(sum(levels.values()) for _, levels in table)
    root.attrib.pop("id", None)
    root.set("role", "img")
    root.set("aria-label", f"{total:,} alerts over time, by level")
    for bar in list(root.iter(f"{_SVG}g")):
        if bar.get("class") == "bar":
            _say(bar)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - as above


def _say(bar: ElementTree.Element) -> None:
    """What pygal's script would show when it is pointed at, as a title that browsers show."""
    said = {child.get("class"): child.text for child in bar if child.tag == f"{_SVG}desc"}
    for child in list(bar):
        if child.tag == f"{_SVG}desc":
            bar.remove(child)
    ElementTree.SubElement(bar, f"{_SVG}title").text = f"{said.get('x_label')}: {said.get('value')}"
