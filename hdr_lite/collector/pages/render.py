"""From templates to answers: the environment, the headers of every page, static files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from hdr_lite.collector import clock
from hdr_lite.collector.accounts import Who
from hdr_lite.collector.app import HEADERS
from hdr_lite.collector.pages import words
from hdr_lite.collector.store import Device

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_KEEP = "public, max-age=31536000, immutable"
_SILENT = 2 * 3_600_000  #: ms without a word after which a device counts as silent


class Files:
    """Style, script and icon, read once; their addresses change with their content."""

    def __init__(self, folder: Path) -> None:
        self._content = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        self._versions = {
            name: hashlib.sha256(content).hexdigest()[:12]
            for name, content in self._content.items()
        }

    def address(self, name: str) -> str:
        """Where a page finds it."""
        return f"/static/{self._versions[name]}/{name}"

    def answer(self, version: str, name: str) -> Response[bytes]:
        """The file; one of another version is answered by the present one, but not to be kept."""
        content = self._content.get(name)
        if content is None:
            raise NotFoundException("there is no such file")
        keep = self._versions[name] == version
        return Response(
            content,
            media_type=_TYPES[Path(name).suffix],
            headers={"Cache-Control": _KEEP if keep else "no-cache"},
        )


_files = Files(_HERE / "static")


@get("/static/{version:str}/{name:str}", include_in_schema=False)
async def static(version: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """Style, script, icon: the same for everybody."""
    return _files.answer(version, name)


def state(device: Device, now: int) -> str:
    """One word for how a device is."""
    if device.revoked:
        return "revoked"
    if device.last_seen < now - _SILENT:
        return "silent" if device.last_seen else "new"
    return "troubled" if device.health and device.health.trouble else "reporting"


def lost(device: Device) -> int:
    """What a device dropped: packets and records by its last word, alerts in all."""
    return device.dropped + (sum(device.health.drops.values()) if device.health else 0)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        finalize=words.clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = _files.address
    made.filters.update(
        ago=words.ago,
        amount=words.amount,
        clock=words.clock,
        family=words.family,
        held=lambda kind: words.KINDS.get(kind, kind),
        iso=words.iso,
        kind=words.kind,
        lost=lost,
        moment=words.moment,
        role=lambda role: words.ROLES[role],
        short=words.short,
        size=words.size,
        span=words.span,
        state=state,
        verb=lambda verb: words.VERBS.get(verb, verb),
    )
    return made


_templates = _environment()


def page(
    template: str,
    context: Mapping[str, Any],
    *,
    who: Who | None,
    nav: str = "",
    live: bool = False,
    status: int = 200,
) -> Response[str]:
    """An answer that a browser shows. Refusals, too, bear the headers of the application."""
    text = _templates.get_template(template).render(
        {"now": clock.now(), **context}, who=who, nav=nav, live=live
    )
    return Response(text, media_type=MediaType.HTML, status_code=status, headers=HEADERS)
