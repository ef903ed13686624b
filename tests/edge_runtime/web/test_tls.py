import ipaddress
import os
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from edge_runtime.errors import OptionError, OutputError
from edge_runtime.web import tls

NAMES = ["localhost", "pi", "pi.local", "127.0.0.1", "::1", "192.168.0.7"]
NOW = datetime.now(UTC)
Pair = tuple[Path, Path]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return tls.made(tmp_path / "tls", NAMES)


def read(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair[0].read_bytes())


def signed(folder: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, start: datetime, end: datetime) -> Pair:
    """Write a certificate as others may make one."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pi")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, start, end)
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName("pi")]), critical=False)
    certificate, held = folder / "their.crt", folder / "their.key"
    certificate.write_bytes(built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    held.write_bytes(pem(key))
    held.chmod(0o644)
    return certificate, held


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None = None) -> bytes:
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


def test_a_certificate_is_made_for_names_and_addresses(pair: Pair) -> None:
    certificate = read(pair)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "pi", "pi.local"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1", "192.168.0.7"]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < timedelta(days=825)
    assert certificate.not_valid_before_utc < datetime.now(UTC)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    certificate.verify_directly_issued_by(certificate)
    assert stat.S_IMODE(pair[1].stat().st_mode) == 0o600
    assert stat.S_IMODE(pair[1].parent.stat().st_mode) == 0o700
    assert len(list(pair[1].parent.iterdir())) == 2
    tls.check(*pair)


@pytest.mark.parametrize("name", ["localhost", "pi.local", "192.168.0.7", "::1"])
def test_who_trusts_it_trusts_this_host(pair: Pair, name: str) -> None:
    assert shake(pair, name) is None


def test_who_trusts_it_trusts_no_other(pair: Pair) -> None:
    assert "match" in str(shake(pair, "evil.example"))
    constraints = read(pair).extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = constraints.value.permitted_subtrees or []
    assert {str(each.value) for each in permitted} >= {"pi.local", "192.168.0.7/32", "::1/128"}


def shake(pair: Pair, name: str) -> ssl.SSLError | None:
    """Shake hands as a server and as a careful visitor who trusts the certificate; return what the visitor says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    visitor = ssl.create_default_context(cafile=str(pair[0]))
    visitor.verify_flags |= ssl.VERIFY_X509_STRICT
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            context.wrap_socket(ours, server_side=True).close()
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        visitor.wrap_socket(theirs, server_hostname=name).close()
    except ssl.SSLError as error:
        theirs.close()
        return error
    finally:
        thread.join()
    return None


def test_it_is_kept_while_it_serves(pair: Pair) -> None:
    before = pair[0].read_bytes()
    assert tls.made(pair[0].parent, NAMES) == pair
    assert tls.made(pair[0].parent, ["PI.local", "192.168.0.7"]) == pair
    assert pair[0].read_bytes() == before


def change_names(pair: Pair) -> list[str]:
    return [*NAMES, "192.168.0.8"]


def open_key(pair: Pair) -> list[str]:
    pair[1].chmod(0o640)
    return NAMES


def lose_key(pair: Pair) -> list[str]:
    pair[1].unlink()
    return NAMES


def damage(pair: Pair) -> list[str]:
    pair[0].write_text(pair[0].read_text()[:200])
    return NAMES


def swap_key(pair: Pair) -> list[str]:
    pair[1].write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    return NAMES


def age(pair: Pair) -> list[str]:
    key = ec.generate_private_key(ec.SECP256R1())
    for made, kept in zip(signed(pair[0].parent, key, NOW - timedelta(99), NOW + timedelta(29)), pair, strict=True):
        os.replace(made, kept)
    pair[1].chmod(0o600)
    return ["pi"]


@pytest.mark.parametrize("what", [change_names, open_key, lose_key, damage, swap_key, age])
def test_another_is_made_where_it_does_not(pair: Pair, what: object) -> None:
    before = pair[0].read_bytes()
    names = what(pair)  # type: ignore[operator]
    assert tls.made(pair[0].parent, names) == pair
    assert pair[0].read_bytes() != before
    assert stat.S_IMODE(pair[1].stat().st_mode) == 0o600
    tls.check(*pair)


@pytest.mark.parametrize("name", ["", "a b", "a..b", "x" * 64, "a/b", "*", "http://a", "ab\0"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match="cannot be in a certificate"):
        tls.made(tmp_path, ["localhost", name])


def test_a_name_may_be_in_any_script(tmp_path: Path) -> None:
    certificate = read(tls.made(tmp_path, ["パイ.local", "Pi", "fe80::1%eth0"]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["xn--eckve.local", "pi"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("fe80::1")]


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*key\.pem"):
        tls.made(tmp_path / "file", NAMES)


def test_a_fingerprint_is_as_browsers_show_it(pair: Pair) -> None:
    shown = tls.fingerprint(pair[0])
    assert len(shown) == 95
    assert bytes.fromhex(shown.replace(":", "")) == read(pair).fingerprint(hashes.SHA256())
    assert shown == shown.upper()
    with pytest.raises(OptionError, match=r"key\.pem is not a certificate in PEM format"):
        tls.fingerprint(pair[1])


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)])
def test_a_given_pair_is_taken(tmp_path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    tls.check(*signed(tmp_path, key, NOW - timedelta(1), NOW + timedelta(1)))


def test_an_unusable_pair_is_refused_in_one_line(tmp_path: Path, pair: Pair) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, held = signed(tmp_path, key, NOW - timedelta(9), NOW - timedelta(1))
    with pytest.raises(OptionError, match=r"their\.crt was valid until 20..-..-..: renew it"):
        tls.check(certificate, held)
    with pytest.raises(OptionError, match=r"key\.pem is not the key of .*their\.crt"):
        tls.check(certificate, pair[1])
    with pytest.raises(OptionError, match=r"cannot read .*none: No such file"):
        tls.check(tmp_path / "none", held)
    with pytest.raises(OptionError, match=r"cannot read .*none: No such file"):
        tls.check(certificate, tmp_path / "none")
    with pytest.raises(OptionError, match="Is a directory"):
        tls.check(tmp_path, held)
    with pytest.raises(OptionError, match=r"their\.key is not a certificate in PEM format"):
        tls.check(held, certificate)
    with pytest.raises(OptionError, match=r"their\.crt is not a private key in PEM format"):
        tls.check(certificate, certificate)
    held.write_bytes(pem(key, b"secret"))
    with pytest.raises(OptionError, match=r"their\.key has a password"):
        tls.check(certificate, held)
    future = signed(tmp_path, key, NOW + timedelta(1), NOW + timedelta(2))
    with pytest.raises(OptionError, match="is this clock right"):
        tls.check(*future)
