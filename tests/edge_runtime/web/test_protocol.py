import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from edge_runtime.web.guard import HEADERS
from edge_runtime.web.protocol import Limits
from tests.edge_runtime.web.hosting import TIMEOUT, Hosted, answer, everything, hello, hosting, lifespan

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
BRIEF = Limits(head=0.4, body=0.4, keep_alive=1)
STALL = 0.5


@pytest.fixture(scope="module")
def hosted() -> Iterator[Hosted]:
    with hosting(hello) as served:
        yield served
    assert served.messages == []


@pytest.fixture(scope="module")
def brief() -> Iterator[Hosted]:
    with hosting(hello, limits=BRIEF) as served:
        yield served


def problem(taken: bytes) -> tuple[int, str]:
    """Return the status and title of what must be a whole problem, with every safe header."""
    head, _, body = taken.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)
    assert "date" in headers
    assert headers.items() >= HEADERS.items()
    record = json.loads(body)
    assert lines[0].startswith(f"HTTP/1.1 {record['status']} ")
    return record["status"], record["title"]


@contextmanager
def dripping(visitor: socket.socket, drop: bytes) -> Iterator[None]:
    """Send it again and again meanwhile."""
    over = threading.Event()

    def drip() -> None:
        try:
            while not over.wait(0.05):
                visitor.sendall(drop)
        except OSError:
            over.set()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("request_", [
    b"\r\n\r\n\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET /\n\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"G\x1b[31mT / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
    b"\x00" * 20_000,
    POST + b"Content-Length: -1\r\n\r\n",
    POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    POST + b"Transfer-Encoding: gzip\r\n\r\n",
    POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n",
], ids=repr)  # fmt: skip
def test_what_is_not_http_is_refused(hosted: Hosted, request_: bytes) -> None:
    assert hosted.ask(request_).startswith(b"HTTP/1.1 400 ")
    assert hosted.is_alive()


@pytest.mark.parametrize("request_", [
    b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 5_000_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 100_000 + b"\r\n",
    b"G" * 30_000,
], ids=range(4))  # fmt: skip
def test_a_long_head_is_refused_at_once(hosted: Hosted, request_: bytes) -> None:
    taken = hosted.ask(request_)
    if taken[9:12] == b"431":  # it arrived as a whole
        assert problem(taken) == (431, "Too long")
    else:
        assert taken[9:12] in (b"400", b"")  # who sends on does not see the answer
    assert hosted.is_alive()


def test_a_long_head_that_ends_gets_an_answer(hosted: Hosted) -> None:
    head = GET.replace(b"Host", b"X: " + b"a" * 17 * 1024 + b"\r\nHost")
    with hosted.visit() as visitor:
        visitor.sendall(head[:16_000])  # below uvicorn's own limit, whatever part of it arrives first
        assert problem(everything(visitor, head[16_000:])) == (431, "Too long")


def test_a_head_may_have_sixteen_kilobytes(hosted: Hosted) -> None:
    assert hosted.ask(LAST.replace(b"Host", b"X: " + b"a" * 16_000 + b"\r\nHost")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"5\r\nhello", b"5\r\nhelloX\r\n", b"-1\r\n\r\n", b"ffffffffffffffffffffffffff\r\n"]
)
def test_a_damaged_body_ends_the_connection(brief: Hosted, body: bytes) -> None:
    taken = brief.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert taken.split(b" ")[1] in (b"200", b"400")
    assert brief.is_alive()


@pytest.fixture
def reading() -> Iterator[tuple[Hosted, SimpleQueue[str]]]:
    """Return a server that reads every body, and what became of them."""
    became: SimpleQueue[str] = SimpleQueue()

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        became.put(message["type"])
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        await hello(scope, receive, send)

    with hosting(read, limits=BRIEF) as served:
        yield served, became
    assert served.messages == []


