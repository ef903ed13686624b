"""The protocol of sd_notify, against real sockets: what systemd hears of a service."""

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.sinks.watchdog import Watchdog
from tests.edge_runtime.sources.servers import Request, jpeg, part
from tests.edge_runtime.sources.servers import serving as camera
from tests.edge_runtime.web.process import Served

COMMAND = [sys.executable, "-m", "edge_runtime"]
LONG = 60.0  # seconds that a starting process may take
# A server whose event loop hangs as soon as somebody asks for the page.
STUCK = """
import threading
from edge_runtime.cli.main import main
from edge_runtime.web import app

original = app.application
def application(*arguments):
    inner = original(*arguments)
    async def stuck(scope, receive, send):
        if scope["type"] == "http":
            threading.Event().wait()
        await inner(scope, receive, send)
    return stuck

import edge_runtime.web.serve
edge_runtime.web.serve.application = application
main()
"""


class Manager:
    """What systemd is to a service: a socket that hears it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def environment(self, watchdog: float | None = None, **more: str) -> dict[str, str]:
        variables = {**os.environ, "NOTIFY_SOCKET": self.address, **more}
        for name in ("WATCHDOG_PID", "WATCHDOG_USEC"):
            variables.pop(name, None)
        return variables if watchdog is None else {**variables, "WATCHDOG_USEC": str(round(watchdog * 1e6))}

    def hear(self, seconds: float = LONG) -> str:
        """Return the next message; TimeoutError where there is none for so long."""
        self.socket.settimeout(seconds)
        return self.socket.recv(4096).decode()

    def heard(self) -> list[str]:
        """Return what has come up to now."""
        messages = []
        self.socket.setblocking(False)
        try:
            while True:
                messages.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return messages

    def hear_until(self, wanted: str) -> list[str]:
        """Return all messages up to this one."""
        messages = [self.hear()]
        while messages[-1] != wanted:
            messages.append(self.hear())
        return messages

    def hear_silence(self, seconds: float, but: tuple[str, ...] = ()) -> None:
        """Wait until nothing was heard for so long, other than these; fail where that does not come."""
        for _ in range(3):
            try:
                while self.hear(seconds) in but:
                    pass
            except TimeoutError:
                return
        pytest.fail("the watchdog is still fed")


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@edge-digits-{os.getpid()}-{tmp_path.name}"
    manager = Manager(address)
    yield manager
    manager.socket.close()


@contextmanager
def running(*arguments: object, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        list(map(str, arguments)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_ready_comes_once_then_two_beats_a_period(manager: Manager) -> None:
    clock = Clock()
    with Watchdog("web", "frames", environment=manager.environment(30), clock=clock) as watchdog:
        watchdog.beat("web")
        assert manager.heard() == []
        watchdog.beat("frames")
        assert manager.heard() == ["READY=1"]
        for clock.now in (100.0, 101.0, 114.9):
            watchdog.beat("web")
            watchdog.beat("frames")
            assert manager.heard() == []
        clock.now = 115.0
        watchdog.beat("web")
        assert manager.heard() == ["WATCHDOG=1"]
        clock.now = 200.0
        for _ in range(5):
            watchdog.beat("web")  # the camera hangs
        assert manager.heard() == []
        watchdog.rest("frames")
        watchdog.beat("web")
        assert manager.heard() == ["WATCHDOG=1"]
        watchdog.status("camera: no frame\nSTOPPING=1\0 for \udcff5 s")
        assert manager.heard() == ["STATUS=camera: no frame STOPPING=1\0 for ?5 s"]
    assert manager.heard() == ["STOPPING=1"]


@given(st.lists(st.tuples(st.sampled_from(["web", "frames"]), st.floats(0, 20)), max_size=60))
def test_every_part_must_have_worked_for_a_beat(beats: list[tuple[str, float]]) -> None:
    manager, clock = Manager(f"@edge-digits-property-{os.getpid()}"), Clock()
    with manager.socket:
        watchdog = Watchdog("web", "frames", environment=manager.environment(10), clock=clock)
        since, last = set[str](), None
        for part_, later in beats:
            clock.now += later
            since.add(part_)
            watchdog.beat(part_)
            due = since == {"web", "frames"} and (last is None or clock.now >= last + 5)
            assert manager.heard() == ([("READY=1" if last is None else "WATCHDOG=1")] if due else [])
            if due:
                since, last = set(), clock.now


@pytest.mark.parametrize(
    "given_", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "-5"}, {"WATCHDOG_USEC": "²"}, {"WATCHDOG_USEC": "soon"},
               {"WATCHDOG_USEC": "1", "WATCHDOG_PID": str(os.getpid() + 1)}]
)  # fmt: skip
def test_without_a_manager_nothing_is_sent(manager: Manager, given_: dict[str, str]) -> None:
    clock = Clock()
    watchdog = Watchdog("web", environment={"NOTIFY_SOCKET": manager.address, **given_}, clock=clock)
    for clock.now in range(100, 1000, 100):
        watchdog.beat("web")
    assert manager.heard() == ["READY=1"]
    assert len(watchdog.sinks("frames")) == 1


@pytest.mark.parametrize("address", ["", "@", "notify", "vsock:2:1234"])
def test_without_a_manager_nothing_is_said(address: str) -> None:
    with Watchdog("web", environment={"NOTIFY_SOCKET": address}) as watchdog:
        watchdog.beat("web")
        watchdog.status("all is well")
        assert watchdog.sinks("frames") == []


def test_an_absent_manager_hears_the_next_beat(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    watchdog = Watchdog("web", environment={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1"})
    watchdog.beat("web")
    manager = Manager(address)
    with manager.socket:
        watchdog.beat("web")
        assert manager.hear() == "READY=1"


def test_reading_a_live_source_feeds_the_watchdog(manager: Manager) -> None:
    with running(*COMMAND, "read", "synthetic", environment=manager.environment(0.5)) as process:
        assert manager.hear() == "READY=1"
        assert [manager.hear() for _ in range(3)] == ["WATCHDOG=1"] * 3
        process.send_signal(signal.SIGTERM)
        assert set(manager.hear_until("STOPPING=1")[:-1]) <= {"WATCHDOG=1"}
        assert process.wait(LONG) == 0


def test_a_stuck_source_stops_the_beats_until_frames(manager: Manager) -> None:
    on = threading.Event()
    on.set()

    def answer(request: Request) -> None:
        stream = request.begin_stream()
        while True:
            on.wait()
            stream.write(part(jpeg(200)))

    with camera(answer) as address:
        command = [*COMMAND, "read", f"{address}/stream.mjpg", "--stall", "0.5"]
        with running(*command, environment=manager.environment(0.4)) as process:
            assert [manager.hear() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
            on.clear()
            # Whether the reader or the connection has lost patience first, one of them says so.
            said = next(message for message in iter(manager.hear, "") if message != "WATCHDOG=1")
            lines = "no frame for 0.5 s", "it stopped sending frames; trying again"
            assert said in [f"STATUS={address}/stream.mjpg: {line}" for line in lines]
            manager.hear_silence(1.5)
            on.set()
            assert "WATCHDOG=1" in manager.hear_until(f"STATUS={address}/stream.mjpg: it sends frames again") or (
                manager.hear() == "WATCHDOG=1"
            )
            process.send_signal(signal.SIGTERM)
            manager.hear_until("STOPPING=1")


def test_only_an_idle_folder_beats(manager: Manager, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    environment = manager.environment(0.4, STATE_DIRECTORY=str(tmp_path / "state"))
    with running(*COMMAND, "read", inbox, "--watch", environment=environment):
        assert [manager.hear() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
        inbox.rename(tmp_path / "away")
        manager.hear_until(f"STATUS={inbox}: No such file or directory; waiting for it")
        manager.hear_silence(2.0)
        (tmp_path / "away").rename(inbox)
        assert manager.hear_until("WATCHDOG=1")[0] == f"STATUS={inbox}: available again"


def test_the_page_alone_is_ready_when_it_answers(manager: Manager) -> None:
    with running(*COMMAND, "serve", "--port", "0", environment=manager.environment(0.4)) as process:
        address = Served(process).address
        assert [manager.hear() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
        with urllib.request.urlopen(address, timeout=LONG) as page:
            assert page.status == 200
        process.send_signal(signal.SIGTERM)
        manager.hear_until("STOPPING=1")
        assert process.wait(LONG) == 0


def test_a_hanging_server_stops_beats_despite_frames(manager: Manager) -> None:
    command = [sys.executable, "-c", STUCK, "serve", "synthetic", "--port", "0"]
    with running(*command, environment=manager.environment(0.4)) as process:
        address = Served(process).address
        assert [manager.hear() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
        with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1].strip("/")))) as visitor:
            visitor.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            manager.hear_silence(1.5)


def test_results_are_served_after_the_sources_end(manager: Manager, samples: Path) -> None:
    command = [*COMMAND, "serve", samples / "digit.png", "--port", "0"]
    with running(*command, environment=manager.environment(0.4)):
        assert [manager.hear() for _ in range(4)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]


def test_a_missing_source_is_never_ready(manager: Manager) -> None:
    with running(*COMMAND, "serve", "/dev/video63", "--port", "0", environment=manager.environment(0.4)) as process:
        assert process.wait(LONG) == 3
    assert manager.heard() == ["STOPPING=1"]
