"""Somebody who makes models and signs them."""

import subprocess
from pathlib import Path


class Maker:
    """Somebody with a key, as OpenSSL makes it."""

    def __init__(self, folder: Path, kind: str = "ed25519") -> None:
        folder.mkdir()
        self._key, self.public = folder / "key.pem", folder / "maker.pem"
        more = ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "EC" else []
        self._openssl("genpkey", "-algorithm", kind, *more, "-out", self._key)
        self._openssl("pkey", "-in", self._key, "-pubout", "-out", self.public)

    def sign(self, path: Path) -> Path:
        self._openssl("pkeyutl", "-sign", "-rawin", "-inkey", self._key, "-in", path, "-out", f"{path}.sig")
        return Path(f"{path}.sig")

    def _openssl(self, *arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
