"""A real HTTP server that sends pictures: streams of Motion JPEG, snapshots, and what goes wrong with them."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase

import cv2
import numpy as np

BOUNDARY = "frame"
Answer = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One request; the server's `answer` says what becomes of it."""

    def do_GET(self) -> None:
        """Answer, for as long as somebody listens."""
        try:
            self.server.answer(self)  # type: ignore[attr-defined]
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def begin(self, kind: str, code: int = 200, **headers: str) -> BufferedIOBase:
        """Send the head of an answer, and return where its body goes."""
        self.send_response(code)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        return self.wfile

    def begin_stream(self) -> BufferedIOBase:
        """Begin a stream of Motion JPEG."""
        return self.begin(f"multipart/x-mixed-replace; boundary={BOUNDARY}")


@contextmanager
def serving(answer: Answer, port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve on the loopback device meanwhile, with a TLS `context` by HTTPS; yield the address."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(("127.0.0.1", port), Request)
    server.answer = answer  # type: ignore[attr-defined]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def jpeg(shade: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """Return a gray picture."""
    return bytes(cv2.imencode(".jpg", np.full(size[::-1], shade, np.uint8))[1])


def part(data: bytes) -> bytes:
    """Return one picture as part of a stream."""
    return b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (
        BOUNDARY.encode(),
        len(data),
        data,
    )
