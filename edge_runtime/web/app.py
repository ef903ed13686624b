"""The web application: the routes and their handlers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import edge_runtime
from edge_runtime.reader import Reader
from edge_runtime.sinks.json_record import to_record
from edge_runtime.system import board
from edge_runtime.web import assets, openapi, problems, query, streams
from edge_runtime.web.crops import crops
from edge_runtime.web.guard import Guard, Rules
from edge_runtime.web.live import Live
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.problems import Problem
from edge_runtime.web.reads import Reads

LONGEST_POLL = 30  # seconds
HEARTBEAT_EVERY = 0.1  # seconds between two heartbeats of the event loop
BOARD_EVERY = 5.0  # seconds between two queries of the board

Answer = Callable[[Request], Awaitable[Response]]


def application(reader: Reader, live: Live, metrics: Metrics, rules: Rules, heartbeat: Callable[[], None]) -> ASGIApp:
    """Return the ASGI application that serves what a pipeline puts into `live` and `metrics`.

    While it serves, it calls `heartbeat` ten times a second in the event loop.
    """
    handlers = _Handlers(reader, live, metrics, heartbeat)
    answers: dict[str, Answer] = {
        "/healthz": handlers.alive, "/readyz": handlers.ready, "/metrics": handlers.metrics,
        "/openapi.json": handlers.description, "/api/model": handlers.model, "/api/reading": handlers.reading,
        "/api/live": handlers.newest, "/api/events": handlers.events, "/snapshot.jpg": handlers.snapshot,
        "/stream.mjpg": handlers.stream,
    }  # fmt: skip
    routes = [Route(path, answer) for path, answer in answers.items()]
    routes += [Route("/api/read", handlers.read, methods=["POST"]), *assets.routes()]
    app = Starlette(
        routes=routes,
        exception_handlers={Problem: _problem, HTTPException: _problem, Exception: _failure},
        lifespan=handlers.lifespan,
    )
    return Counted(Guard(app, rules), metrics)


class _Handlers:
    """The handlers of the application, a method for each path."""

    def __init__(self, reader: Reader, live: Live, metrics: Metrics, heartbeat: Callable[[], None]) -> None:
        self._reader, self._live, self._metrics, self._heartbeat = reader, live, metrics, heartbeat
        self._reads = Reads(reader)
        self._stream_viewers, self._event_viewers = streams.Viewers(), streams.Viewers()
        self._board = _Board()

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self._live.attach()
        beating = asyncio.create_task(_repeat(self._heartbeat))
        yield
        beating.cancel()
        self._reads.close()

    async def alive(self, request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(self, request: Request) -> Response:
        live, verified = self._live, self._reader.classifier.model.verified
        well = live.state in ("none", "reading")
        detail = live.status_line or {"waiting": "no frame yet", "ended": "the source has ended"}.get(
            live.state, "all is well"
        )
        if not verified:
            detail = "the model has no card"
        status = "ready" if well and verified else "not ready"
        body = {"status": status, "model": verified, "source": well, "detail": detail}
        return JSONResponse(body, 200 if status == "ready" else 503)

    async def metrics(self, request: Request) -> Response:
        body, kind = await asyncio.to_thread(self._metrics.text)  # this queries the board, which may be slow
        return Response(body, headers={"content-type": kind})

    async def read(self, request: Request) -> Response:
        try:
            response = await self._reads.answer(request)
        except Problem as problem:
            self._metrics.read("busy" if problem.status == 429 else "refused")
            raise
        self._metrics.read("read")
        return response

    async def reading(self, request: Request) -> Response:
        newest = self._live.newest
        if newest is None:
            detail = "nothing has been read yet" if self._live.source else "no source is read"
            raise Problem(404, "No reading", detail)
        return JSONResponse(to_record(newest.trace.reading))

    async def newest(self, request: Request) -> Response:
        live = self._live
        after = query.number(request, "after", 0)
        wait = query.number(request, "wait", 10, 0, LONGEST_POLL)
        seen = await live.newer(after, wait)
        if seen is not None:
            live.prepare(seen, False)  # the page requests it next
        newest = seen or live.newest
        taken = None if newest is None else newest.frame.taken
        return JSONResponse({
            "number": newest.number if newest else 0,
            "state": live.state,
            "source": live.source,
            "note": live.status_line,
            "fps": None if (fps := live.fps) is None else round(fps, 1),
            "dropped": live.dropped,
            "age_ms": None if taken is None else round(1000 * (monotonic() - taken), 1),
            "reading": to_record(seen.trace.reading) if seen else None,
            "crops": crops(seen.trace, self._reader.classifier.labels) if seen else [],
            "board": self._board(),
        })  # fmt: skip

    async def model(self, request: Request) -> Response:
        classifier, least = self._reader.classifier, self._reader.min_confidence
        model = classifier.model
        return JSONResponse({
            "name": model.path.name,
            "sha256": model.sha256,
            "bytes": model.size,
            "verified": model.verified,
            "labels": list(classifier.labels),
            "min_confidence": least,
            "card": model.card,
        })  # fmt: skip

    async def snapshot(self, request: Request) -> Response:
        return await streams.snapshot(self._live, request)

    async def stream(self, request: Request) -> Response:
        return streams.motion_jpeg(self._live, self._stream_viewers, request)

    async def events(self, request: Request) -> Response:
        return streams.events(self._live, self._event_viewers, request)

    async def description(self, request: Request) -> Response:
        return JSONResponse(openapi.document(edge_runtime.__version__))


async def _repeat(call: Callable[[], None]) -> None:
    while True:
        call()
        await asyncio.sleep(HEARTBEAT_EVERY)


async def _problem(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):  # from Starlette: unknown path or wrong method
        detail = "unknown path" if error.status_code == 404 else f"{request.method} is not supported here"
        error = Problem(error.status_code, str(error.detail), detail, error.headers)
    assert isinstance(error, Problem)
    return problems.response(error)


async def _failure(request: Request, error: Exception) -> Response:
    """Return a 500 answer; the server still receives the error and logs it."""
    return problems.response(Problem(500, "Failed", "the server failed at this"))


class Counted:
    """ASGI middleware that counts answers, refusals included."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.request(scope["path"], message["status"])
            await send(message)

        await self._app(scope, receive, counted if scope["type"] == "http" else send)


class _Board:
    """The board's state, queried at most every BOARD_EVERY seconds in a thread; no request waits for a slow query."""

    def __init__(self) -> None:
        self._when, self._known = float("-inf"), dict[str, Any](temperature=None, throttled=None)
        self._asking: asyncio.Task[None] | None = None

    def __call__(self) -> dict[str, Any]:
        if monotonic() - self._when >= BOARD_EVERY:
            self._when = monotonic()
            self._asking = asyncio.create_task(self._ask())
        return self._known

    async def _ask(self) -> None:
        self._known = await asyncio.to_thread(_board)


def _board() -> dict[str, Any]:
    throttled = board.throttled()
    return {"temperature": board.temperature(), "throttled": None if throttled is None else list(throttled)}
