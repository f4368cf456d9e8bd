"""The one place that talks to libnftables, through Debian's python3-nftables."""

from hdr_lite.config import UserError


class NftError(Exception):
    """nftables refused a transaction; nothing of it was done. The text is its first line."""


class Nft:
    """Runs transactions in the network namespace of this process. Needs CAP_NET_ADMIN."""

    def __init__(self) -> None:
        try:
            import nftables
        except ImportError:
            raise UserError(
                "blocking needs the Python binding of nftables (Debian: python3-nftables)"
            ) from None
        self._nftables = nftables.Nftables()

    def run(self, transaction: str) -> None:
        """All of it or nothing; ``NftError``."""
        status, _, error = self._nftables.cmd(transaction)
        if status:
            raise NftError(error.strip().partition("\n")[0] or f"status {status}")
