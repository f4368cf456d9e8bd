"""The edge to libnftables."""

import os
import sys

import pytest

from hdr_lite.config import UserError
from hdr_lite.enforcer.nft import Nft, NftError
from tests.netns.bed import namespace, within


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for network namespaces")
def test_all_or_nothing() -> None:
    """A transaction with one wrong line does nothing, and its error is one line."""
    with namespace("nft") as inside:
        nft = within(inside, Nft)
        nft.run("add table inet a\nadd table inet b\n")
        with pytest.raises(NftError, match="No such file or directory$") as caught:
            nft.run("add table inet c\nadd element inet nosuch s { 1.1.1.1 }\n")
        assert "\n" not in str(caught.value)
        assert inside.run("nft", "list", "tables") == "table inet a\ntable inet b\n"


def test_binding_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the binding the sentence names the package."""
    monkeypatch.setitem(sys.modules, "nftables", None)
    with pytest.raises(UserError, match="python3-nftables"):
        Nft()
