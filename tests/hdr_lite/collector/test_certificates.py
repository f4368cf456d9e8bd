"""The collector's own CA and certificate."""

import datetime
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from hdr_lite.collector import certificates
from hdr_lite.collector.certificates import prepare, read_ca
from hdr_lite.config import UserError

NAMES = ["collector.example.org", "192.0.2.1", "::1"]


def server_of(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())


def test_server_is_signed_by_the_ca_for_its_names(tmp_path: Path):
    """Private files; a name of each kind; good on a device whose clock is years behind."""
    prepare(tmp_path, NAMES)
    pem, der = read_ca(tmp_path / "ca.pem")
    ca = x509.load_der_x509_certificate(der)
    server = server_of(tmp_path)
    server.verify_directly_issued_by(ca)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["collector.example.org"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "::1"]
    assert server.not_valid_before_utc.year == ca.not_valid_before_utc.year == 2020
    assert ssl.PEM_cert_to_DER_cert(pem) == der
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_ca_stays_server_is_made_anew_when_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Another name, or little time left: another certificate of the same CA; else the same."""
    prepare(tmp_path, NAMES)
    ca, first = read_ca(tmp_path / "ca.pem"), server_of(tmp_path)
    prepare(tmp_path, NAMES[:1])
    assert server_of(tmp_path) == first
    prepare(tmp_path, [*NAMES, "other.example.org"])
    second = server_of(tmp_path)
    assert second != first
    left = second.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    monkeypatch.setattr(certificates, "_RENEW", left.days + 2)
    prepare(tmp_path, NAMES)
    assert server_of(tmp_path) != second
    assert read_ca(tmp_path / "ca.pem") == ca


def test_file_that_is_no_certificate(tmp_path: Path):
    """A sentence."""
    (tmp_path / "ca.pem").write_text("nothing")
    for path in (tmp_path / "ca.pem", tmp_path / "absent.pem"):
        with pytest.raises(UserError, match="cannot read the CA certificate"):
            read_ca(path)
