"""A network camera for measurements: Motion JPEG, each frame stamped with its send time.

python -m benchmarks.service.stamped_stream    prints its address, and serves until it is ended
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from benchmarks.service.stamp import stamp
from edge_runtime.sources.synthetic import SyntheticCamera

FPS, QUALITY = 30.0, 90
BOUNDARY = "frame"


class Stream(BaseHTTPRequestHandler):
    """Generated pages, 30 a second, 640x480, to every client."""

    def do_GET(self) -> None:
        """Send frames until the client disconnects."""
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        camera = SyntheticCamera(1, FPS)
        try:
            while True:
                pixels = camera.read().copy()
                stamp(pixels, time.monotonic())
                data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1].tobytes()
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def served() -> Iterator[str]:
    """Serve in a separate process; yields the address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.service.stamped_stream"], stdout=subprocess.PIPE, text=True
    )
    with server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.kill()


if __name__ == "__main__":
    cv2.setNumThreads(1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stream)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
