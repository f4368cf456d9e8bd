"""Invitations, users, sessions, keys and the audit log in SQLite."""

import sqlite3
from typing import Any

from hdr_lite.collector.sqlite_file import SqliteFile
from hdr_lite.collector.store import Event, Invitation, Key, Page, Role, Session, User

_INVITATION = "SELECT id, note, created, expires, by, used, device, withdrawn FROM invitation"
_KEY = "SELECT id, name, role, created, expires, by FROM machine_key"
_USER = "SELECT name, role, created, password FROM user"


class SqliteAccounts(SqliteFile):
    """Small tables."""

    async def invite(self, invitation: Invitation, digest: bytes) -> None:
        """Keep a token by its digest."""
        i = invitation
        values = (i.id, digest, i.note, i.created, i.expires, i.by)
        query = (
            "INSERT INTO invitation (id, digest, note, created, expires, by)"
            " VALUES (?, ?, ?, ?, ?, ?)"
        )
        await self._change(query, *values)

    async def invitations(self) -> list[Invitation]:
        """The newest 200."""
        query = f"{_INVITATION} ORDER BY created DESC, id LIMIT 200"
        rows = await self.read(lambda db: db.execute(query).fetchall())
        return [_invitation(row) for row in rows]

    async def withdraw(self, token: str) -> bool:
        """False: there is no such token that is not used."""
        query = "UPDATE invitation SET withdrawn = 1 WHERE id = ? AND NOT used AND NOT withdrawn"
        return await self._change(query, token) == 1

    async def users(self) -> list[User]:
        """By name."""
        rows = await self.read(lambda db: db.execute(f"{_USER} ORDER BY name").fetchall())
        return [_user(row) for row in rows]

    async def user(self, name: str) -> User | None:
        """One."""
        query = f"{_USER} WHERE name = ?"
        row = await self.read(lambda db: db.execute(query, (name,)).fetchone())
        return _user(row) if row else None

    async def put_first_user(self, user: User) -> bool:
        """Make the first of all; False: there is one already."""
        query = "INSERT INTO user SELECT ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM user)"
        values = (user.name, int(user.role), user.created, user.password)
        return await self._change(query, *values) == 1

    async def put_user(self, user: User) -> None:
        """Make or change; a change ends their sessions."""
        query = (
            "INSERT INTO user VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
            " SET role = ?2, password = ?4"
        )

        def put(db: sqlite3.Connection) -> None:
            db.execute(query, (user.name, int(user.role), user.created, user.password))
            db.execute("DELETE FROM session WHERE user = ?", (user.name,))

        await self.write(put)

    async def remove_user(self, name: str) -> bool:
        """And their sessions."""

        def remove(db: sqlite3.Connection) -> bool:
            db.execute("DELETE FROM session WHERE user = ?", (name,))
            return db.execute("DELETE FROM user WHERE name = ?", (name,)).rowcount == 1

        return await self.write(remove)

    async def begin_session(self, digest: bytes, session: Session) -> None:
        """Keep a login by the digest of its cookie."""
        query = "INSERT INTO session VALUES (?, ?, ?, ?)"
        await self._change(query, digest, session.user, session.csrf, session.expires)

    async def session(self, digest: bytes, now: int) -> Session | None:
        """One that has not expired, with the role that its user has now."""
        query = (
            "SELECT user, role, csrf, expires FROM session JOIN user ON user.name = session.user"
            " WHERE digest = ? AND expires > ?"
        )
        row = await self.read(lambda db: db.execute(query, (digest, now)).fetchone())
        return Session(row[0], Role(row[1]), row[2], row[3]) if row else None

    async def end_session(self, digest: bytes) -> None:
        """Log out."""
        await self._change("DELETE FROM session WHERE digest = ?", digest)

    async def add_key(self, key: Key, digest: bytes) -> None:
        """Keep a bearer key by its digest."""
        values = (key.id, digest, key.name, int(key.role), key.created, key.expires, key.by)
        await self._change("INSERT INTO machine_key VALUES (?, ?, ?, ?, ?, ?, ?)", *values)

    async def keys_of_machines(self) -> list[Key]:
        """All, by name."""
        rows = await self.read(lambda db: db.execute(f"{_KEY} ORDER BY name, id").fetchall())
        return [_key(row) for row in rows]

    async def key(self, digest: bytes, now: int) -> Key | None:
        """One that has not expired."""
        query = f"{_KEY} WHERE digest = ? AND (expires = 0 OR expires > ?)"
        row = await self.read(lambda db: db.execute(query, (digest, now)).fetchone())
        return _key(row) if row else None

    async def remove_key(self, key: str) -> bool:
        """False: there is none of that id."""
        return await self._change("DELETE FROM machine_key WHERE id = ?", key) == 1

    async def note(self, event: Event) -> None:
        """Add to the audit log."""
        query = "INSERT INTO event (time, who, action, about, address) VALUES (?, ?, ?, ?, ?)"
        await self._change(query, event.time, event.who, event.action, event.about, event.address)

    async def events(self, *, limit: int = 100, before: int = 0) -> Page[Event]:
        """Newest first."""
        query = (
            "SELECT number, time, who, action, about, address FROM event"
            " WHERE number < ? ORDER BY number DESC LIMIT ?"
        )
        values = (before or 1 << 62, limit + 1)
        rows = await self.read(lambda db: db.execute(query, values).fetchall())
        return Page(
            [Event(*row) for row in rows[:limit]], rows[limit - 1][0] if len(rows) > limit else 0
        )

    async def _change(self, query: str, *values: Any) -> int:
        """How many rows it concerned."""
        return await self.write(lambda db: db.execute(query, values).rowcount)


def _invitation(row: tuple[Any, ...]) -> Invitation:
    values = list(row)
    values[7] = bool(row[7])
    return Invitation(*values)


def _user(row: tuple[str, int, int, str]) -> User:
    name, role, created, password = row
    return User(name, Role(role), created, password)


def _key(row: tuple[str, str, int, int, int, str]) -> Key:
    key, name, role, created, expires, by = row
    return Key(key, name, Role(role), created, expires, by)
