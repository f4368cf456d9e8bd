"""What every storage promises: the same tests for SQLite and PostgreSQL."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
import pytest
from argon2 import PasswordHasher

from hdr_lite.collector import clock
from hdr_lite.collector.administration import make_first_admin
from hdr_lite.collector.store import (
    AlertFilter,
    Batch,
    Event,
    Gap,
    Invitation,
    Key,
    Newcomer,
    Reported,
    Role,
    Session,
    Store,
    User,
)
from hdr_lite.records.batch import Health, Held

DEVICE, OTHER, EPOCH = "d" * 32, "e" * 32, "0123456789abcdef"
DIGEST = hashlib.sha256(b"secret").digest()
NOW = clock.now()
HOUR = 3_600_000
DAY = 24 * HOUR

Work = Callable[[Store], Awaitable[None]]


def run(storage: Store, work: Work) -> None:
    """Work on an open storage with two devices."""

    async def all_of_it() -> None:
        await storage.open()
        try:
            for device in (DEVICE, OTHER):
                await enrol(storage, device)
            await work(storage)
        finally:
            await storage.close()

    asyncio.run(all_of_it())


async def enrol(storage: Store, device: str) -> None:
    """By a token of its own."""
    token = device[:8]
    await storage.invite(Invitation(token, "", NOW, NOW + HOUR, "admin", 0, "", False), DIGEST)
    newcomer = Newcomer(device, device.encode(), f"name-{device[:2]}", "box", "1.0")
    assert await storage.enrol(token, DIGEST, newcomer, NOW) == ""


def alert(sequence: int, **changes: object) -> Reported:
    """An alert as ingest reads it."""
    plain = Reported(
        sequence=sequence, id=f"id-{sequence}", told=NOW, time=NOW, attacker="192.0.2.1",
        mac="02:00:00:00:00:01", victim="10.0.0.1", port=22, profile="192.0.2.1",
        types=("PortScan",), families=("scan",), level=3, score=15.25, confidence=0.5, verb="block",
        count=2, description="é scans", payload=b"\x00payload %d" % sequence,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def batch(first: int, next_: int, *alerts: Reported, **changes: object) -> Batch:
    """A batch of the first device; with an alert for each number unless told otherwise."""
    kept = alerts or tuple(alert(n) for n in range(first, next_))
    plain = Batch(DEVICE, EPOCH, first, next_, kept, 0, None, "synchronised", 0, NOW)
    return replace(plain, **changes)  # type: ignore[arg-type]


async def everything(
    storage: Store, which: AlertFilter | None = None, limit: int = 50
) -> list[str]:
    """Ids of all alerts, page by page."""
    ids, before = [], 0
    while True:
        page = await storage.alerts(which or AlertFilter(), limit=limit, before=before)
        ids += [a.id for a in page.items]
        if not page.next:
            return ids
        before = page.next


def test_a_batch_is_kept_once(storage: Store) -> None:
    """Sent again whole, in part or overlapping, nothing is doubled and nothing lost."""

    async def work(store: Store) -> None:
        assert await store.ingest(batch(1, 4)) == 4
        assert await store.ingest(batch(1, 4)) == 4
        assert await store.ingest(batch(2, 3)) == 4
        assert await store.ingest(batch(2, 6)) == 6
        assert await everything(store) == ["id-5", "id-4", "id-3", "id-2", "id-1"]
        device = await store.device(DEVICE)
        assert device is not None
        assert (device.alerts, device.dropped, device.refused) == (5, 0, 0)

    run(storage, work)


def test_a_gap_is_asked_for(storage: Store) -> None:
    """What begins past the cursor is not kept; another epoch or device has its own cursor."""

    async def work(store: Store) -> None:
        assert await store.ingest(batch(2, 3)) == Gap(1)
        assert await store.ingest(batch(1, 3)) == 3
        assert await store.ingest(batch(4, 5)) == Gap(3)
        assert await store.ingest(batch(4, 5, epoch="f" * 16)) == Gap(1)
        assert await store.ingest(batch(1, 2, device=OTHER)) == 2
        assert len(await everything(store)) == 3

    run(storage, work)


def test_batches_at_once(storage: Store) -> None:
    """Many at a time, each sent twice: each is kept once."""

    async def work(store: Store) -> None:
        sent = [batch(n, n + 2, device=device) for n in (1, 3, 5) for device in (DEVICE, OTHER)]
        answers = await asyncio.gather(*(store.ingest(b) for b in [*sent, *sent]))
        assert answers[-2:] == [7, 7]
        ids = await everything(store)
        assert sorted(ids) == sorted([f"id-{n}" for n in range(1, 7)] * 2)

    run(storage, work)


def test_what_a_new_epoch_tells_again_is_known(storage: Store) -> None:
    """By its id, of that device, in later batches of the epoch and of the same moment too."""

    async def work(store: Store) -> None:
        assert await store.ingest(batch(1, 6)) == 6
        again = batch(1, 4, *(alert(n, id=f"id-{n + 3}") for n in range(1, 4)), epoch="f" * 16)
        assert await store.ingest(again) == 4
        assert await store.ingest(batch(1, 6, device=OTHER)) == 6
        assert await everything(store, AlertFilter(device=DEVICE)) == [
            f"id-{n}" for n in (6, 5, 4, 3, 2, 1)
        ]
        sent = [batch(6, 8), batch(4, 6, alert(4, id="id-7"), alert(5), epoch="f" * 16)]
        assert await asyncio.gather(*(store.ingest(b) for b in sent)) == [8, 6]
        device = await store.device(DEVICE)
        assert device is not None
        assert (device.alerts, device.dropped) == (7, 0)
        assert len(await everything(store, AlertFilter(device=OTHER))) == 5

    run(storage, work)


def test_what_was_dropped_or_refused_is_counted_once(storage: Store) -> None:
    """Numbers without an alert are those the spool dropped, but for malformed ones."""

    async def work(store: Store) -> None:
        holey = batch(1, 6, alert(2), alert(4), refused=1)
        assert await store.ingest(holey) == 6
        assert await store.ingest(holey) == 6
        device = await store.device(DEVICE)
        assert device is not None
        assert (device.alerts, device.dropped, device.refused) == (2, 2, 1)

    run(storage, work)


def test_epochs_are_bounded(storage: Store) -> None:
    """The cursor of the 65th epoch displaces the oldest, which begins anew."""

    async def work(store: Store) -> None:
        for n in range(65):
            changes = {"epoch": f"{n:016x}", "received": NOW + n}
            assert await store.ingest(batch(1, 2, **changes)) == 2
        assert await store.ingest(batch(2, 3, epoch=f"{64:016x}")) == 3
        assert await store.ingest(batch(2, 3, epoch=f"{0:016x}")) == Gap(1)

    run(storage, work)


def test_health_and_blocks(storage: Store) -> None:
    """The last word of a device on how it is, and whom it holds."""
    held = Held("192.0.2.9", "block", 600, "guesses passwords")
    health = Health("2.0", 60, 1 << 20, blind=["no NFLOG"], blocks=[held])

    async def work(store: Store) -> None:
        told = batch(1, 1, health=health, clock_offset=70_000, clock_quality="unknown")
        now = clock.now()
        assert await store.ingest(replace(told, alerts=(), received=now)) == 1
        device = await store.device(DEVICE)
        assert device is not None
        assert (device.health, device.health_at, device.last_seen) == (health, now, now)
        assert (device.version, device.clock, device.clock_offset) == ("2.0", "unknown", 70_000)
        (block,) = (await store.blocks(address="192.0.2.9")).items
        assert (block.device, block.held.address, block.reported) == (DEVICE, held.address, now)
        assert 590 <= block.held.seconds <= 600
        assert (await store.blocks(address="192.0.2.8")).items == []
        assert (await store.blocks(device=OTHER)).items == []
        assert (await store.overview(now - HOUR, now + 1, HOUR)).blocks == 1
        later = replace(told, alerts=(), health=replace(health, blocks=[]))
        await store.ingest(later)
        assert (await store.blocks()).items == []

    run(storage, work)


def test_an_alert_comes_back_as_it_was(storage: Store) -> None:
    """Every field of it, its payload and the earlier ones of the same attacker."""

    async def work(store: Store) -> None:
        await store.ingest(batch(1, 3))
        await store.ingest(batch(1, 2, alert(1, attacker="192.0.2.2"), device=OTHER))
        found = (await store.alerts(AlertFilter(device=DEVICE))).items[0]
        kept = await store.alert(found.number)
        assert kept is not None
        assert kept.alert == found
        assert (kept.own, kept.earlier) == (b"\x00payload 2", [b"\x00payload 1"])
        told = alert(2)
        assert [
            found.id, found.told, found.time, found.attacker, found.mac, found.victim, found.port,
            found.profile, tuple(found.types), tuple(found.families), found.score,
            found.confidence, found.verb, found.count, found.description,
        ] == [
            told.id, told.told, told.time, told.attacker, told.mac, told.victim, told.port,
            told.profile, told.types, told.families, told.score,
            told.confidence, told.verb, told.count, told.description,
        ]  # fmt: skip
        assert (found.device, found.level, found.clock) == (DEVICE, "high", "synchronised")
        assert abs(found.received - clock.now()) < 600_000
        assert await store.alert(found.number + 1000) is None

    run(storage, work)


#: Of 40 alerts: by number, what is filtered by.
_FILTERS = (
    (AlertFilter(type="Rare"), lambda n: n == 7),
    (AlertFilter(type="Beacon"), lambda n: n % 4 == 0),
    (AlertFilter(family="c2", level="low"), lambda n: n % 4 == 0 and n % 3 == 0),
    (AlertFilter(level="high"), lambda n: n % 3),
    (AlertFilter(attacker="192.0.2.5"), lambda n: n % 5 == 0),
    (AlertFilter(attacker="192.0.2.5", type="Beacon"), lambda n: n % 5 == 0 and n % 4 == 0),
    (AlertFilter(device=OTHER), lambda n: n > 30),
    (AlertFilter(device=OTHER, level="low"), lambda n: n > 30 and n % 3 == 0),
    (AlertFilter(type="Never"), lambda n: False),
    (AlertFilter(level="strange"), lambda n: False),
    (AlertFilter(since=NOW + DAY), lambda n: False),
    (AlertFilter(until=NOW - DAY), lambda n: False),
    (AlertFilter(until=NOW + DAY, since=NOW - DAY, type="Beacon"), lambda n: n % 4 == 0),
)  # fmt: skip


def _varied(n: int) -> Reported:
    types = ("PortScan", *(["Beacon"] if n % 4 == 0 else []), *(["Rare"] if n == 7 else []))
    families = ("scan", *(["c2"] if n % 4 == 0 else []))
    return alert(
        n, types=types, families=families, level=3 if n % 3 else 1, attacker=f"192.0.2.{n % 5 or 5}"
    )


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_filters_and_pages(storage: Store, limit: int) -> None:
    """Each filter finds what matches, newest first, however small the pages are."""

    async def work(store: Store) -> None:
        for n in range(1, 31):
            await store.ingest(batch(n, n + 1, _varied(n)))
        for n in range(31, 41):
            changed = msgspec.structs.replace(_varied(n), sequence=n - 30)
            await store.ingest(batch(n - 30, n - 29, changed, device=OTHER))
        for which, matches in _FILTERS:
            wanted = [f"id-{n}" for n in range(40, 0, -1) if matches(n)]
            assert await everything(store, which, limit) == wanted, which

    run(storage, work)


def test_the_live_stream_misses_none(storage: Store) -> None:
    """Numbers rise with each arrival, and what follows one is told oldest first."""

    async def work(store: Store) -> None:
        assert await store.last_number() == 0
        await store.ingest(batch(1, 3))
        last = await store.last_number()
        assert await store.alerts_after(last) == []
        await store.ingest(batch(3, 300))
        assert [a.id for a in await store.alerts_after(last, limit=2)] == ["id-3", "id-4"]

    run(storage, work)


def test_attackers_over_devices(storage: Store) -> None:
    """Counted over all devices, and at each."""

    async def work(store: Store) -> None:
        await store.ingest(batch(1, 4, received=NOW - 2))
        await store.ingest(batch(1, 2, alert(1, level=4), device=OTHER, received=NOW - 1))
        await store.ingest(batch(2, 3, alert(2, attacker="2001:db8::1"), device=OTHER))
        first = await store.attackers(limit=1)
        assert [a.address for a in first.items] == ["2001:db8::1"]
        (other,) = (await store.attackers(limit=1, before=first.next)).items
        assert (other.address, other.alerts, other.devices, other.level) == (
            "192.0.2.1", 4, 2, "critical",
        )  # fmt: skip
        assert (other.first, other.last) == (NOW - 2, NOW - 1)
        assert [a.address for a in (await store.attackers(since=NOW)).items] == ["2001:db8::1"]
        found = await store.attacker("192.0.2.1")
        assert found is not None
        assert [(at.device, at.alerts) for at in found[1]] == [(OTHER, 1), (DEVICE, 3)]
        assert await store.attacker("192.0.2.77") is None

    run(storage, work)


def test_overview(storage: Store) -> None:
    """Buckets by family and level, devices and attackers of a span."""
    start = (NOW - 2 * HOUR) // HOUR * HOUR

    async def work(store: Store) -> None:
        await store.ingest(batch(1, 3, alert(1, time=start), alert(2, time=start + 1)))
        await store.ingest(batch(3, 4, alert(3, time=start + HOUR, level=1, families=("c2", "x"))))
        await store.ingest(batch(1, 2, alert(1, time=start - HOUR), device=OTHER))
        seen = await store.overview(start, NOW + 1, HOUR)
        assert [(b.start, b.family, b.level, b.alerts) for b in seen.buckets] == [
            (start, "scan", "high", 2),
            (start + HOUR, "c2", "low", 1),
        ]
        assert [(d.device, d.alerts) for d in seen.devices] == [(DEVICE, 3)]
        assert [a.address for a in seen.attackers] == ["192.0.2.1"]
        assert (seen.enrolled, seen.seen) == (2, 2)
        with pytest.raises(ValueError, match="multiple"):
            await store.overview(start, NOW, 1000)

    run(storage, work)


def test_devices_and_their_secrets(storage: Store) -> None:
    """Enrolled, renamed, rotated, revoked."""

    async def work(store: Store) -> None:
        first = await store.devices(limit=1)
        assert [d.id for d in first.items] == [OTHER]
        assert [d.id for d in (await store.devices(before=first.next)).items] == [DEVICE]
        assert await store.rename(DEVICE, "cellar")
        assert not await store.rename("0" * 32, "cellar")
        device = await store.device(DEVICE)
        assert device is not None
        assert (device.name, device.model, device.enrolled) == ("cellar", "box", NOW)
        await store.set_pending(DEVICE, b"new")
        keys = await store.keys(DEVICE)
        assert keys is not None
        assert (keys.secret, keys.pending) == (DEVICE.encode(), b"new")
        await store.ingest(batch(1, 2, new_secret=True))
        keys = await store.keys(DEVICE)
        assert keys is not None
        assert (keys.secret, keys.pending, keys.revoked) == (b"new", None, False)
        await store.set_pending(DEVICE, b"lost")
        await store.set_pending(DEVICE, b"next")  # asked with the old one: that one stays
        keys = await store.keys(DEVICE)
        assert keys is not None
        assert (keys.secret, keys.pending) == (b"new", b"next")
        await store.set_pending(DEVICE, b"last", promote=True)  # asked with the new one: used so
        keys = await store.keys(DEVICE)
        assert keys is not None
        assert (keys.secret, keys.pending) == (b"next", b"last")
        assert await store.revoke(DEVICE)
        await store.set_pending(DEVICE, b"x", promote=True)
        keys = await store.keys(DEVICE)
        assert keys is not None
        assert (keys.secret, keys.pending, keys.revoked) == (b"", None, True)
        assert await store.keys("0" * 32) is None
        assert (await store.overview(NOW - HOUR, NOW + 1, HOUR)).enrolled == 1

    run(storage, work)


def test_a_token_is_of_use_once(storage: Store) -> None:
    """Not twice, not with another secret, not when withdrawn, not too late; nor half."""

    async def work(store: Store) -> None:
        newcomer = Newcomer("a" * 32, b"s", "", "", "")

        async def attempt(token: str, digest: bytes = DIGEST, now: int = NOW) -> str:
            return await store.enrol(token, digest, newcomer, now)

        for token in ("11111111", "22222222"):
            invitation = Invitation(token, "note", NOW, NOW + HOUR, "admin", 0, "", False)
            await store.invite(invitation, DIGEST)
        assert "unknown" in await attempt("33333333")
        assert "unknown" in await attempt("11111111", b"x" * 32)
        assert "expired" in await attempt("11111111", now=NOW + HOUR)
        assert await store.withdraw("22222222")
        assert not await store.withdraw("22222222")
        assert "withdrawn" in await attempt("22222222")
        assert await attempt("11111111") == ""
        assert "used" in await attempt("11111111")
        assert not await store.withdraw("11111111")
        device = await store.device("a" * 32)
        assert device is not None
        assert device.name == "note"
        assert {i.id: i.device for i in await store.invitations()}["11111111"] == "a" * 32

    run(storage, work)


def test_accounts(storage: Store) -> None:
    """Users, their sessions, keys and the log of what they did."""

    async def work(store: Store) -> None:
        await store.put_user(User("ann", Role.VIEWER, NOW, "hash"))
        await store.put_user(User("Zoe", Role.ADMIN, NOW, "hash"))
        assert [u.name for u in await store.users()] == ["Zoe", "ann"]
        await store.begin_session(b"c" * 32, Session("ann", Role.VIEWER, "csrf", NOW + HOUR))
        assert await store.session(b"c" * 32, NOW) == Session(
            "ann", Role.VIEWER, "csrf", NOW + HOUR
        )
        assert await store.session(b"c" * 32, NOW + HOUR) is None
        await store.put_user(User("ann", Role.OPERATOR, NOW, "other"))
        assert await store.session(b"c" * 32, NOW) is None
        assert await store.user("ann") == User("ann", Role.OPERATOR, NOW, "other")
        await store.begin_session(b"d" * 32, Session("ann", Role.OPERATOR, "csrf", NOW + HOUR))
        await store.end_session(b"d" * 32)
        assert await store.session(b"d" * 32, NOW) is None
        assert await store.remove_user("ann")
        assert not await store.remove_user("ann")
        key = Key("k1", "siem", Role.VIEWER, NOW, NOW + HOUR, "Zoe")
        await store.add_key(key, b"k" * 32)
        assert await store.key(b"k" * 32, NOW) == key
        assert await store.key(b"k" * 32, NOW + HOUR) is None
        assert await store.keys_of_machines() == [key]
        assert await store.remove_key("k1")
        assert not await store.remove_key("k1")
        for n in range(3):
            await store.note(Event(0, NOW + n, "Zoe", "did", str(n), "::1"))
        page = await store.events(limit=2)
        assert [e.about for e in page.items] == ["2", "1"]
        assert [e.about for e in (await store.events(before=page.next)).items] == ["0"]

    run(storage, work)


def test_one_is_the_first_administrator(storage: Store) -> None:
    """However many processes start at once on an empty storage: one makes the user, and the
    password that it tells is the one that holds."""

    async def work(store: Store) -> None:
        told = await asyncio.gather(*(make_first_admin(store) for _ in range(4)))
        (password,) = (text for text in told if text)
        (user,) = await store.users()
        assert (user.name, user.role) == ("admin", Role.ADMIN)
        assert PasswordHasher().verify(user.password, password)

    run(storage, work)


def test_the_first_user_is_one(storage: Store) -> None:
    """Whoever tries at the same time."""

    async def work(store: Store) -> None:
        users = [User(f"u{n}", Role.ADMIN, NOW) for n in range(8)]
        made = await asyncio.gather(*map(store.put_first_user, users))
        assert sum(made) == 1
        assert [user.name for user in await store.users()] == [users[made.index(True)].name]

    run(storage, work)


def test_who_floods_displaces_nobody_elses(storage: Store) -> None:
    """Too much is removed from the device that holds most, its oldest first."""

    async def work(store: Store) -> None:
        large = b"x" * 20_000
        await store.ingest(batch(1, 2, alert(1, id="small"), device=OTHER))
        for n in range(1, 4001, 500):
            await store.ingest(
                batch(n, n + 500, *(alert(k, payload=large) for k in range(n, n + 500)))
            )
        assert await store.retain(30, 1 << 40, NOW) == 0
        removed = await store.retain(30, 40 << 20, NOW)
        left = await everything(store, limit=1000)
        assert len(left) == 4001 - removed
        assert 1000 < len(left) < 2200
        assert "small" in left
        assert "id-4000" in left
        assert await store.ingest(batch(4001, 4002)) == 4002

    run(storage, work)


def test_what_is_too_old_goes(storage: Store) -> None:
    """Alerts, their attackers and their sums; the cursors stay, so nothing comes back."""

    async def work(store: Store) -> None:
        await store.ingest(batch(1, 3))
        assert await store.retain(30, 1 << 40, NOW) == 0
        assert await store.retain(30, 1 << 40, NOW + 32 * DAY) == 2
        assert await everything(store) == []
        assert (await store.attackers()).items == []
        assert (await store.overview(NOW - HOUR, NOW + HOUR, HOUR)).buckets == []
        device = await store.device(DEVICE)
        assert device is not None
        assert (device.bytes, device.alerts) == (0, 2)
        assert await store.ingest(batch(1, 3)) == 3
        assert await everything(store) == []

    run(storage, work)


def test_all_of_it_is_there_after_opening_again(storage: Store) -> None:
    """A storage that was closed goes on where it was."""

    async def work(store: Store) -> None:
        await store.ingest(batch(1, 3))
        await store.close()
        await store.open()
        assert await everything(store) == ["id-2", "id-1"]
        assert await store.ingest(batch(1, 3)) == 3
        assert await store.ingest(batch(4, 5)) == Gap(3)

    run(storage, work)
