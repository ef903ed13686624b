import ssl
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from edge_runtime.web import tls
from tests.edge_runtime.web.hosting import TIMEOUT, Hosted, everything, hello, hosting
from tests.edge_runtime.web.test_protocol import BRIEF, GET, LAST, POST, STALL, Endless, problem

Pair = tuple[Path, Path]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return tls.made(tmp_path_factory.mktemp("tls"), ["localhost", "127.0.0.1"])


@pytest.fixture(scope="module")
def trust(pair: Pair) -> ssl.SSLContext:
    """Return what a visitor has who trusts that certificate, and no other."""
    return ssl.create_default_context(cafile=str(pair[0]))


@pytest.fixture
def secure(pair: Pair) -> Iterator[Hosted]:
    with hosting(hello, certificate=pair, limits=BRIEF) as served:
        yield served
    assert served.messages == []


def visit(served: Hosted, trust: ssl.SSLContext) -> ssl.SSLSocket:
    return trust.wrap_socket(served.visit(), server_hostname="localhost", suppress_ragged_eofs=True)


def ask(served: Hosted, trust: ssl.SSLContext, request: bytes) -> bytes:
    with visit(served, trust) as visitor:
        return everything(visitor, request)


def test_visitors_who_trust_the_certificate_are_served(secure: Hosted, trust: ssl.SSLContext) -> None:
    for name in ("localhost", "127.0.0.1"):
        connection = HTTPSConnection(name, secure.port, timeout=TIMEOUT, context=trust)
        for _ in range(3):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"hello"
        assert str(connection.sock.version()) >= "TLSv1.2"
        connection.close()


def test_others_are_not(secure: Hosted, trust: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        visit(secure, ssl.create_default_context())
    assert ask(secure, trust, LAST).endswith(b"hello")


def test_what_comes_with_the_handshake_is_not_lost(secure: Hosted, trust: ssl.SSLContext) -> None:
    for _ in range(20):
        assert ask(secure, trust, GET + LAST).count(b"hello") == 2


@pytest.mark.parametrize("sent", [LAST, b"\0" * 2000, b"\x16\x03\x01\x02\x00\x01", b"\x16\x03\x01\x00\x01\x00"])
def test_what_is_not_tls_is_closed(secure: Hosted, trust: ssl.SSLContext, sent: bytes) -> None:
    with secure.visit() as visitor:
        assert b"HTTP" not in everything(visitor, sent)
    assert ask(secure, trust, LAST).endswith(b"hello")


def test_who_does_not_shake_hands_does_not_stay(secure: Hosted) -> None:
    with secure.visit() as visitor:
        assert everything(visitor) == b""


def test_silence_after_the_handshake_ends_the_connection(secure: Hosted, trust: ssl.SSLContext) -> None:
    assert ask(secure, trust, b"") == b""
    assert problem(ask(secure, trust, b"GET")) == (408, "Too slow")


def test_refusals_arrive(secure: Hosted, trust: ssl.SSLContext) -> None:
    assert ask(secure, trust, b"X\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    last = POST + b"Connection: close\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000
    assert ask(secure, trust, last).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("part", "count"), [(1_000_000, 10**9), (30_000_000, 1)])
def test_a_viewer_who_is_stuck_does_not_stay(pair: Pair, trust: ssl.SSLContext, part: int, count: int) -> None:
    app = Endless(part, count)
    with hosting(app, certificate=pair, stall=STALL) as served, visit(served, trust) as stuck:
        stuck.sendall(GET)
        assert app.ended.wait(TIMEOUT)
        assert served.messages == []
