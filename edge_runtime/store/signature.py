"""Ed25519 signatures of model files: they show who made a file, not only whether it is intact.

A signature covers the whole file, and lies beside it as FILE.sig: 64 raw bytes, or base64. Keys are PEM files. OpenSSL
makes all of them; docs/model-store.md shows how.
"""

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path

from edge_runtime.errors import DependencyMissing, ModelError, OptionError

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
except ImportError as error:
    raise DependencyMissing(f"{error}: signatures need pip install 'edge-digits[signed]'") from error

BYTES = 64
MOST_BYTES = 4096  # maximum size of a signature or key file


def keys(paths: Sequence[Path]) -> list[Ed25519PublicKey]:
    """Return the public keys in PEM files. Raises OptionError if a file holds none, or one of another kind."""
    return [_key(path) for path in paths]


def verify(data: bytes, signature: bytes, trusted: Sequence[Ed25519PublicKey], name: str) -> None:
    """Check that one of the keys has signed the file of this name. Raises ModelError if none has."""
    raw = _raw(signature, name)
    for key in trusted:
        try:
            key.verify(raw, data)
        except InvalidSignature:
            continue
        return
    raise ModelError(
        f"{name}: its signature was not made with a trusted key, or belongs to another file; "
        "fetch both again, from a source you trust"
    )


def _key(path: Path) -> Ed25519PublicKey:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES)
        key = load_pem_public_key(data)
    except OSError as error:
        raise OptionError(f"cannot read the trusted key {path}: {error.strerror or error}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise OptionError(
            f"{path} contains no public key: make one with openssl pkey -in KEY.pem -pubout -out {path.name}"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise OptionError(f"{path} has a key of another type: Ed25519 is required (openssl genpkey -algorithm ed25519)")
    return key


def _raw(signature: bytes, name: str) -> bytes:
    """Return the 64 bytes of a signature. Raises ModelError if it is none."""
    if len(signature) == BYTES:
        return signature
    try:
        raw = base64.b64decode(b"".join(signature.split()), validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != BYTES:
        raise ModelError(f"{name}: invalid signature: expected 64 bytes, raw or in base64")
    return raw
