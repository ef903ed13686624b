import ast
import asyncio
import gc
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest
from starlette.types import Receive, Scope, Send

import edge_runtime
from edge_runtime import web
from edge_runtime.errors import OptionError
from edge_runtime.web import server
from edge_runtime.web.protocol import Connection, Limits
from edge_runtime.web.server import LIMITS
from tests.edge_runtime.web.hosting import TIMEOUT, answer, everything, hello, hosting, lifespan
from tests.log import Log

ROOT = Path(edge_runtime.__file__).parents[1]
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("localhost", socket.AF_INET),
                                              ("::1", socket.AF_INET6), ("0.0.0.0", socket.AF_INET)])  # fmt: skip
def test_a_free_port_is_found(host: str, family: socket.AddressFamily) -> None:
    with server.listen(host, 0) as listener:
        assert listener.family == family
        assert listener.getsockname()[1] > 0
        with socket.create_connection(listener.getsockname()[:2], timeout=TIMEOUT):
            pass


def test_every_address_means_those_of_ipv4_as_well() -> None:
    with server.listen("::", 0) as listener:
        address = "127.0.0.1", listener.getsockname()[1]
        with socket.create_connection(address, timeout=TIMEOUT) as visitor:
            assert visitor.getpeername() == address


def test_a_port_is_free_again_at_once() -> None:
    with hosting(hello) as served, served.visit() as visitor:
        assert answer(visitor, GET).status == 200
        served.stop()
        assert served.done.wait(TIMEOUT)
        server.listen("127.0.0.1", served.port).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_in_use_suggests_another(host: str) -> None:
    with server.listen(host, 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OptionError, match=f"^port {port} of {host} is in use: choose another one with --port$"):
            server.listen(host, port)


