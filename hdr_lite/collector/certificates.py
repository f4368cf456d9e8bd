"""The collector's own CA and server certificate, made at the first start."""

import datetime
import ipaddress
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hdr_lite.config import UserError
from hdr_lite.storage import replacing

_DAY = datetime.timedelta(days=1)
_CA_DAYS = 20 * 365
#: Made anew at a start when less than _RENEW days are left. Devices pin the CA, not this one.
_SERVER_DAYS = 397
_RENEW = 30

Key = ec.EllipticCurvePrivateKey


def prepare(folder: Path, names: Sequence[str]) -> None:
    """See to ``ca.pem``, ``server.pem`` and ``server.key`` for these names and addresses."""
    if not (folder / "ca.pem").exists():
        _make_ca(folder)
    if not _serves(folder / "server.pem", names):
        _make_server(folder, names)


def read_ca(path: Path) -> tuple[str, bytes]:
    """A CA certificate as PEM and as DER; of several in the file, the first."""
    try:
        pem = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the CA certificate {path}: {error}") from error
    return pem.decode(), certificate.public_bytes(serialization.Encoding.DER)


def own_names() -> list[str]:
    """What this machine may be called by."""
    return list(dict.fromkeys([socket.gethostname(), "localhost", "127.0.0.1", "::1"]))


def _make_ca(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"HDR-lite collector CA {os.urandom(4).hex()}")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        _builder(name, name, key, _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(folder / "ca.key", key)
    write_private(folder / "ca.pem", _pem(certificate))


def _make_server(folder: Path, names: Sequence[str]) -> None:
    try:
        ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        ca_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot use the CA in {folder}: {error}") from error
    assert isinstance(ca_key, Key)  # noqa: S101 - ours
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name("HDR-lite collector"), ca.subject, key, _SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False
        )
        .sign(ca_key, hashes.SHA256())
    )
    _write_key(folder / "server.key", key)
    write_private(folder / "server.pem", _pem(certificate) + _pem(ca))


def _builder(name: x509.Name, issuer: x509.Name, key: Key, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A device without a clock believes it is long ago: the certificate holds then, too.
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(now + days * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )


def _serves(path: Path, names: Sequence[str]) -> bool:
    """The certificate is for all these names, and for a while yet."""
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return left > _RENEW * _DAY and {_alternative(n) for n in names} <= set(extension.value)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_key(path: Path, key: Key) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(path, pem)


def write_private(path: Path, content: bytes) -> None:
    """For the owner's eyes only, whole or not at all."""
    with replacing(path, 0o600) as file:
        file.write(content)
