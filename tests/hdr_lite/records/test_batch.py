"""The words of the protocol."""

import hashlib
import hmac

import pytest

from hdr_lite.records.batch import Token, digest_text, read_token, signature

SECRET = bytes(range(32))
DEVICE = "0123456789abcdef" * 2
EPOCH = "0011223344556677"


def test_signature_covers_device_epoch_first_and_body():
    """The bytes under the signature are those of docs/sync.md, and each part matters."""
    body = b"\x00body"
    message = (
        b"hdr-lite batch 1\n0123456789abcdef0123456789abcdef\n0011223344556677\n17\n"
        + hashlib.sha256(body).digest()
    )
    expected = hmac.new(SECRET, message, hashlib.sha256).hexdigest()
    assert signature(SECRET, DEVICE, EPOCH, 17, body) == expected
    others = [
        signature(SECRET, "f" * 32, EPOCH, 17, body),
        signature(SECRET, DEVICE, "f" * 16, 17, body),
        signature(SECRET, DEVICE, EPOCH, 1, body),
        signature(SECRET, DEVICE, EPOCH, 17, body + b"\x00"),
        signature(bytes(32), DEVICE, EPOCH, 17, body),
    ]
    assert len({expected, *others}) == 6


def test_token_is_written_and_read():
    """A token reads back as it was written, with the digest of a CA or without."""
    for ca in (digest_text(b"certificate"), "-"):
        token = Token("89abcdef", "s" * 43, ca)
        assert read_token(f" {token}\n") == token
    assert len(digest_text(b"certificate")) == 43


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hdr1",
        "hdr2.89abcdef." + "s" * 43 + ".-",
        "hdr1.89abcdeg." + "s" * 43 + ".-",
        "hdr1.89abcdef." + "s" * 42 + ".-",
        "hdr1.89abcdef." + "s" * 43 + ".",
        "hdr1.89abcdef." + "ß" * 43 + ".-",
    ],
)
def test_what_is_no_token_is_refused(text):
    """Each part has its length and its letters."""
    with pytest.raises(ValueError, match="no enrolment token"):
        read_token(text)
