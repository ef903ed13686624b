"""What goes wrong under a running `edge-digits read`, with the real thing, and SIGTERM while it does."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Uint8
from tests.edge_runtime.sinks.mqtt.mosquitto import PROGRAM, Mosquitto, listening
from tests.edge_runtime.sources.servers import Request, part, serving
from tests.edge_runtime.system.disks import small_disk

ROOT = Path(__file__).parents[2]
DIGIT = "digit.png"
SOON = 2.0  # seconds in which SIGTERM ends it


class Running:
    """`edge-digits read` in a process of its own."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "edge_runtime", "read", *map(str, arguments)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="strict"
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._changed = threading.Condition()
        streams = ((self.process.stdout, self.out), (self.process.stderr, self.err))
        self._threads = [threading.Thread(target=self._follow, args=pair) for pair in streams]
        for thread in self._threads:
            thread.start()

    def _follow(self, stream: Iterator[str], lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line)
                self._changed.notify_all()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until a line makes the condition true."""
        with self._changed:
            assert self._changed.wait_for(condition, 30), (self.out[-3:], self.err)

    def terminate(self) -> int:
        """Send SIGTERM, and return the exit code; it must come soon."""
        self.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        code = self.process.wait(30)
        assert time.monotonic() - started < SOON
        self.close()
        return code

    def close(self) -> None:
        """End it at once."""
        self.process.kill()
        for thread in self._threads:
            thread.join()
        self.process.communicate()

    @property
    def said(self) -> str:
        """What it said on standard error."""
        return "".join(self.err)


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    with ExitStack() as stack:

        def start(*arguments: object) -> Running:
            running = Running(*arguments)
            stack.callback(running.close)
            return running

        yield start


Run = Callable[..., Running]


@pytest.fixture
def picture(digits: tuple[Uint8, Uint8]) -> bytes:
    images, labels = digits
    page = draw_page(images[:4], labels[:4], np.random.default_rng(1), PageStyle(digit_height=(48, 48)))
    return bytes(cv2.imencode(".jpg", page.pixels)[1])


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", kilobytes=200) as folder:
        yield folder


def whole(lines: list[str]) -> bool:
    """Tell whether these are whole JSON objects, a line each."""
    return all(line.endswith("\n") and isinstance(json.loads(line), dict) for line in lines)


@pytest.mark.parametrize("fault", ["stalls", "sends garbage", "goes away"])
def test_a_troubled_stream_is_awaited_sigterm_ends_it(fault: str, run: Run, picture: bytes) -> None:
    over = threading.Event()

    def answer(request: Request) -> None:
        body = request.begin_stream()
        for _ in range(20):
            body.write(part(picture))
        while fault != "goes away" and not over.wait(0.02):
            if fault == "sends garbage":
                body.write(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + bytes(range(256)) * 40)

    with ExitStack() as stack:
        server = ExitStack()
        address = server.enter_context(serving(answer))
        stack.callback(server.close)
        stack.callback(over.set)
        running = run(address, "--json", "--raw", "--stall", "0.3")
        running.wait_for(lambda: len(running.out) > 0)
        if fault == "goes away":
            server.close()
        # Who says it first, the one that waits for frames or the one that takes them, is left to chance.
        running.wait_for(lambda: "no frame for 0.3 s" in running.said or "stopped sending frames" in running.said)
        assert running.terminate() == 0
        assert whole(running.out)
        assert "error" not in running.said


def test_a_full_disk_stops_only_its_output(run: Run, small: Path) -> None:
    log = small / "log.jsonl"
    running = run("synthetic", "--json", "--raw", "--log", log, "--annotate", small / "pictures")
    running.wait_for(lambda: running.said.count("No space left on device") == 2)
    seen = len(running.out)
    running.wait_for(lambda: len(running.out) > seen + 3)
    assert running.terminate() == 6
    assert whole(running.out)
    # What was written before is whole, and nothing is left half done.
    assert whole(log.read_text().splitlines(keepends=True))
    pictures = list((small / "pictures").iterdir())
    assert all(cv2.imread(str(path)) is not None for path in pictures)
    assert len(running.err) == 2


@pytest.mark.parametrize("option", ["--log", "--annotate", "--explain", "--video"])
def test_an_unwritable_output_is_one_line_at_once(option: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    running = run("synthetic", "--json", option, tmp_path / "file" / "below.mp4")
    assert running.process.wait(30) == 6
    running.close()
    assert running.out == []
    assert len(running.err) == 1
    assert str(tmp_path / "file") in running.said


def test_a_read_only_disk_is_one_line(run: Run, small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    for option, name in (("--log", "a.jsonl"), ("--annotate", "pictures"), ("--video", "a.mp4")):
        running = run("synthetic", option, small / name)
        assert running.process.wait(30) == 6
        running.close()
        assert running.err == [f"edge-digits: error: {line}\n" for line in [running.said.strip()[20:]]]
        assert "Read-only file system" in running.said


@pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")
def test_a_killed_broker_gets_the_rest_next_start(run: Run, tmp_path: Path, samples: Path) -> None:
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    queue = ["--mqtt", broker.url, "--mqtt-device", "pi", "--mqtt-spool", tmp_path / "queue"]
    try:
        with listening(broker) as heard:
            running = run("synthetic", "--json", "--raw", *queue)
            heard.wait(lambda messages: sum(message.topic.endswith("reading") for message in messages) >= 3)
            broker.kill()
            running.wait_for(lambda: "messages are kept until it is back" in running.said)
            seen = len(running.out)
            running.wait_for(lambda: len(running.out) > seen + 3)
            assert running.terminate() == 0
            assert whole(running.out)
            broker.start()
            # Another run, of a picture, sends what is left of the first one before its own.
            assert run(samples / "digit.png", *queue).process.wait(30) == 0
            heard.wait(lambda messages: any(DIGIT in message.payload for message in messages))
        sent = [message.payload for message in heard if message.topic.endswith(("reading", "event"))]
        once = list(dict.fromkeys(sent))  # QoS 1 may bring one twice
        printed = [line.strip() for line in running.out]
        assert once[:-1] in (printed, printed[:-1])  # SIGTERM may come between printing one and queueing it
        assert DIGIT in once[-1]
    finally:
        broker.kill()
