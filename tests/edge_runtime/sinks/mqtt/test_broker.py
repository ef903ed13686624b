import ssl
from pathlib import Path

import pytest

from edge_runtime.errors import OptionError
from edge_runtime.sinks.mqtt.broker import Broker

ADDRESS = "the address of an MQTT broker looks like mqtt://user@host:1883, or mqtts:// with TLS"
PASSWORD = {"EDGE_DIGITS_MQTT_PASSWORD": "s3cret"}


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "name"),
    [
        ("mqtt://broker", "broker", 1883, None, "mqtt://broker:1883"),
        ("mqtt://me@broker:1884/", "broker", 1884, "me", "mqtt://broker:1884"),
        ("MQTT://m%40e%2F@10.0.0.1", "10.0.0.1", 1883, "m@e/", "mqtt://10.0.0.1:1883"),
        ("mqtt://@[::1]:5", "::1", 5, None, "mqtt://[::1]:5"),
        ("mqtts://me@broker.local", "broker.local", 8883, "me", "mqtts://broker.local:8883"),
        ("mqtts://broker:1", "broker", 1, None, "mqtts://broker:1"),
    ],
)
def test_an_address_says_where_a_broker_is(url: str, host: str, port: int, user: str | None, name: str) -> None:
    broker = Broker.parse(url, PASSWORD if user else {})
    assert (broker.host, broker.port, broker.user, broker.name) == (host, port, user, name)
    assert broker.password == ("s3cret" if user else None)
    assert "s3cret" not in repr(broker)
    assert (broker.tls is not None) == name.startswith("mqtts")
    if broker.tls is not None:
        assert (broker.tls.verify_mode, broker.tls.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    "url",
    ["", "broker", "broker:1883", "mqtt:", "mqtt://", "mqtt://:1883", "http://broker", "mqtt://broker:0", "mqtt://b:65536",
     "mqtt://b:port", "mqtt://me:s3c/ret@b", "mqtt://me:1/s3cret@b", "mqtt://b/s3cret", "mqtt://b?s3cret", "mqtt://b#s3cret",
     "mqtt://a b", "mqtt://b\n", "mqtt://b\0", "mqtt://b\udcff", "mqtt://[::1", "mqtt://[s3cret]"],
)  # fmt: skip
def test_a_bad_address_is_refused_unseen(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        Broker.parse(url, {})
    assert str(caught.value) == ADDRESS


@pytest.mark.parametrize("url", ["mqtt://me:s3cret@broker", "mqtts://:s3cret@broker", "mqtt://me:@broker"])
def test_a_password_in_the_address_is_refused(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        Broker.parse(url, {})
    assert "EDGE_DIGITS_MQTT_PASSWORD, or into a file that EDGE_DIGITS_MQTT_PASSWORD_FILE names" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    for text, password in (("s3cret\n", "s3cret"), (" pass wörd \r\n", " pass wörd ")):
        file.write_text(text, encoding="utf-8", newline="")
        environ = {"EDGE_DIGITS_MQTT_PASSWORD_FILE": str(file), "EDGE_DIGITS_MQTT_PASSWORD": ""}
        assert Broker.parse("mqtt://me@broker", environ).password == password


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (None, "the MQTT password cannot be read: No such file or directory"),
        (b"\n", "the file of the MQTT password is empty"),
        (b"\xff\xfe", "not a password: binary data, or too long"),
        (b"a\0b", "not a password: binary data, or too long"),
        (b"x" * 65_536, "not a password: binary data, or too long"),
    ],
)
def test_a_file_without_a_password_is_named(tmp_path: Path, contents: bytes | None, message: str) -> None:
    file = tmp_path / "password"
    if contents is not None:
        file.write_bytes(contents)
    with pytest.raises(OptionError) as caught:
        Broker.parse("mqtt://me@broker", {"EDGE_DIGITS_MQTT_PASSWORD_FILE": str(file)})
    assert str(caught.value) == f"{file}: {message}"


def test_passwords_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="there is an MQTT password but no user: write mqtt://user@host"):
        Broker.parse("mqtt://broker", PASSWORD)
    with pytest.raises(OptionError, match="are both set: keep one"):
        Broker.parse("mqtt://me@broker", {**PASSWORD, "EDGE_DIGITS_MQTT_PASSWORD_FILE": str(tmp_path)})
    with pytest.raises(OptionError, match=r"^EDGE_DIGITS_MQTT_PASSWORD: not a password: binary data, or too long$"):
        Broker.parse("mqtt://me@broker", {"EDGE_DIGITS_MQTT_PASSWORD": "\udcff"})


def test_an_authority_must_be_one_and_be_used(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    with pytest.raises(OptionError, match=r"ca\.pem: a certificate authority requires mqtts://"):
        Broker.parse("mqtt://broker", {}, ca)
    with pytest.raises(OptionError, match=r"ca\.pem: cannot be used as a certificate authority: No such file"):
        Broker.parse("mqtts://broker", {}, ca)
    ca.write_text("no certificate")
    with pytest.raises(OptionError, match=r"ca\.pem: cannot be used .*: it contains no certificate"):
        Broker.parse("mqtts://broker", {}, ca)
