"""Certificates of an authority of the tests' own, one of them expired."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """Vouches for servers at 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate = folder / "authority.crt"
        _openssl(folder, "req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=authority", "-keyout", "authority.key",
                 "-out", "authority.crt")  # fmt: skip

    def server(self, name: str = "127.0.0.1", *, days: int = 2) -> ssl.SSLContext:
        """What a server of that name needs; its certificate ends after so many days, or ended so many ago."""
        kind = "IP" if name[0].isdigit() else "DNS"
        _openssl(self._folder, "req", *_KEY, "-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}",
                 "-keyout", "server.key", "-out", "server.csr")  # fmt: skip
        _openssl(self._folder, "x509", "-req", "-in", "server.csr", "-CA", "authority.crt", "-CAkey", "authority.key",
                 "-days", str(days), "-copy_extensions", "copy", "-out", "server.crt")  # fmt: skip
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._folder / "server.crt", self._folder / "server.key")
        return context


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)
