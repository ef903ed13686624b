"""Models from a web server: what is fetched, and what is refused before it costs memory, time or trust."""

import hashlib
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from edge_runtime.errors import ModelCorrupt, ModelError, OptionError
from edge_runtime.store import catalog, fetch, install
from edge_runtime.store.install import Trust
from tests.edge_runtime.inference.model_variants import filled_store, refusal, variant
from tests.edge_runtime.sources.servers import Answer, Request, serving


def sending(data: bytes, code: int = 200, **headers: str) -> Answer:
    def answer(request: Request) -> None:
        request.begin("application/octet-stream", code, **headers).write(data)

    return answer


def why(call: Callable[[], object], kind: type[Exception] = ModelError) -> str:
    with pytest.raises(kind) as error:
        call()
    return str(error.value)


def test_files_and_addresses_give_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert fetch.fetch(str(tmp_path / "x")) == b"12345"
    assert fetch.fetch(str(tmp_path / "x"), most=5) == b"12345"
    assert "has more than 4 bytes" in why(lambda: fetch.fetch(str(tmp_path / "x"), most=4))
    assert fetch.fetch(str(tmp_path / "none")) is None
    assert "cannot read a\0b" in why(lambda: fetch.fetch("a\0b"))
    with serving(sending(b"12345", Content_Length="5")) as address:
        assert fetch.fetch(f"{address}/x") == b"12345"
        assert fetch.fetch(address.upper().replace("HTTP", "http")) == b"12345"


def test_too_much_is_refused_announced_or_not() -> None:
    with serving(sending(b"", Content_Length="100000000")) as address:
        assert why(lambda: fetch.fetch(address)).startswith(f"{address} has more than 16,777,216 bytes")

    def endless(request: Request) -> None:
        body = request.begin("application/octet-stream")
        while True:
            body.write(bytes(100_000))

    with serving(endless) as address:
        assert why(lambda: fetch.fetch(address)).startswith(f"{address} has more than 16,777,216 bytes")


def test_truncated_or_senseless_answers_are_refused() -> None:
    with serving(sending(b"123", Content_Length="5")) as address:
        assert why(lambda: fetch.fetch(address)) == f"{address}: the download ended after 3 bytes; try again"
    with serving(sending(b"5\r\n123", Transfer_Encoding="chunked")) as address:
        assert f"cannot fetch {address}" in why(lambda: fetch.fetch(address))
    with serving(sending(b"123", Content_Length="many")) as address:
        assert f"cannot fetch {address}" in why(lambda: fetch.fetch(address))

    def garbage(request: Request) -> None:
        request.wfile.write(b"no HTTP\r\n\r\n")

    with serving(garbage) as address:
        assert f"cannot fetch {address}" in why(lambda: fetch.fetch(address))
    assert why(lambda: fetch.fetch("http://127.0.0.1:1/x")) == "cannot fetch http://127.0.0.1:1/x: Connection refused"


def test_what_does_not_come_in_time_is_refused() -> None:
    def silent(request: Request) -> None:
        request.begin("application/octet-stream", Content_Length="5").flush()
        request.rfile.read(1)  # until the other side has gone

    with serving(silent) as address:
        assert why(lambda: fetch.fetch(address, silence=0.1)) == f"cannot fetch {address}: timed out"

    def dripping(request: Request) -> None:
        body = request.begin("application/octet-stream", Content_Length="1000000")
        begin = monotonic()
        while monotonic() - begin < 30:
            body.write(b"x")

    with serving(dripping) as address:
        assert "it takes too long" in why(lambda: fetch.fetch(address, timeout=0.2))


def test_server_errors_are_reported_missing_files_are_none() -> None:
    for code in (404, 410):
        with serving(sending(b"no", code)) as address:
            assert fetch.fetch(address) is None
    with serving(sending(b"no", 503)) as address:
        assert why(lambda: fetch.fetch(address)).endswith(": the server returned 503 Service Unavailable")


def test_redirections_are_followed_on_the_web_alone(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    with serving(sending(b"12345", Content_Length="5")) as there:
        with serving(sending(b"", 302, Location=f"{there}/x")) as address:
            assert fetch.fetch(address) == b"12345"
        for elsewhere in (f"file://{tmp_path}/secret", "ftp://127.0.0.1/x", "data:,x"):
            with serving(sending(b"", 302, Location=elsewhere)) as address:
                assert "cannot fetch" in why(lambda at=address: fetch.fetch(at))  # type: ignore[misc]
    with serving(sending(b"", 302, Location="/again")) as address:
        assert "cannot fetch" in why(lambda: fetch.fetch(address))


def test_other_addresses_stay_closed_and_secrets_hidden(tmp_path: Path) -> None:
    for url in ("file:///etc/passwd", "ftp://x/y", "http://", "http://x:0/", "http://x:99999/", "://"):
        assert why(lambda at=url: fetch.fetch(at), OptionError).endswith(  # type: ignore[misc]
            "is neither a file nor an http or https address"
        )
    message = why(lambda: fetch.fetch("https://me:s3cret@127.0.0.1:1/x?key=s3cret"), OptionError)
    assert message.startswith("https://127.0.0.1:1/x: user and password are not allowed in the address")
    assert "s3cret" not in why(lambda: fetch.fetch("https://127.0.0.1:1/x?key=s3cret#s3cret"))


def test_by_https_the_certificate_must_be_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "ca.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    with serving(sending(b"12345", Content_Length="5"), context=context) as address:
        assert address.startswith("https://")
        assert "CERTIFICATE_VERIFY_FAILED" in why(lambda: fetch.fetch(address))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert fetch.fetch(address) == b"12345"
        down = sending(b"", 302, Location="http://127.0.0.1:1/x")
        with serving(down, context=context) as leading:  # what protects it is not given up
            assert why(lambda: fetch.fetch(leading)).endswith("it redirects to http://127.0.0.1:1/x, which is refused")


def test_plain_http_needs_a_hash_or_signature(tmp_path: Path) -> None:
    folder = filled_store(tmp_path)
    variant(tmp_path / "new.tflite")
    data = (tmp_path / "new.tflite").read_bytes()
    right = Trust(sha256=hashlib.sha256(data).hexdigest())

    def model_alone(request: Request) -> None:
        exists = request.path.startswith("/new.tflite") and not request.path.endswith(".sig")
        request.begin("x", 200 if exists else 404).write(data if exists else b"")

    with serving(model_alone) as address:
        url = f"{address}/new.tflite"
        assert refusal(folder, url, OptionError).startswith(f"{url} could be changed in transit: use https, ")
        assert refusal(folder, url, ModelCorrupt, Trust(sha256="0" * 64)).startswith(f"{url} has SHA-256 ")
        assert refusal(folder, f"{address}/none", trust=right) == f"there is no {address}/none"
        install.install(f"{url}?key=s3cret", folder, right)
    newest = catalog.models(folder)[0]
    assert newest.path.read_bytes() == data
    assert newest.entry.source == url


def test_a_truncated_download_changes_nothing(tmp_path: Path) -> None:
    folder = filled_store(tmp_path)
    variant(tmp_path / "new.tflite")
    data = (tmp_path / "new.tflite").read_bytes()
    trust = Trust(sha256=hashlib.sha256(data).hexdigest())
    with serving(sending(data[:500_000], Content_Length=str(len(data)))) as address:
        assert refusal(folder, address, trust=trust).endswith("the download ended after 500,000 bytes; try again")
    with serving(sending(data[:500_000])) as address:  # of a length that nobody has told
        assert refusal(folder, address, ModelCorrupt, trust).startswith(f"{address} has SHA-256 ")
