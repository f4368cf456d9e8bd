"""Invitations, users, sessions, keys and the audit log in PostgreSQL."""

from hdr_lite.collector.postgres_pool import PostgresPool
from hdr_lite.collector.store import Event, Invitation, Key, Page, Role, Session, User

_INVITATION = "SELECT id, note, created, expires, by, used, device, withdrawn FROM invitation"
_KEY = "SELECT id, name, role, created, expires, by FROM machine_key"
_USER = "SELECT name, role, created, password FROM account"


class PostgresAccounts(PostgresPool):
    """Small tables."""

    async def invite(self, invitation: Invitation, digest: bytes) -> None:
        """Keep a token by its digest."""
        i = invitation
        query = (
            "INSERT INTO invitation (id, digest, note, created, expires, by)"
            " VALUES ($1, $2, $3, $4, $5, $6)"
        )
        await self.change(query, i.id, digest, i.note, i.created, i.expires, i.by)

    async def invitations(self) -> list[Invitation]:
        """The newest 200."""
        rows = await self.fetch(f"{_INVITATION} ORDER BY created DESC, id LIMIT 200")
        return [Invitation(*row) for row in rows]

    async def withdraw(self, token: str) -> bool:
        """False: there is no such token that is not used."""
        query = (
            "UPDATE invitation SET withdrawn = true WHERE id = $1 AND used = 0 AND NOT withdrawn"
        )
        return await self.change(query, token) == 1

    async def users(self) -> list[User]:
        """By name."""
        rows = await self.fetch(f'{_USER} ORDER BY name COLLATE "C"')
        return [User(name, Role(role), created, hash_) for name, role, created, hash_ in rows]

    async def user(self, name: str) -> User | None:
        """One."""
        row = await self.fetchrow(f"{_USER} WHERE name = $1", name)
        return User(row[0], Role(row[1]), row[2], row[3]) if row else None

    async def put_first_user(self, user: User) -> bool:
        """Make the first of all; False: there is one already."""
        async with self.connection() as db, db.transaction():
            await db.execute("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE")
            if await db.fetchval("SELECT EXISTS (SELECT 1 FROM account)"):
                return False
            await db.execute("INSERT INTO account VALUES ($1, $2, $3, $4)", *_values(user))
            return True

    async def put_user(self, user: User) -> None:
        """Make or change; a change ends their sessions."""
        async with self.connection() as db, db.transaction():
            await db.execute(
                "INSERT INTO account VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (name) DO UPDATE SET role = $2, password = $4",
                *_values(user),
            )
            await db.execute("DELETE FROM session WHERE account = $1", user.name)

    async def remove_user(self, name: str) -> bool:
        """And their sessions."""
        async with self.connection() as db, db.transaction():
            await db.execute("DELETE FROM session WHERE account = $1", name)
            return await db.execute("DELETE FROM account WHERE name = $1", name) == "DELETE 1"

    async def begin_session(self, digest: bytes, session: Session) -> None:
        """Keep a login by the digest of its cookie."""
        query = "INSERT INTO session VALUES ($1, $2, $3, $4)"
        await self.change(query, digest, session.user, session.csrf, session.expires)

    async def session(self, digest: bytes, now: int) -> Session | None:
        """One that has not expired, with the role that its user has now."""
        query = (
            "SELECT account, role, csrf, expires FROM session JOIN account ON name = account"
            " WHERE digest = $1 AND expires > $2"
        )
        row = await self.fetchrow(query, digest, now)
        return Session(row[0], Role(row[1]), row[2], row[3]) if row else None

    async def end_session(self, digest: bytes) -> None:
        """Log out."""
        await self.change("DELETE FROM session WHERE digest = $1", digest)

    async def add_key(self, key: Key, digest: bytes) -> None:
        """Keep a bearer key by its digest."""
        values = (key.id, digest, key.name, int(key.role), key.created, key.expires, key.by)
        await self.change("INSERT INTO machine_key VALUES ($1, $2, $3, $4, $5, $6, $7)", *values)

    async def keys_of_machines(self) -> list[Key]:
        """All, by name."""
        rows = await self.fetch(f'{_KEY} ORDER BY name COLLATE "C", id')
        return [Key(row[0], row[1], Role(row[2]), row[3], row[4], row[5]) for row in rows]

    async def key(self, digest: bytes, now: int) -> Key | None:
        """One that has not expired."""
        query = f"{_KEY} WHERE digest = $1 AND (expires = 0 OR expires > $2)"
        row = await self.fetchrow(query, digest, now)
        return Key(row[0], row[1], Role(row[2]), row[3], row[4], row[5]) if row else None

    async def remove_key(self, key: str) -> bool:
        """False: there is none of that id."""
        return await self.change("DELETE FROM machine_key WHERE id = $1", key) == 1

    async def note(self, event: Event) -> None:
        """Add to the audit log."""
        query = "INSERT INTO event (time, who, action, about, address) VALUES ($1, $2, $3, $4, $5)"
        await self.change(query, event.time, event.who, event.action, event.about, event.address)

    async def events(self, *, limit: int = 100, before: int = 0) -> Page[Event]:
        """Newest first."""
        query = (
            "SELECT number, time, who, action, about, address FROM event"
            " WHERE number < $1 ORDER BY number DESC LIMIT $2"
        )
        rows = await self.fetch(query, before or 1 << 62, limit + 1)
        more = rows[limit - 1][0] if len(rows) > limit else 0
        return Page([Event(*row) for row in rows[:limit]], more)


def _values(user: User) -> tuple[str, int, int, str]:
    return user.name, int(user.role), user.created, user.password
