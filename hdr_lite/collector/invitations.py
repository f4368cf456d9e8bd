"""Enrolment tokens: made here, told once, kept by their digest."""

import secrets

from hdr_lite.collector import clock
from hdr_lite.collector.accounts import digest
from hdr_lite.collector.store import Invitation, Store
from hdr_lite.records.batch import Token

MOST_HOURS = 7 * 24


async def invite(store: Store, ca_digest: str, note: str, hours: float, by: str) -> Token:
    """A new token, good once and for so long."""
    token = Token(secrets.token_hex(4), secrets.token_urlsafe(32), ca_digest)
    now = clock.now()
    invitation = Invitation(
        token.id, note, now, now + int(hours * 3_600_000), by, 0, "", withdrawn=False
    )
    await store.invite(invitation, digest(token.secret))
    return token
