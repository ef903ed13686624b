"""The HTTP API as an OpenAPI 3.1 document: its only reference, given out by the server and shown at /api."""

from edge_runtime.web.operations import (
    BINARY,
    HTML,
    MESSAGE,
    TEXT,
    Json,
    in_json,
    number,
    ok,
    operation,
    page,
    refusals,
    schemas,
    switch,
)

JPEG = "image/jpeg"
TAGS = {
    "read": "Read a picture.",
    "live": "Follow the source that the server was started with.",
    "health": "For those who look after the server.",
    "pages": "For people.",
}
INTRODUCTION = """\
Reads handwritten digits: in pictures that are sent, and in the camera, stream or video that the server was started
with.

Boxes are `[x, y, width, height]` in whole pixels of the picture as a person sees it. Errors are problems
([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). `/stream.mjpg` and `/api/events` go on until they are closed or
the server stops; `frames` and `limit` end them sooner.

A server that others on the network can reach asks for a token: as `Authorization: Bearer`, or once as `?token=`, which
is answered with a cookie and a 303 to the same address without it. The `Host` must be an address or a name that the
server knows as its own, and a page of another site may not send pictures."""
EVENT = """\
id: 5f0c2a91-7
event: appeared
data: {"type": "event", "source": "camera:0", "frame": 412, "captured_at": "2026-03-01T12:30:05.123Z", \
"event": "appeared", "line_id": 3, "text": "407", "previous": null, \
"box": [120, 88, 301, 64], "confidence": 0.9712, "schema": 2}

"""
METRICS = """\
# HELP edge_digits_readings_total Frames of the source that were read, also those without a digit.
# TYPE edge_digits_readings_total counter
edge_digits_readings_total 1042.0
"""


def document(version: str) -> Json:
    """Return the document, ready for JSON; `version` is the program's."""
    description = "The server sets it in answer to `?token=`; over TLS its name is `__Host-edge-digits`."
    cookie = {"type": "apiKey", "in": "cookie", "name": "edge-digits", "description": description}
    got = {**_live(), **_health(), **_pages()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edge-digits",
            "version": version,
            "summary": "Handwritten digits, read on the edge",
            "description": INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"bearer": []}, {"cookie": []}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": {"/api/read": {"post": _read()}, **{path: {"get": asked} for path, asked in got.items()}},
        "components": {
            "schemas": schemas(),
            "responses": refusals(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}, "cookie": cookie},
        },
    }


def _read() -> Json:
    spec = operation(
        "read", "read", "Read a picture", in_json("Read", "What was read."), "403", "413",
        description="The body is the picture, of any format that the server's Pillow reads (JPEG, PNG, WebP, TIFF and "
        "others) and of any content type, or a form with one file. Two pictures are read at a time, and 16 wait.",
        parameters=(
            switch("crops", "1: with the 28x28 pixels that the network saw of each component.", 0),
            switch("explain", "1: with drawings of the result and of every stage, and with crops.", 0),
        ),
    )  # fmt: skip
    form = {"type": "object", "properties": {"picture": BINARY}, "required": ["picture"], "additionalProperties": False}
    kinds = {kind: {"schema": BINARY} for kind in (JPEG, "image/png", "application/octet-stream")}
    spec["requestBody"] = {"required": True, "content": {**kinds, "multipart/form-data": {"schema": form}}}
    return spec


def _live() -> Json:
    boxes = switch("boxes", "1: what was read is drawn over the picture.", 1)
    resume = {
        "name": "Last-Event-ID", "in": "header", "schema": TEXT,
        "description": "Goes on after this event, as browsers ask for by themselves when the line was cut.",
    }  # fmt: skip
    return {
        "/api/reading": operation(
            "live", "reading", "The newest frame's reading", in_json("Reading", "What was read in it."), "404",
            description="404: there is no source, or nothing has been read yet.",
        ),
        "/api/live": operation(
            "live", "live", "How the source is doing, and what was read last", in_json("Live", "As of now."),
            description="Answers as soon as a frame newer than `after` has been read, or once `wait` seconds have "
            "passed.",
            parameters=(
                number("after", "Number of the last frame that was seen.", 0, default=0),
                number("wait", "For how many seconds to wait for a newer one.", 0, 30, default=10),
            ),
        ),
        "/snapshot.jpg": operation(
            "live", "snapshot", "A frame as a picture", ok("The frame.", JPEG, BINARY), "404", "410",
            description="404: there is no frame yet, or not that one.",
            parameters=(boxes, number("number", "Which one, as `/api/live` counts them; 0: the newest.", 0, default=0)),
        ),
        "/stream.mjpg": operation(
            "live", "stream", "The frames, as Motion JPEG",
            ok("Parts that are JPEG pictures.", "multipart/x-mixed-replace", BINARY), "404",
            description="Goes on until the source ends; who is too slow for every frame misses some. 404: there is no "
            "source.",
            parameters=(boxes, number("frames", "Ends the stream after so many.", 1)),
        ),
        "/api/events": operation(
            "live", "events", "What becomes of lines of digits, as server-sent events",
            ok("`id`, `event` (as in Event) and `data` (an Event), and comments now and then, so that nobody takes the "
               "line for dead.", "text/event-stream", MESSAGE, EVENT),
            description="Endless. The last 1,000 events are kept for those who come back with `Last-Event-ID`.",
            parameters=(
                number("limit", "Ends the stream after so many.", 1),
                number("history", "Begins with so many that are over.", 0, 100, default=0),
                resume,
            ),
        ),
    }  # fmt: skip


def _health() -> Json:
    unready = {"503": in_json("Readiness", "It does not.")["200"]}
    return {
        "/api/model": operation(
            "read", "model", "The model, and what was measured of it", in_json("Model", "As its file says.")
        ),
        "/healthz": operation(
            "health", "healthz", "Whether the program runs", in_json("Alive", "It does."), open_to_all=True
        ),
        "/readyz": operation(
            "health", "readyz", "Whether it does what it is for", {**in_json("Readiness", "It does."), **unready},
            description="The model must be verified, and the source, where there is one, give frames.",
        ),
        "/metrics": operation(
            "health", "metrics", "Counts, times and temperatures",
            ok("The text format of Prometheus.", "text/plain", TEXT, METRICS),
        ),
        "/openapi.json": operation(
            "health", "openapi", "This document", ok("OpenAPI 3.1.", "application/json", {"type": "object"})
        ),
    }  # fmt: skip


def _pages() -> Json:
    name = {"name": "name", "in": "path", "required": True, "schema": TEXT}
    return {
        "/": page("index", "The page", HTML),
        "/api": page("reference", "This document, for reading", HTML),
        "/favicon.ico": page("favicon", "The icon", "image/svg+xml"),
        "/static/{name}": page(
            "file", "What the pages need", "text/javascript", "text/css", "image/svg+xml", problems=("404",),
            parameters=(name,),
        ),
    }  # fmt: skip


PATHS = frozenset({"/api/read", *_live(), *_health(), *_pages()})
