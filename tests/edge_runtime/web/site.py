"""A real web server on loopback around a Live that tests feed by hand, and a client that asks it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple

import numpy as np

from edge_runtime.cli.terminal import logged
from edge_runtime.reader import Reader
from edge_runtime.records import Box, Event, Frame
from edge_runtime.web import server
from edge_runtime.web.guard import Rules
from edge_runtime.web.live import Live
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.serve import Endpoint, Service

OPEN = Rules(token=None, hosts=frozenset(), loopback=True, secure=False)


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Site(NamedTuple):
    """Where a server is, and what it shows."""

    port: int
    live: Live
    metrics: Metrics
    messages: list[str]

    @contextmanager
    def connect(self, path: str, headers: Mapping[str, str] | None = None) -> Iterator[HTTPResponse]:
        """Ask for an address, and meanwhile have the answer, of which the body is still to come."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path, headers=dict(headers or {}))
            with connection.getresponse() as response:
                yield response

    def ask(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str | None = None
    ) -> Answer:
        """Ask for an address and return the whole answer; a POST where there is a body."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method or ("GET" if body is None else "POST"), path, body, dict(headers or {}))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())


@contextmanager
def site(reader: Reader, source: str | None = "camera", rules: Rules = OPEN, **board: Any) -> Iterator[Site]:
    """Serve on loopback meanwhile; `board` holds further options of `Metrics`."""
    metrics = Metrics(reader, lambda: None if source is None else live.state == "reading", **board)
    live = Live(source)
    messages: list[str] = []
    listener = server.listen("127.0.0.1", 0)
    with (
        logged("edge_runtime.web", messages.append),
        Service(Endpoint(listener, rules, None, []), reader, live, metrics),
    ):
        yield Site(listener.getsockname()[1], live, metrics, messages)


def shot(index: int, value: int = 200) -> Frame:
    return Frame(np.full((48, 64), value, np.uint8), "camera", index, moving=True)


def event(text: str, number: int = 1) -> Event:
    return Event("appeared", number, text, None, Box(0, 0, 9, 9), 0.9, "camera", number, datetime.now(UTC))
