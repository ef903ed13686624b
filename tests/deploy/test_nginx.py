"""deploy/nginx.conf, with nginx in front of a real `edge-digits serve`."""

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from tests.edge_runtime.web.process import served

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
TIMEOUT = 30.0  # seconds


class Front(NamedTuple):
    """Where nginx listens, and what a visitor has who trusts its certificate."""

    port: int
    trust: ssl.SSLContext

    def visit(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)

    def visit_securely(self) -> ssl.SSLSocket:
        return self.trust.wrap_socket(self.visit(), server_hostname="localhost")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    program = shutil.which("nginx", path=os.environ["PATH"] + os.pathsep + "/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed: apt install nginx-light")
    pytest.importorskip("cryptography")
    home = tmp_path_factory.mktemp("nginx")
    with served("synthetic:1", "--tls", "auto", home=home) as running:
        tls = home / "edge-digits" / "tls"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        text = CONFIGURATION.read_text()
        for pattern, new in (
            ("listen 443", f"listen 127.0.0.1:{port}"),
            ("https://127.0.0.1:8000", running.address.rstrip("/")),
            (r"/etc/\S+\.pem", str(tls / "certificate.pem")),
            (r"/etc/\S+\.key", str(tls / "key.pem")),
            ("10s", "1s"),
        ):
            text, count = re.subn(rf"{pattern}(?=[ ;])", new, text)
            assert count, pattern
        folders = "".join(
            f"{kind}_temp_path {home}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        whole = home / "nginx.conf"
        whole.write_text(
            f"daemon off; master_process off; pid {home}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; {folders}\n{text}}}\n"
        )
        subprocess.run([program, "-t", "-q", "-c", whole], check=True)
        with subprocess.Popen([program, "-c", whole], stderr=subprocess.DEVNULL) as nginx:
            try:
                one = Front(port, ssl.create_default_context(cafile=tls / "certificate.pem"))
                while nginx.poll() is None:
                    try:
                        one.visit().close()
                        break
                    except ConnectionRefusedError:
                        pass
                yield one
            finally:
                nginx.terminate()


def test_pages_pictures_and_streams_pass(front: Front) -> None:
    picture = cv2.imencode(".png", np.full((28, 28), 200, np.uint8))[1].tobytes()
    with closing(HTTPSConnection("localhost", front.port, timeout=TIMEOUT, context=front.trust)) as visitor:
        visitor.request("GET", "/")
        assert b"<html" in visitor.getresponse().read()
        visitor.request("POST", "/api/read", picture, {"Origin": f"https://localhost:{front.port}"})
        assert b'"text"' in visitor.getresponse().read()
        visitor.request("POST", "/api/read", picture, {"Origin": "https://elsewhere.example"})
        assert b'"Cross-origin"' in visitor.getresponse().read()
        visitor.request("GET", "/stream.mjpg")
        assert visitor.getresponse().readline() == b"--frame\r\n"


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"])
def test_a_handshake_has_a_time_limit(front: Front, sent: bytes) -> None:
    with front.visit() as visitor:
        visitor.sendall(sent)
        assert visitor.recv(1) == b""


def test_a_head_has_a_time_limit(front: Front) -> None:
    with front.visit_securely() as visitor:
        visitor.sendall(b"GET / HTTP/1.1\r\n")
        assert visitor.recv(1) == b""


def test_a_long_head_is_refused(front: Front) -> None:
    with front.visit_securely() as visitor:
        visitor.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")
        assert visitor.recv(12) == b"HTTP/1.1 400"


def test_one_visitor_has_a_limit_of_requests(front: Front) -> None:
    with ExitStack() as stack:
        for status in [b"200"] * 16 + [b"429"]:
            visitor = stack.enter_context(front.visit_securely())
            visitor.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert visitor.recv(12) == b"HTTP/1.1 " + status
