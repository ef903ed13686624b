"""What each address answers, asked over a real connection."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from edge_runtime import DigitReader
from edge_runtime.records import Frame, Uint8
from edge_runtime.web.live import FRAMES
from tests.edge_runtime.web.site import Site, event, shot, site

SCHEMAS = Path(__file__).parents[3] / "edge_runtime" / "schemas"


@pytest.fixture(scope="module")
def empty(reader: DigitReader) -> Iterator[Site]:
    """Return a server without a source."""
    with site(reader, None) as served:
        yield served


@pytest.fixture
def served(reader: DigitReader) -> Iterator[Site]:
    with site(reader) as served:
        yield served


@pytest.fixture(scope="module")
def page(samples: Path) -> Uint8:
    picture = cv2.imread(str(samples / "paper.jpg"))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def put(served: Site, reader: DigitReader, frame: Frame) -> None:
    served.live.frame(frame, reader.trace(frame))
    served.metrics.frame(frame, reader.trace(frame))


def decoded(body: bytes) -> Uint8:
    picture = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_without_a_source_the_rest_is_there(empty: Site) -> None:
    assert empty.ask("/healthz").json == {"status": "alive"}
    assert (empty.ask("/readyz").status, empty.ask("/readyz").json["status"]) == (200, "ready")
    for path in ("/api/reading", "/snapshot.jpg", "/stream.mjpg"):
        answer = empty.ask(path)
        assert (answer.status, answer.json["detail"]) == (404, "no source is read")
        assert answer.headers["content-type"] == "application/problem+json"
    live = empty.ask("/api/live?wait=0").json
    assert (live["state"], live["number"], live["reading"], live["source"]) == ("none", 0, None, None)


def test_the_model_says_what_it_is(empty: Site, reader: DigitReader) -> None:
    model = reader.classifier.model
    description = empty.ask("/api/model").json
    assert description["sha256"] == model.sha256
    assert description["bytes"] == model.path.stat().st_size
    assert description["labels"] == [*"0123456789", "not a digit"]
    assert description["card"]["measured"]["reliability"]["bins"]
    assert (description["verified"], description["min_confidence"]) == (True, 0.5)


def test_the_pages_and_their_files(empty: Site) -> None:
    page = empty.ask("/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert empty.ask("/static/style.css").headers["content-type"].startswith("text/css")
    again = empty.ask("/", headers={"if-none-match": page.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    for path in ("/static/", "/static/../app.py", "/static/%2e%2e/app.py", "/static/index.html/x", "/etc/passwd", "//"):
        assert empty.ask(path).status in (400, 404), path
    assert empty.ask("/static").status == 404


def test_every_answer_has_the_security_headers(empty: Site) -> None:
    for path in ("/", "/healthz", "/nope", "/static/style.css", "/api/model"):
        headers = empty.ask(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_what_is_not_there_is_a_problem(empty: Site) -> None:
    assert empty.ask("/nope").json == {
        "type": "about:blank", "title": "Not Found", "status": 404, "detail": "unknown path",
    }  # fmt: skip
    wrong = empty.ask("/api/model", method="DELETE")
    assert (wrong.status, "GET" in wrong.headers["allow"]) == (405, True)


@pytest.mark.parametrize(
    "path",
    ["/api/live?after=x", "/api/live?wait=31", "/api/live?after=-1", "/snapshot.jpg?boxes=2",
     "/snapshot.jpg?number=1.5", "/api/events?limit=0", "/api/events?history=101", "/stream.mjpg?frames=0",
     "/stream.mjpg?frames=99999999999999999", "/api/live?after=%D9%A3", "/stream.mjpg?frames=x&frames=1",
     "/snapshot.jpg?boxes=1&boxes=1"],
)  # fmt: skip
def test_a_senseless_query_gets_a_helpful_problem(empty: Site, path: str) -> None:
    answer = empty.ask(path)
    assert answer.status == 400
    assert "must be" in answer.json["detail"]


def test_the_newest_reading_and_frame(served: Site, reader: DigitReader, page: Uint8) -> None:
    assert served.ask("/readyz").status == 503
    put(served, reader, Frame(page, "camera", 4, moving=True, dropped=1))
    reading = served.ask("/api/reading").json
    Draft202012Validator(json.loads((SCHEMAS / "reading.schema.json").read_text())).validate(reading)
    assert (reading["frame"], reading["text"]) == (4, list(reader.read(page).text))
    assert served.ask("/readyz").json == {"status": "ready", "model": True, "source": True, "detail": "all is well"}
    plain, drawn = decoded(served.ask("/snapshot.jpg?boxes=0").body), decoded(served.ask("/snapshot.jpg").body)
    assert plain.shape == drawn.shape == page.shape
    assert np.abs(plain.astype(int) - page).mean() < 4
    assert np.abs(plain.astype(int) - drawn).max() > 100


def test_the_page_follows_frame_by_frame(served: Site, reader: DigitReader, page: Uint8) -> None:
    frame = Frame(page, "camera", 0, moving=True, dropped=2)
    put(served, reader, frame)
    live = served.ask("/api/live?after=0").json
    assert (live["number"], live["state"], live["dropped"], live["note"]) == (1, "reading", 2, None)
    reading = live["reading"]
    read = [crop for crop in live["crops"] if crop["reason"] is None]
    assert [crop["label"] for crop in read] == [digit["label"] for digit in reading["digits"]]
    assert [crop["box"] for crop in read] == [digit["box"] for digit in reading["digits"]]
    rejected = [rejection for rejection in reading["rejected"] if rejection["confidence"] is not None]
    assert [crop["box"] for crop in live["crops"][len(read) :]] == [rejection["box"] for rejection in rejected]
    for crop, digit in zip(read, reading["digits"], strict=True):
        assert len(crop["confidences"]) == 11
        assert sum(crop["confidences"]) == pytest.approx(1, abs=0.001)
        # A digit's confidence is the mean of all planes that show it.
        assert crop["confidences"][int(digit["label"])] == pytest.approx(digit["confidence"], abs=0.05)
        assert len(base64.b64decode(crop["image"])) == 784
    none = served.ask("/api/live?after=1&wait=0").json
    assert (none["number"], none["reading"], none["crops"]) == (1, None, [])


def test_a_frame_by_its_number(served: Site, reader: DigitReader) -> None:
    for index in range(FRAMES + 1):
        put(served, reader, shot(index, 20 * index))
    assert decoded(served.ask("/snapshot.jpg?number=5&boxes=0").body).mean() == pytest.approx(80, abs=2)
    assert served.ask("/snapshot.jpg?number=1").status == 410
    assert served.ask("/snapshot.jpg?number=1000").status == 404


def test_motion_jpeg_is_readable_by_others(served: Site, reader: DigitReader) -> None:
    put(served, reader, shot(0, 50))
    with served.connect("/stream.mjpg?boxes=0&frames=2") as response:
        assert response.getheader("content-type") == "multipart/x-mixed-replace; boundary=frame"
        assert response.readline() == b"--frame\r\n"
        for value in (50, 100):
            assert response.readline() == b"Content-Type: image/jpeg\r\n"
            length = int(response.readline().split(b":")[1])
            response.readline()
            assert decoded(response.read(length)).mean() == pytest.approx(value, abs=2)
            assert (response.readline(), response.readline()) == (b"\r\n", b"--frame\r\n")
            put(served, reader, shot(1, 100))
        assert response.read() == b""


def test_a_stream_ends_with_its_source(served: Site, reader: DigitReader) -> None:
    put(served, reader, shot(0))
    served.live.close()
    assert served.ask("/stream.mjpg").body.count(b"image/jpeg") == 1
    assert served.ask("/readyz").json["detail"] == "the source has ended"


def test_events_come_as_they_happen_and_resume(served: Site) -> None:
    served.live.event(event("12", 1))
    with served.connect("/api/events?limit=1") as response:
        assert response.getheader("content-type", "").startswith("text/event-stream")
        assert response.readline() == b"retry: 2000\n"
        served.live.event(event("34", 2))
        lines = response.read().decode().splitlines()
    run = served.live.run
    assert lines[1:3] == [f"id: {run}-2", "event: appeared"]
    record = json.loads(lines[3].removeprefix("data: "))
    Draft202012Validator(json.loads((SCHEMAS / "event.schema.json").read_text())).validate(record)
    assert record["text"] == "34"
    missed = served.ask("/api/events?limit=1", headers={"last-event-id": f"{run}-1"}).body
    assert b'"34"' in missed
    before = served.ask("/api/events?limit=2", headers={"last-event-id": "another-7"}).body
    assert before.count(b"event: ") == 2
    history = served.ask("/api/events?limit=2&history=2").body
    assert [line for line in history.split(b"\n") if line.startswith(b"id")] == [
        f"id: {run}-1".encode(), f"id: {run}-2".encode()
    ]  # fmt: skip
    with served.connect("/api/events?limit=1", headers={"last-event-id": f"{run}-x"}) as nonsense:
        served.live.event(event("56", 3))
        assert b'"56"' in nonsense.read()


@pytest.mark.parametrize("path", ["/stream.mjpg", "/api/events"])
def test_endless_answers_have_a_head(served: Site, path: str) -> None:
    with closing(HTTPConnection("127.0.0.1", served.port, timeout=10)) as connection:
        for method, asked in (("HEAD", path), ("GET", "/healthz")):  # the second one waits for the end of the first
            connection.request(method, asked)
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, b"" if method == "HEAD" else b'{"status":"alive"}')


def test_one_viewer_too_many_is_told_so(served: Site) -> None:
    with ExitStack() as viewers:
        for _ in range(32):
            viewers.enter_context(served.connect("/api/events"))
        refused = served.ask("/api/events")
        assert (refused.status, refused.headers["retry-after"]) == (429, "5")


def test_metrics_count_what_was_read_and_answered(served: Site, reader: DigitReader, page: Uint8) -> None:
    put(served, reader, Frame(page, "camera", 0, moving=True))
    served.ask("/nope")
    answer = served.ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.body.decode()
    assert "edge_digits_frames_total 1.0" in text
    assert 'edge_digits_http_requests_total{path="other",status="404"} 1.0' in text
    assert "edge_digits_source_up 1.0" in text
