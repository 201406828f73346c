"""A certificate authority of the test's own, and what it signed for 127.0.0.1, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Signed:
    """A certificate and its key, PEM."""

    certificate: Path
    key: Path


class Authority:
    """A private certificate authority in a folder."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        self._folder = folder
        self._own = self._make("ca", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")
        self.certificate = self._own.certificate

    def sign(self, name: str, address: str = "IP:127.0.0.1") -> Signed:
        """Return a new certificate for an address."""
        extensions = f"subjectAltName={address}", "basicConstraints=critical,CA:FALSE"
        return self._make(name, *extensions, signer=self._own)

    def _make(self, name: str, *extensions: str, signer: Signed | None = None) -> Signed:
        made = Signed(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-subj", f"/CN={name}", "-days", "2", "-keyout", str(made.key), "-out", str(made.certificate)]
        if signer is not None:
            command += ["-CA", str(signer.certificate), "-CAkey", str(signer.key)]
        for extension in extensions:
            command += ["-addext", extension]
        subprocess.run(command, check=True, capture_output=True)
        return made
