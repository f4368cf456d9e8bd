"""How long a page takes with 100,000 alerts in SQLite. tests/bench has more."""

import time

import pytest
from msgspec import structs

from hdr_lite.collector import clock
from hdr_lite.collector.reading import read_alert
from tests.collector import sample
from tests.collector.visit import Site, visit

LIMIT = 0.2  #: s
ALERTS, AT_ONCE, DEVICES = 100_000, 2000, 20


async def fill(site: Site) -> None:
    """Alerts of the last day, of all kinds, by a few hundred attackers."""
    now = clock.now()
    kinds = [read_alert(1, body, 0, now) for _, _, body in sample.attacks(now, 200)]
    devices = [await sample.enrol(site.store, n, f"Site {n}", "", now) for n in range(DEVICES)]
    for start in range(0, ALERTS, AT_ONCE):
        device, first = (
            devices[start // AT_ONCE % DEVICES],
            1 + start // (AT_ONCE * DEVICES) * AT_ONCE,
        )
        alerts = [
            structs.replace(
                kinds[(start + n) % len(kinds)],
                sequence=first + n,
                time=now - 86_400_000 * (ALERTS - start - n) // ALERTS,
                attacker=f"203.0.{(start + n) * 7 % 3}.{(start + n) * 31 % 251}",
            )
            for n in range(AT_ONCE)
        ]
        await site.store.ingest(sample.batch(device, first, alerts, now, sample.health(1, [])))


@pytest.mark.timeout(300)
def test_pages_of_a_hundred_thousand_alerts(tmp_path):
    """The quickest of five, since this machine has others at work."""

    async def test(site: Site) -> None:
        await fill(site)
        number = await site.store.last_number()
        took = {}
        for path in (
            "/", "/?span=30d", "/alerts", "/alerts?level=critical", "/alerts?attacker=203.0.1.7",
            "/alerts?type=MITM_ARP_ATTACK&level=info", f"/alerts?before={number - 90_000}",
            f"/alerts/{number}", "/attackers", "/attacker?address=203.0.1.7", "/devices",
            f"/devices/{sample.device_id(3)}", "/blocks",
        ):  # fmt: skip
            times = []
            for _ in range(5):
                began = time.perf_counter()
                answer = await site.viewer.get(path)
                times.append(time.perf_counter() - began)
                assert answer.status_code == 200
            took[path] = min(times)
        print({path: f"{1000 * seconds:.0f} ms" for path, seconds in took.items()})
        assert max(took.values()) < LIMIT, took

    visit(tmp_path, test)
