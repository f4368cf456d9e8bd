"""SSH connections as a sensor sees them: clear until the keys are new, then sizes and rhythm.

Formats: RFC 4253 (transport), 4252 (authentication). Behind NEWKEYS the packets have the
lengths of chacha20-poly1305: four bytes of length, padding to eight, sixteen of checksum.
"""

import struct
from collections.abc import Sequence

from tests.traffic.dice import Dice
from tests.traffic.tcp import Session
from tests.traffic.timeline import MILLISECOND

_KEY_EXCHANGES = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256"
_HOST_KEYS = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256"
_CIPHERS = "chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,aes256-gcm@openssh.com"
_MACS = "umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512"
_COMPRESSIONS = "none,zlib@openssh.com"


def plain(payload: bytes) -> bytes:
    """A packet before encryption: padding to eight bytes, at least four."""
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack("!IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def sealed(dice: Dice, length: int, *, block: int = 8) -> bytes:
    """An encrypted packet whose payload has that length, padded to ``block`` bytes."""
    inner = -(-(1 + length + 4) // block) * block
    return dice.bytes(4 + inner + 16)


def _fields(*fields: bytes) -> bytes:
    return b"".join(struct.pack("!I", len(field)) + field for field in fields)


def _key_exchange_init(dice: Dice) -> bytes:
    lists = (_KEY_EXCHANGES, _HOST_KEYS, _CIPHERS, _CIPHERS, _MACS, _MACS)
    texts = (*lists, _COMPRESSIONS, _COMPRESSIONS, "", "")
    names = _fields(*(text.encode() for text in texts))
    return plain(b"\x14" + dice.bytes(16) + names + bytes(5))


class Login:
    """One SSH connection over an open TCP session, up to its authentication."""

    def __init__(self, session: Session, *, client: str = "OpenSSH_9.2p1 Debian-2") -> None:
        self._session, self._dice = session.open(), session.trace.dice
        self._exchange_keys(client)

    def _exchange_keys(self, client: str) -> None:
        session, dice = self._session, self._dice
        session.client(f"SSH-2.0-{client}\r\n".encode())
        session.server(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")
        session.client(_key_exchange_init(dice)).server(_key_exchange_init(dice))
        session.client(plain(b"\x1e" + struct.pack("!I", 32) + dice.bytes(32)))
        kind = b"ssh-ed25519"
        key, signature = _fields(kind, dice.bytes(32)), _fields(kind, dice.bytes(64))
        reply = _fields(key, dice.bytes(32), signature)
        session.server(plain(b"\x1f" + reply) + plain(b"\x15"))
        session.client(plain(b"\x15"))
        session.client(sealed(dice, 17)).server(sealed(dice, 17))

    def ask_methods(self) -> "Login":
        """The request with method "none", and the list of methods in its refusal."""
        self._session.client(sealed(self._dice, 35))
        self._session.server(sealed(self._dice, 24))
        return self

    def wrong_password(self, *, delay: int = 1800 * MILLISECOND) -> "Login":
        """A guess; the server thinks for a while and refuses."""
        self._session.client(sealed(self._dice, 44 + self._dice.between(5, 14), block=64))
        self._session.wait(delay).server(sealed(self._dice, 24))
        return self

    def password(self) -> "Login":
        """The right password."""
        self._session.client(sealed(self._dice, 56, block=64))
        self._session.wait(60 * MILLISECOND).server(sealed(self._dice, 1))
        return self

    def public_key(self) -> "Login":
        """A key that the server knows: the question whether it would do, then the signature."""
        self._session.client(sealed(self._dice, 111)).server(sealed(self._dice, 71))
        self._session.client(sealed(self._dice, 198))
        self._session.wait(8 * MILLISECOND).server(sealed(self._dice, 1))
        return self

    def shell(self, answers: Sequence[int]) -> "Login":
        """A channel, and a command or key strokes with answers of those lengths."""
        session, dice = self._session, self._dice
        session.client(sealed(dice, 24)).server(sealed(dice, 480) + sealed(dice, 17))
        session.client(sealed(dice, 60)).server(sealed(dice, 9) + sealed(dice, 5))
        for length in answers:
            session.client(sealed(dice, dice.between(10, 60))).server(sealed(dice, 9 + length))
        session.server(sealed(dice, 25) + sealed(dice, 5) + sealed(dice, 5))
        session.client(sealed(dice, 5) + sealed(dice, 25))
        return self

    def end(self, side: int = 0) -> Session:
        """The connection is closed by the client (0) or the server (1)."""
        return self._session.close(side)