@pytest.mark.parametrize(("host", "port", "message"), [
    ("203.0.113.9", 8000, "^this machine does not have the address 203.0.113.9: choose another one with --host$"),
    ("no.such.host.invalid", 0, "'no.such.host.invalid' is not an address to listen on: choose another one with"),
    ("a..b", 0, "is not an address"), ("a\0b", 0, "is not an address"), ("x" * 300, 0, "is not an address"),
    ("127.0.0.1", 99999, "99999"), ("127.0.0.1", -1, "-1"),
])  # fmt: skip
def test_where_nobody_can_listen_it_says_so(host: str, port: int, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        server.listen(host, port)


def test_what_is_being_answered_is_answered() -> None:
    begun, stopped = threading.Event(), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        begun.set()
        await asyncio.to_thread(stopped.wait, TIMEOUT)
        await hello(scope, receive, send)

    with hosting(slow) as served, closing(http.client.HTTPConnection("127.0.0.1", served.port)) as visitor:
        visitor.request("GET", "/")
        assert begun.wait(TIMEOUT)
        served.stop()
        served.stop()
        stopped.set()
        assert visitor.getresponse().read() == b"hello"
        assert served.done.wait(TIMEOUT)
        with pytest.raises(ConnectionRefusedError):
            served.visit()


def test_a_server_stopped_early_ends_at_once() -> None:
    listener, stopped = server.listen("127.0.0.1", 0), server.Server(hello)
    stopped.stop()
    stopped.run(listener)
    assert listener.fileno() == -1


def test_a_signal_while_it_starts_ends_it() -> None:
    became: list[str] = []

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        signal.raise_signal(signal.SIGTERM)
        await lifespan(receive, send)

    before = signal.signal(signal.SIGTERM, lambda number, stack: became.append("signal"))
    try:
        server.Server(early).run(server.listen("127.0.0.1", 0))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert became == ["signal"]


def test_no_module_within_uvicorn_is_imported() -> None:
    for path in Path(web.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                assert not (module or "").startswith("uvicorn."), path


def test_a_connection_passes_every_call_on() -> None:
    calls: list[str] = []
    names = {name for name in dir(asyncio.Protocol) if not name.startswith("_")}
    methods = {name: lambda *_, name=name: calls.append(name) for name in names}
    inner = type("Inner", (asyncio.Protocol,), methods)()

    async def call_all() -> None:
        reading, writing = socket.socketpair()
        with writing:
            made = Connection(inner, LIMITS, {})
            await asyncio.get_running_loop().connect_accepted_socket(lambda: made, reading)
            made.pause_writing()
            made.resume_writing()
            writing.sendall(b"X")
            writing.shutdown(socket.SHUT_WR)
            while "connection_lost" not in calls:
                await asyncio.sleep(0)

    asyncio.run(call_all())
    assert set(calls) == names


def test_stuck_visitors_do_not_hold_up_the_end() -> None:
    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            await asyncio.sleep(0)

    with hosting(stuck, limits=Limits(drain=1)) as served:
        visitors = [served.visit() for _ in range(4)]
        for visitor in visitors[:2]:
            visitor.sendall(GET)
        visitors[2].sendall(b"GET")
        visitors[3].sendall(b"X\r\n\r\n")  # is refused, and does not leave
        assert visitors[3].recv(1)
        before = monotonic()
        served.stop()
        assert served.done.wait(TIMEOUT)
        assert monotonic() - before < 3
        for visitor in visitors:
            everything(visitor)
            visitor.close()
    assert not [line for line in served.messages if "Cancel" not in line]


def test_an_application_that_does_not_start_is_logged(messages: Log) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("a\nb")

    with suppress(SystemExit):
        server.Server(broken).run(server.listen("127.0.0.1", 0))
    assert messages
    assert all(line.isprintable() for line in messages)


def test_loggers_are_left_as_they_were() -> None:
    loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
    before = [(logger.propagate, list(logger.handlers)) for logger in loggers]
    with hosting(hello):
        pass
    assert [(logger.propagate, list(logger.handlers)) for logger in loggers] == before


def test_files_that_are_no_certificate_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "certificate.pem"
    for text in (None, "", "-----BEGIN CERTIFICATE-----\n"):
        if text is not None:
            path.write_text(text)
        with pytest.raises(OptionError, match="cannot be used for TLS"):
            server.Server(hello, certificate=(path, path))


PROGRAM = """
import asyncio, signal, sys
from edge_runtime.web import server
from tests.edge_runtime.web.hosting import hello, lifespan

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        print("started", flush=True)
        await lifespan(receive, send)
    elif scope["path"] == "/deaf":
        print("deaf", flush=True)
        await asyncio.Event().wait()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 100000, "more_body": True})
            await asyncio.sleep(0)

def main():
    listener = server.listen("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    signal.signal(signal.SIGTERM, lambda number, stack: sys.exit(0))
    server.Server(app).run(listener)
    print("never")

try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
"""


@contextmanager
def program() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run it, and yield it with its port."""
    command = [sys.executable, "-W", "error", "-W", "ignore:Please use:PendingDeprecationWarning", "-c", PROGRAM]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=environment, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            assert process.stdout.readline() == "started\n"
            yield process, port
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_within_five_seconds(number: signal.Signals, code: int) -> None:
    with program() as (process, port):
        visitors = [socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) for _ in range(4)]
        visitors[0].sendall(GET)
        assert visitors[0].recv(1)
        visitors[1].sendall(b"GET /de")
        visitors[2].sendall(GET.replace(b"/ ", b"/deaf "))
        assert process.stdout is not None
        assert process.stdout.readline() == "deaf\n"
        before = monotonic()
        process.send_signal(number)
        assert process.wait(TIMEOUT) == code
        assert monotonic() - before < 5
        for visitor in visitors:
            visitor.close()
        out, errors = process.communicate()
        assert out == ""
        assert errors.count("\n") <= 1
        assert "Traceback" not in errors


def test_a_stop_during_the_start_closes_connections() -> None:
    async def stopping(scope: Scope, receive: Receive, send: Send) -> None:
        served.stop()
        await lifespan(receive, send)

    served = server.Server(stopping)
    listener = server.listen("127.0.0.1", 0)
    with socket.create_connection(listener.getsockname(), timeout=TIMEOUT) as visitor:
        served.run(listener)
        with suppress(ConnectionResetError):
            assert visitor.recv(1) == b""
    gc.collect()  # warns of what is still open


def test_a_signal_ends_an_idle_server_at_once() -> None:
    with program() as (process, port), socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT):
        before = monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0
        assert monotonic() - before < 1.5
        assert process.communicate() == ("", "")
