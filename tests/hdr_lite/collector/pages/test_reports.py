"""Overview, alerts, attackers, blocks."""

from dataclasses import replace
from urllib.parse import quote

import pytest
from msgspec import structs

from hdr_lite.collector import clock
from hdr_lite.collector.reading import read_alert
from hdr_lite.collector.store import AlertFilter
from hdr_lite.records.batch import Held
from tests.collector import sample
from tests.collector.visit import Site, read, visit

#: What a device that was taken over, or an attacker by a domain's name, may try.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7777777 * 3 }}{% raw %}",
    "\u202egpj.exe\u2066",
    "javascript:alert(1)",
    "x" * 10_000,
    "' autofocus onfocus=alert(1) '",
)
GUESSING = next(trick for trick in sample.TRICKS if trick.type == "PASSWORD_GUESSING")
PAGES = ("/", "/alerts", "/attackers", "/attacker?address=203.0.113.5", "/devices", "/blocks")


def test_overview_says_who_where_and_what(tmp_path):
    """Figures, attackers, devices and kinds of the span, and the chart."""

    async def test(site: Site) -> None:
        await sample.fill(site.store, clock.now(), 60)
        page = read(await site.viewer.get("/?span=7d"))

        assert "60 alerts in the last 7d" in page.text
        assert "7 of 8 devices reporting" in page.text
        assert "14 held now" in page.text
        for text in ("Warehouse Leipzig", "Password guessing", "Alerts over time"):
            assert text in page.text
        assert any(link.startswith("/attacker?address=203.0.113.") for link in page.links)
        assert "60 alerts over time" in (await site.viewer.get("/?span=7d")).text

    visit(tmp_path, test)


def test_empty_collector_has_pages_too(tmp_path):
    """The first look is at nothing, and says what to do."""

    async def test(site: Site) -> None:
        for path in PAGES[:3] + PAGES[4:]:
            assert (await site.viewer.get(path)).status_code == 200, path
        assert "has to be enrolled first" in read(await site.viewer.get("/")).text
        assert (await site.viewer.get(PAGES[3])).status_code == 404

    visit(tmp_path, test)


def test_filters_and_pages_of_alerts(tmp_path):
    """Every alert once, newest first, whatever the filter; the filter stays in the links."""

    async def test(site: Site) -> None:
        await sample.fill(site.store, clock.now(), 230)
        for which, filtered in (
            ("", AlertFilter()),
            ("level=critical", AlertFilter(level="critical")),
            ("family=scan&level=low", AlertFilter(family="scan", level="low")),
            ("type=MITM_ARP_ATTACK", AlertFilter(type="MITM_ARP_ATTACK")),
            ("attacker=192.168.7.66", AlertFilter(attacker="192.168.7.66")),
            (f"device={sample.device_id(0)}", AlertFilter(device=sample.device_id(0))),
        ):
            wanted = (await site.store.alerts(filtered, limit=500)).items
            assert wanted, which
            path, seen = f"/alerts?{which}", []
            while path:
                page = read(await site.viewer.get(path))
                seen += [link for link in page.links if link.startswith("/alerts/")]
                path = next((link for link in page.links if "before=" in link), "")
                assert not path or which in path
            assert seen == [f"/alerts/{alert.number}" for alert in wanted], which

    visit(tmp_path, test)


def test_alert_is_shown_with_its_evidence(tmp_path):
    """In words, with the facts beside it."""

    async def test(site: Site) -> None:
        device = await sample.enrol(site.store, 0, "Kiel", "Raspberry Pi", clock.now())
        body = sample.payload("203.0.113.5", "192.168.7.30", GUESSING, clock.now(), 2)
        alert = read_alert(1, body, 0, clock.now())
        await site.store.ingest(sample.batch(device, 1, [alert], clock.now()))
        number = await site.store.last_number()
        page = read(await site.viewer.get(f"/alerts/{number}"))

        assert page.text.count("12 ssh passwords refused at 192.168.7.30") == 3
        for text in ("96 % sure", "not forged", "Found by bruteforce", "may be blocked", "Kiel"):
            assert text in page.text

    visit(tmp_path, test)


def test_clock_that_was_wrong_is_told(tmp_path):
    """An alert's time is ours; what the device's clock said stands beside it."""

    async def test(site: Site) -> None:
        device = await sample.enrol(site.store, 0, "Kiel", "", clock.now())
        told = clock.now() - 86_400_000
        body = sample.payload("203.0.113.5", "192.168.7.30", GUESSING, told, 1)
        alert = read_alert(1, body, -86_400_000, clock.now())
        await site.store.ingest(sample.batch(device, 1, [alert], clock.now()))
        page = read(await site.viewer.get(f"/alerts/{await site.store.last_number()}"))
        assert "which was wrong" in page.text

    visit(tmp_path, test)


def test_attacker_across_devices_and_blocks(tmp_path):
    """Where he was met, who holds him; the page of blocks lists and filters."""

    async def test(site: Site) -> None:
        now = clock.now()
        for number in range(3):
            device = await sample.enrol(site.store, number, f"Site {number}", "", now)
            body = sample.payload("2001:db8::5", "192.168.7.30", GUESSING, now, 1)
            held = [Held("2001:db8::5", "block", 600, "PASSWORD_GUESSING")] if number else []
            told = sample.health(number, held)
            await site.store.ingest(
                sample.batch(device, 1, [read_alert(1, body, 0, now)], now, told)
            )
        page = read(await site.viewer.get("/attacker?address=2001%3Adb8%3A%3A5"))
        assert "3 alerts" in page.text
        assert "3 devices attacked" in page.text
        assert page.text.count("blocked") == 2

        page = read(await site.viewer.get(f"/blocks?device={sample.device_id(2)}"))
        assert "Site 2" in page.text
        assert "Site 1" not in page.text
        assert "hdr-lite unblock" in page.text
        assert not [link for link in page.links if "unblock" in link]

    visit(tmp_path, test)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(tmp_path, text: str):
    """In every place that a device, an attacker or an operator can write to."""

    async def test(site: Site) -> None:
        now = clock.now()
        device = await sample.enrol(site.store, 0, text, text, now)
        await site.store.rename(device, text)
        body = sample.payload("203.0.113.5", text[:200], GUESSING, now, 1)
        alert = read_alert(1, body, 0, now)
        alert = structs.replace(alert, victim=text, mac=text, description=text, profile=text)
        health = replace(
            sample.health(1, [Held("203.0.113.5", text, 60, text)]),
            blind=[text], trouble=[text], source=text, mode=text, version=text, drops={text: 5},
        )  # fmt: skip
        await site.store.ingest(sample.batch(device, 1, [alert], now, health))
        number = await site.store.last_number()
        typed = quote(text[:64])
        paths = (
            *PAGES, f"/devices/{device}", f"/alerts/{number}", f"/alerts?attacker={typed}",
            f"/alerts?device={device}&type={typed}&family={typed}&level={typed}&span={typed}",
            f"/attacker?address={typed}", f"/blocks?address={typed}", "/enrolment", "/audit",
            f"/?span={typed}", f"/login?next={typed}",
        )  # fmt: skip
        for path in paths:
            answer = await site.admin.get(path)
            assert answer.status_code in {200, 303, 404}, path
            if answer.status_code == 303:
                assert answer.headers["location"] == "/"
                continue
            page = read(answer)
            assert page.active == [], path
            assert all(link.startswith(("/", "#main")) for link in page.links), path
            assert not [c for c in answer.text if not c.isprintable() and c != "\n"], path
            assert "23333331" not in page.text, path
            assert len(answer.text) < 150_000, path

    visit(tmp_path, test)
