import json

import pytest

from edge_runtime.web.exchange import Exchange
from edge_runtime.web.problems import Problem

HEAD_BYTES = 16384
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    HEAD + b"Content-Length: 20000\r\n\r\n" + b"x" * 20_000,
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nthere\r\n0\r\n\r\n",
    HEAD + b"X: " + b"x" * 16_000 + b"\r\nContent-Length: 5\r\n\r\nhello",
]


def taken(exchange: Exchange, data: bytes, piece: int) -> bytes:
    """Return what is taken of the data where so many bytes come at a time."""
    part = waiting = b""
    for start in range(0, len(data), piece):
        waiting += data[start : start + piece]
        while waiting and not exchange.arrived:
            size = exchange.take(waiting)
            part, waiting = part + waiting[:size], waiting[size:]
    return part


@pytest.mark.parametrize("request_", REQUESTS, ids=["none", "length", "chunked", "long"])
@pytest.mark.parametrize("piece", [7, 1000, 4096, 100_000])
@pytest.mark.parametrize("following", [b"", b"GET", b"\r\n" * 5000])
def test_a_request_is_taken_to_its_end_and_no_further(request_: bytes, piece: int, following: bytes) -> None:
    exchange = Exchange(HEAD_BYTES)
    assert taken(exchange, request_ + following, piece) == request_
    assert exchange.request is not None
    assert exchange.arrived
    assert not exchange.arriving


def test_a_head_is_taken_by_itself() -> None:
    exchange = Exchange(HEAD_BYTES)
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    assert exchange.take(head + b"zz\r\n") == len(head)
    assert exchange.request is not None
    assert exchange.arriving
    with pytest.raises(Problem, match="400 Bad request"):
        exchange.take(b"zz\r\n")
    assert exchange.arriving


def test_a_head_may_be_too_long() -> None:
    with pytest.raises(Problem, match="431 Too long"):
        taken(Exchange(HEAD_BYTES), HEAD + b"X: " + b"x" * 30_000, 100_000)


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b""])
def test_what_is_refused_is_refused_once(method: bytes) -> None:
    exchange = Exchange(HEAD_BYTES)
    if method:
        taken(exchange, method + b" / HTTP/1.1\r\nHost: a\r\n\r\n", 100_000)
    head, _, body = exchange.refusal(Problem(500, "Failed", "it failed")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    if method == b"HEAD":
        assert body == b""
    else:
        assert json.loads(body)["title"] == "Failed"
    assert exchange.refusal(Problem(500, "Failed", "it failed")) == b""


def test_an_answer_that_has_begun_is_left_alone() -> None:
    exchange = Exchange(HEAD_BYTES)
    exchange.begun = True
    assert exchange.refusal(Problem(500, "Failed", "it failed")) == b""