def test_a_damaged_body_is_an_error_while_reading(reading: tuple[Hosted, SimpleQueue[str]]) -> None:
    served, became = reading
    assert served.ask(POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n").startswith(b"HTTP/1.1 400 ")
    assert became.get(timeout=TIMEOUT) == "http.disconnect"


def test_a_departed_visitor_is_an_error_while_reading(reading: tuple[Hosted, SimpleQueue[str]]) -> None:
    served, became = reading
    with served.visit() as visitor:
        visitor.sendall(POST + b"Content-Length: 9\r\n\r\nhalf")
        visitor.shutdown(socket.SHUT_WR)
        assert everything(visitor) == b""
    assert became.get(timeout=TIMEOUT) == "http.disconnect"


@pytest.mark.parametrize("before", [b"", GET], ids=["first", "second"])
def test_a_head_that_drips_is_too_slow(brief: Hosted, before: bytes) -> None:
    with brief.visit() as visitor:
        if before:
            assert answer(visitor, before).status == 200
        visitor.sendall(b"GET / HTTP/1.1\r\n")
        with dripping(visitor, b"X: a\r\n"):
            assert problem(everything(visitor)) == (408, "Too slow")


def test_a_partial_second_request_gets_no_answer(brief: Hosted) -> None:
    taken = brief.ask(GET + GET[:20])
    assert taken.startswith(b"HTTP/1.1 200 ")
    assert taken.endswith(b"hello")


def test_who_says_nothing_is_left_without_a_word(brief: Hosted) -> None:
    assert brief.ask(b"") == b""


def test_a_connection_waits_for_the_next_request(brief: Hosted) -> None:
    with brief.visit() as visitor:
        assert answer(visitor, GET).status == 200
        assert answer(visitor, GET).status == 200
        assert everything(visitor) == b""


def test_requests_may_follow_each_other_at_once(hosted: Hosted) -> None:
    assert hosted.ask(GET * 20 + LAST).count(b"hello") == 21


@pytest.mark.parametrize("size", [1, 5000, 300_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_may_follow_a_body_at_once(
    hosted: Hosted, reading: tuple[Hosted, SimpleQueue[str]], size: int, chunked: bool
) -> None:
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size) if chunked else b"x" * size
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
    post = POST + framing + b"\r\n\r\n" + body
    for served in (hosted, reading[0]):
        assert served.ask(post + GET + post + LAST).count(b"hello") == 4


def test_garbage_behind_requests_is_refused_after_their_answers(hosted: Hosted) -> None:
    answers = hosted.ask(GET * 3 + b"X\r\n\r\n")
    assert answers.count(b"hello") == 3
    assert answers.rpartition(b"hello")[2].startswith(b"HTTP/1.1 400 ")


def test_pipelined_requests_are_read_within_a_limit() -> None:
    answered = threading.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        while not answered.is_set():
            await asyncio.sleep(0.01)
        await hello(scope, receive, send)

    with hosting(wait) as served, served.visit(timeout=0.5) as visitor:
        left = memoryview(GET * 1_000_000)
        with suppress(TimeoutError):
            while left:
                left = left[visitor.send(left) :]
        assert left
        answered.set()
        visitor.settimeout(TIMEOUT)
        assert answer(visitor).status == 200


def test_many_requests_take_longer_than_one_may(brief: Hosted) -> None:
    pause = threading.Event()
    with brief.visit() as visitor:
        for _ in range(8):
            visitor.sendall(GET[:20])
            pause.wait(0.1)
            assert answer(visitor, GET[20:]).status == 200


def test_an_early_answer_precedes_the_whole_body(hosted: Hosted) -> None:
    taken = hosted.ask(POST + b"Connection: close\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000)
    assert taken.startswith(b"HTTP/1.1 200 ")
    assert taken.endswith(b"hello")


def test_the_rest_of_a_body_times_out(brief: Hosted) -> None:
    with brief.visit() as visitor:
        assert answer(visitor, POST + b"Content-Length: 1000\r\n\r\n").status == 200
        with dripping(visitor, b"x"):
            assert everything(visitor) == b""
    assert brief.is_alive()


def test_nor_after_a_last_answer(brief: Hosted) -> None:
    with brief.visit() as visitor:
        visitor.sendall(POST + b"Connection: close\r\nContent-Length: 1000\r\n\r\n")
        with dripping(visitor, b"x"):
            assert everything(visitor).startswith(b"HTTP/1.1 200 ")
    assert brief.is_alive()


def test_one_connection_too_many_is_told_so() -> None:
    with hosting(hello, limits=Limits(connections=2, spare=1, head=1.0)) as served, ExitStack() as stack:
        visitors = [stack.enter_context(served.visit()) for _ in range(2)]
        for visitor in visitors:
            assert answer(visitor, GET).status == 200
        taken = served.ask(GET)
        assert problem(taken) == (429, "Too many connections")
        assert b"\r\nretry-after: " in taken
        assert problem(served.ask(POST + b"Content-Length: 900000\r\n\r\n" + b"x" * 900_000))[0] == 429
        silent = stack.enter_context(served.visit())  # takes the spare one, once the server has noticed that it is free
        while served.ask(GET) != b"":
            silent.close()
            silent = stack.enter_context(served.visit())
        assert everything(silent) == b""
        for visitor in visitors:
            assert answer(visitor, GET).status == 200
        visitors[0].close()
        while not served.is_alive():  # until the server has noticed
            pass


class Endless:
    """An application that sends until it is told that nobody listens any more."""

    def __init__(self, part: int, count: int = 10**9) -> None:
        self.part, self.count = b"x" * part, count
        self.ended = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        await receive()
        gone = asyncio.ensure_future(receive())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(self.count):
                await send({"type": "http.response.body", "body": self.part, "more_body": True})
                await asyncio.sleep(0)
                if gone.done():
                    break
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            self.ended.set()


@pytest.mark.parametrize(("part", "count"), [(1000, 10**9), (1_000_000, 10**9), (30_000_000, 1)])
def test_a_viewer_who_is_stuck_does_not_stay(part: int, count: int) -> None:
    app = Endless(part, count)
    with hosting(app, stall=STALL) as served, served.visit() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(GET)
        assert app.ended.wait(TIMEOUT)
        assert served.messages == []


def test_a_viewer_who_is_slow_stays() -> None:
    app, pause = Endless(30_000_000, 1), threading.Event()
    stall = 4 * STALL  # longer than a busy machine may keep this process waiting
    with hosting(app, stall=stall) as served, served.visit() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.sendall(GET)
        until = monotonic() + 1.5 * stall
        while monotonic() < until:
            assert slow.recv(65536)
            pause.wait(0.02)
        assert not app.ended.is_set()
    assert app.ended.wait(TIMEOUT)


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_failure_is_one_line_and_answered(when: str) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        if when != "before":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
            await send({"type": "http.response.body", "body": b"hello", "more_body": when == "within"})
        raise ValueError("bad\n\x1b[31m\u202e " + "long" * 1000)

    with hosting(fail) as served, served.visit() as visitor:
        visitor.sendall(b"GET /a%1b%0ab?token=secret HTTP/1.1\r\nHost: localhost\r\n\r\n")
        taken = everything(visitor) if when != "after" else answer(visitor).body  # type: ignore[attr-defined]
        if when == "before":
            assert taken.startswith(b"HTTP/1.1 500 ")
        else:
            assert taken.endswith(b"hello")
        assert served.ask(LAST)
    first = served.messages[0]
    assert first.startswith("error: GET /a\\x1b\\nb: ValueError: bad\\n\\x1b[31m\\u202e long")
    assert len(first) < 600
    assert "secret" not in "".join(served.messages)
    assert len(served.messages) == 2


PIECES = [
    b"GET ",
    b"POST ",
    b"/",
    b" HTTP/1.1",
    b"\r\n",
    b"\n",
    b"Host: a",
    b":",
    b"\0",
    b"Content-Length: 5",
    b"5",
    b"0",
    b"Transfer-Encoding: chunked",
    b"\xff",
    b" ",
    b"Expect: 100-continue",
    b"Connection: close",
]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=20).map(b"".join))
def test_no_bytes_bring_it_down(brief: Hosted, sent: bytes) -> None:
    with brief.visit() as visitor:
        visitor.sendall(sent)
        visitor.shutdown(socket.SHUT_WR)
        taken = everything(visitor)
    assert not taken.startswith(b"HTTP/1.1 5")
    assert brief.is_alive()
