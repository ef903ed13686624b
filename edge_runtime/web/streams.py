"""The answers with live results: one frame, Motion JPEG, and events."""

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from edge_runtime.sinks.json_record import event_record
from edge_runtime.web import query
from edge_runtime.web.live import Live
from edge_runtime.web.problems import Problem

MOST = 32  # viewers of each endless answer
HEARTBEAT = 15.0  # seconds
BOUNDARY = "frame"
HISTORY = 100  # past events that a new client may request


class Viewers:
    """The number of viewers of an endless answer, and its maximum."""

    def __init__(self, most: int = MOST) -> None:
        self.most, self.count = most, 0


class Endless(StreamingResponse):
    """An answer that continues until its viewer leaves; a viewer beyond the maximum gets a 429."""

    def __init__(self, parts: AsyncIterator[bytes], viewers: Viewers, kind: str) -> None:
        super().__init__(parts, media_type=kind)
        self._viewers = viewers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; only its head for a HEAD request."""
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body"})
            return
        if self._viewers.count >= self._viewers.most:
            raise Problem(429, "Too many viewers", f"{self._viewers.most} are served at most", {"Retry-After": "5"})
        self._viewers.count += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._viewers.count -= 1


async def snapshot(live: Live, request: Request) -> Response:
    """Answer with a frame as JPEG, by default the newest. Raises Problem where there is none."""
    boxes, wanted = query.switch(request, "boxes", True), query.number(request, "number", 0)
    newest = live.newest
    if newest is None:
        raise Problem(404, "No frame", "nothing has been read yet" if live.source else "no source is read")
    picture = await (live.kept_picture(wanted, boxes) if wanted else live.picture(newest, boxes))
    if picture is None and wanted < newest.number:
        raise Problem(410, "No such frame", f"frame {wanted} is not kept any more; the newest is {newest.number}")
    if picture is None:
        raise Problem(404, "No such frame", f"frame {wanted} has not been read yet; the newest is {newest.number}")
    return Response(picture, media_type="image/jpeg")


def motion_jpeg(live: Live, viewers: Viewers, request: Request) -> Response:
    """Answer with frames as fast as this viewer receives them. Raises Problem where there is no source."""
    boxes, frames = query.switch(request, "boxes", True), query.number(request, "frames", 0, 1)
    if live.source is None:
        raise Problem(404, "No stream", "no source is read")
    return Endless(_parts(live, boxes, frames), viewers, f"multipart/x-mixed-replace; boundary={BOUNDARY}")


async def _parts(live: Live, boxes: bool, frames: int) -> AsyncIterator[bytes]:
    """Yield frames, each followed by the next boundary: browsers show a frame only after it."""
    yield f"--{BOUNDARY}\r\n".encode()
    number = sent = 0
    while not live.closing:
        seen = await live.newer(number, HEARTBEAT, or_end=True)
        if seen is None and live.state == "ended":
            return
        if seen is not None:
            picture = await live.picture(seen, boxes)
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            yield b"".join((head.encode(), picture, f"\r\n--{BOUNDARY}\r\n".encode()))
            number, sent = seen.number, sent + 1
            if sent == frames:
                return


def events(live: Live, viewers: Viewers, request: Request) -> Response:
    """Answer with events as they occur, after the client's Last-Event-ID if it sends one."""
    limit, history = query.number(request, "limit", 0, 1), query.number(request, "history", 0, 0, HISTORY)
    return Endless(_messages(live, _start(live, request, history), limit), viewers, "text/event-stream")


def _start(live: Live, request: Request, history: int) -> int:
    """Return the number of the last event that a client has received."""
    run, _, number = request.headers.get("last-event-id", "").partition("-")
    if run and run != live.run:
        return 0  # the id is from another run: all events are new
    if run and number.isascii() and number.isdecimal() and len(number) <= 16:
        return int(number)
    kept = live.events_after(0)
    return max(0, kept[-1].number - history) if kept else 0


async def _messages(live: Live, after: int, limit: int) -> AsyncIterator[bytes]:
    """Yield server-sent events, and a comment as heartbeat, so that no proxy drops the connection as dead."""
    yield b"retry: 2000\n\n"
    sent = 0
    while not live.closing:
        entries = await live.more_events(after, HEARTBEAT)
        if not entries:
            yield b": still here\n\n"
        for number, event in entries:
            record = json.dumps(event_record(event), ensure_ascii=False)
            yield f"id: {live.run}-{number}\nevent: {event.event}\ndata: {record}\n\n".encode()
            after, sent = number, sent + 1
            if sent == limit:
                return
