"""Certificates of a test's own, made by openssl."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CONFIG = """\
[ca]
default_ca = here
[here]
dir = {folder}
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
"""


class Authority:
    """A CA in a folder, and what it signs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        (folder / "index").touch()
        (folder / "serial").write_text("01\n")
        self._config = folder / "openssl.cnf"
        self._config.write_text(_CONFIG.format(folder=folder))
        self._request(self._key, "/CN=authority", "-x509", "-days", "30", out=self.certificate)

    @property
    def pem(self) -> str:
        return self.certificate.read_text()

    def sign(
        self,
        name: str,
        alternatives: str = "DNS:localhost,IP:127.0.0.1,IP:::1",
        starts: timedelta = timedelta(days=-1),
        ends: timedelta = timedelta(days=10),
    ) -> Path:
        """A file with key and certificate of somebody, valid from then to then."""
        key, request, certificate = (self.folder / f"{name}.{e}" for e in ("key", "csr", "crt"))
        extension = ("-addext", f"subjectAltName={alternatives}")
        self._request(key, f"/CN={name}", *extension, out=request)
        now = datetime.now(UTC)
        dates = [(now + d).strftime("%Y%m%d%H%M%SZ") for d in (starts, ends)]
        _openssl(
            *("ca", "-batch", "-notext", "-config", self._config, "-in", request),
            *("-cert", self.certificate, "-keyfile", self._key, "-out", certificate),
            *("-startdate", dates[0], "-enddate", dates[1]),
        )
        both = self.folder / f"{name}.pem"
        both.write_text(key.read_text() + certificate.read_text())
        return both

    def _request(self, key: Path, subject: str, *words: str, out: Path) -> None:
        named = () if "-x509" in words else ("-config", str(self._config))
        _openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", subject, "-keyout", key, "-out", out, *words, *named),
        )


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
