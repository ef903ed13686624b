"""The camera of benchmarks.service.stamped_stream, which also logs the send time of each frame.

python -m benchmarks.service.noted_stream FILE
    prints its address, and writes a line for each frame: connection, time.time()
"""

import io
import itertools
import sys
import time
from http.server import ThreadingHTTPServer
from typing import BinaryIO, TextIO

import cv2

from benchmarks.service.stamped_stream import BOUNDARY, Stream

START = f"--{BOUNDARY}".encode()
CONNECTIONS = itertools.count()


class Noting(io.BufferedIOBase):
    """Writes through, and logs the time before each frame."""

    def __init__(self, through: BinaryIO, log: TextIO) -> None:
        self._through, self._log, self._connection = through, log, next(CONNECTIONS)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write."""
        if data.startswith(START):
            self._log.write(f"{self._connection} {time.time():.6f}\n")
        return self._through.write(data)


class NotedStream(Stream):
    """Logs the frames that it sends."""

    log: TextIO

    def setup(self) -> None:
        """Prepare to answer a request."""
        super().setup()
        self.wfile = Noting(self.wfile, self.log)  # type: ignore[arg-type]


if __name__ == "__main__":
    cv2.setNumThreads(1)
    NotedStream.log = open(sys.argv[1], "w", buffering=1)  # noqa: SIM115 - open to the end
    server = ThreadingHTTPServer(("127.0.0.1", 0), NotedStream)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/", file=sys.stderr, flush=True)
    server.serve_forever()
