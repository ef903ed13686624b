"""Certificates for HTTPS, supplied or self-made; needs the extra edge-digits[tls]."""

import ipaddress
import os
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import (
    PrivateKeyTypes,
    PublicKeyTypes,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_runtime.errors import OptionError
from edge_runtime.web import tokens

LASTING = timedelta(days=824)  # phones refuse more than 825
LEAST = timedelta(days=30)  # minimum remaining validity of a certificate
EARLY = timedelta(days=1)  # backdating, for visitors whose clock is slow


def made(folder: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """Return the files of a certificate for these names and addresses, and of its key, in a folder.

    It makes both unless the folder has a certificate for all of `names` that stays valid for LEAST. Raises OptionError
    where a name cannot be in a certificate, OutputError where no file can be written.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    wanted = [_name(name) for name in dict.fromkeys(names)]
    if not _serves(certificate, key, wanted):
        secret = ec.generate_private_key(ec.SECP256R1())
        held = secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        tokens.put(key, held.decode(), 0o600)
        tokens.put(certificate, _signed(secret, wanted).public_bytes(serialization.Encoding.PEM).decode(), 0o644)
    return certificate, key


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a certificate, as browsers show it. Raises OptionError where it cannot be read."""
    return _certificate(path).fingerprint(hashes.SHA256()).hex(":").upper()


def check(certificate: Path, key: Path) -> None:
    """Raise OptionError where a server cannot use these two files."""
    cert, secret = _certificate(certificate), _key(key)
    if _public(cert.public_key()) != _public(secret.public_key()):
        raise OptionError(f"{key} is not the key of {certificate}")
    now = datetime.now(UTC)
    if cert.not_valid_after_utc <= now:
        raise OptionError(f"{certificate} was valid until {cert.not_valid_after_utc:%Y-%m-%d}: renew it")
    if cert.not_valid_before_utc > now:
        raise OptionError(
            f"{certificate} is valid from {cert.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: is this clock right?"
        )


def _serves(certificate: Path, key: Path, wanted: Sequence[x509.GeneralName]) -> bool:
    """Return whether the existing certificate and key suffice."""
    try:
        check(certificate, key)
        cert = _certificate(certificate)
        there = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OptionError, x509.ExtensionNotFound, ValueError):
        return False
    private = not os.stat(key).st_mode & 0o077
    return private and set(wanted) <= set(there) and cert.not_valid_after_utc - datetime.now(UTC) > LEAST


def _signed(key: ec.EllipticCurvePrivateKey, wanted: Sequence[x509.GeneralName]) -> x509.Certificate:
    """Return an authority certificate for these names only; phones trust no other kind."""
    name = x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "edge-digits"),
        x509.NameAttribute(NameOID.COMMON_NAME, f"edge-digits on {socket.gethostname()}"[:64]),
    ])  # fmt: skip
    start = datetime.now(UTC).replace(microsecond=0) - EARLY
    public = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number(), start, start + LASTING)
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(_subtrees(wanted), None), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )


def _subtrees(wanted: Sequence[x509.GeneralName]) -> list[x509.GeneralName]:
    """Return the authority's permitted names: a kind without an entry (DNS name, IP address) would be unlimited."""
    trees: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_network("127.0.0.1"))]
    for name in wanted:
        tree = x509.IPAddress(ipaddress.ip_network(name.value)) if isinstance(name, x509.IPAddress) else name
        if tree not in trees:
            trees.append(tree)
    return trees


def _name(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name.partition("%")[0]))
    try:
        plain = name.lower().encode("idna").decode("ascii")
    except UnicodeError:
        plain = ""
    if not re.fullmatch(r"[a-z0-9._-]+", plain):
        raise OptionError(f"{name!r} cannot be in a certificate: it is neither a name nor an address")
    return x509.DNSName(plain)


def _certificate(path: Path) -> x509.Certificate:
    data = _read(path)
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise OptionError(f"{path} is not a certificate in PEM format") from error


def _key(path: Path) -> PrivateKeyTypes:
    data = _read(path)
    try:
        return serialization.load_pem_private_key(data, None)
    except TypeError as error:
        raise OptionError(f"the key in {path} has a password: use a key without one") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise OptionError(f"{path} is not a private key in PEM format") from error


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise OptionError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
