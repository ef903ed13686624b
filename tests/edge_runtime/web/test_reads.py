"""Pictures that visitors send, and what else they may send."""

import base64
import io
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from PIL import Image

from edge_runtime import DigitReader
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Frame
from edge_runtime.web import reads
from edge_runtime.web.crops import crops
from edge_runtime.web.reads import shown
from tests.edge_runtime.web.site import Site, site

SCHEMAS = Path(__file__).parents[3] / "edge_runtime" / "schemas"


@pytest.fixture(scope="module")
def served(reader: DigitReader) -> Iterator[Site]:
    with site(reader, None) as served:
        yield served


@pytest.fixture(scope="module")
def paper(samples: Path) -> bytes:
    return (samples / "paper.jpg").read_bytes()


def form(name: str, data: bytes, boundary: str = "xx") -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="picture"; filename="{name}"\r\n\r\n'
    return head.encode() + data + f"\r\n--{boundary}--\r\n".encode()


FORM = {"content-type": "multipart/form-data; boundary=xx"}


def test_a_picture_gives_its_record(served: Site, reader: DigitReader, paper: bytes, samples: Path) -> None:
    answer = served.ask("/api/read", paper)
    assert answer.status == 200
    Draft202012Validator(json.loads((SCHEMAS / "reading.schema.json").read_text())).validate(answer.json)
    picture = cv2.imread(str(samples / "paper.jpg"))
    assert picture is not None
    assert answer.json["text"] == list(reader.read(np.asarray(picture, np.uint8)).text)
    assert (answer.json["source"], answer.headers["cache-control"]) == ("upload", "no-store")


def test_a_form_with_a_file_is_as_good(served: Site, paper: bytes) -> None:
    answer = served.ask("/api/read", form("C:\\pages\\my page.jpg", paper), FORM)
    assert (answer.status, answer.json["source"]) == (200, "my page.jpg")
    assert answer.json["text"] == served.ask("/api/read", paper).json["text"]


def test_crops_and_stages_come_when_requested(served: Site, paper: bytes) -> None:
    plain = served.ask("/api/read", paper).json
    cropped = served.ask("/api/read?crops=1", paper).json
    explained = served.ask("/api/read?explain=1", paper).json
    assert set(cropped) - set(plain) == {"crops"}
    assert set(explained) - set(plain) == {"crops", "annotated", "stages"}
    assert len([crop for crop in cropped["crops"] if crop["reason"] is None]) == len(plain["digits"])
    for key, kind in (("annotated", "JPEG"), ("stages", "PNG")):
        data = base64.b64decode(explained[key].partition(",")[2])
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == kind


STYLE = PageStyle(size=(640, 320), touching=0.5, distractors=(("scribbles", 2), ("smudges", 1), ("dots", 4)))


@pytest.mark.parametrize("seed", range(4))
def test_crops_follow_the_readings_order(reader: DigitReader, digits: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    page = draw_page(digits[0][:12], digits[1][:12], np.random.default_rng(seed), STYLE)
    trace = reader.trace(Frame(page.pixels))
    reading, labels = trace.reading, reader.classifier.labels
    assert len(trace.reasons) > len(reading.digits) + len(reading.rejected) > len(reading.digits) > 0
    crop_records = crops(trace, labels)
    listed = [(digit.box, None) for digit in reading.digits] + [(each.box, each.reason) for each in reading.rejected]
    assert [(tuple(crop["box"]), crop["reason"]) for crop in crop_records] == listed
    rows = dict(zip(zip(trace.boxes, trace.reasons, strict=True), trace.chosen, strict=True))
    whole = {box: row for check in trace.checks if check
             for box, row in zip(check.whole.boxes, check.whole.confidences, strict=True)}  # fmt: skip
    for crop, what in zip(crop_records, listed, strict=True):
        confidences = trace.confidences[rows[what]] if what in rows else whole[what[0]]
        if what in rows:
            assert base64.b64decode(crop["image"]) == trace.images[rows[what]].tobytes()
        assert len(base64.b64decode(crop["image"])) == 28 * 28
        assert crop["confidences"][:10] == [round(value, 4) for value in confidences.tolist()]
        assert sum(crop["confidences"]) == pytest.approx(1, abs=1e-3)
    most = [labels[int(trace.confidences[rows[what]].argmax())] for what in listed[len(reading.digits) :]]
    assert [crop["label"] for crop in crop_records] == [digit.label for digit in reading.digits] + most


def test_a_very_long_picture_is_explained_too(served: Site) -> None:
    for size in ((70_000, 10), (10, 70_000)):
        long = io.BytesIO()
        Image.new("1", size).save(long, "PNG")
        assert served.ask("/api/read?explain=1", long.getvalue()).status == 200


def test_what_is_no_picture_is_refused(served: Site, paper: bytes) -> None:
    huge = io.BytesIO()
    Image.new("1", (10_000, 5_001)).save(huge, "PNG")
    for body, headers, status, words in (
        (b"", {}, 400, "no body"),
        (b"not a picture", {}, 400, "not a picture that Pillow can read"),
        (paper[:2000], {}, 400, "damaged or truncated"),
        (b"%!PS-Adobe", {}, 400, "PostScript"),
        (huge.getvalue(), {}, 413, "larger than 50 megapixels"),
        (form("x.jpg", paper)[:3000], FORM, 400, "form"),
        (form("x.jpg", paper), {"content-type": "multipart/form-data"}, 400, "form"),
        (form("x.jpg", paper, "yy"), FORM, 400, "form"),
        (form("x.jpg", b""), FORM, 400, "empty"),
        (b"--xx--\r\n", FORM, 400, "form"),
    ):
        answer = served.ask("/api/read", body, headers)
        assert answer.status == status, (body[:60], answer.body)
        assert words in answer.json["detail"], answer.json
    assert served.ask("/api/read?crops=yes", paper).status == 400
    assert served.ask("/api/read").status == 405


def test_a_form_is_left_at_its_second_file(served: Site, paper: bytes) -> None:
    one, end = form("x.jpg", paper), b"--xx--\r\n"
    many = one.removesuffix(end) + one.removesuffix(end) + b"--xx\r\n no header"
    beside = one.removesuffix(end) + b'--xx\r\nContent-Disposition: form-data; name="explain"\r\n\r\n1\r\n' + end
    for body in (many, one.replace(b"; filename", b"; other"), beside):
        answer = served.ask("/api/read", body, FORM)
        assert (answer.status, answer.json["detail"]) == (400, "the form must hold one file, and nothing else")


def test_a_slow_form_blocks_nobody_else(reader: DigitReader, paper: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, others = threading.Event(), threading.Event()
    parse = reads._file

    def parsed(kind: str, body: bytes) -> tuple[bytes, str]:
        begun.set()
        assert others.wait(10)
        return parse(kind, body)

    monkeypatch.setattr(reads, "_file", parsed)
    with site(reader, None) as served, ThreadPoolExecutor(1) as visitor:
        answer = visitor.submit(served.ask, "/api/read", form("x.jpg", paper), FORM)
        assert begun.wait(10)
        assert served.ask("/healthz").status == 200
        others.set()
        assert answer.result().status == 200
        assert served.messages == []


def test_an_oversized_body_is_refused_unread(served: Site) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as client:
        client.sendall(b"POST /api/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000001\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as client:
        client.sendall(b"POST /api/read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
        try:
            for _ in range(21):
                client.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_missing_body_ends_the_wait(reader: DigitReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "TIMEOUT", 0.1)
    with site(reader, None) as served, socket.create_connection(("127.0.0.1", served.port), timeout=30) as client:
        client.sendall(b"POST /api/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        assert client.recv(100).startswith(b"HTTP/1.1 408 ")


def test_too_many_at_once_must_retry(reader: DigitReader, paper: bytes) -> None:
    most = reads.AT_ONCE + reads.WAITING
    with site(reader, None) as served:
        head = f"POST /api/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(paper)}\r\n\r\n".encode()
        waiting = [socket.create_connection(("127.0.0.1", served.port), timeout=30) for _ in range(most)]
        for client in waiting:
            client.sendall(head + paper[:100])
        refused = served.ask("/api/read", paper)
        while refused.status == 200:  # the last of them is not there yet
            refused = served.ask("/api/read", paper)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        for client in waiting:
            client.sendall(paper[100:])
        assert [client.recv(15) for client in waiting] == [b"HTTP/1.1 200 OK"] * most
        for client in waiting:
            client.close()
        assert served.ask("/api/read", paper).status == 200


def test_many_visitors_get_the_same_answers(served: Site, paper: bytes) -> None:
    expected = served.ask("/api/read", paper).json["text"]
    texts: list[object] = []

    def visit() -> None:
        for _ in range(5):
            texts.append(served.ask("/api/read", paper).json["text"])

    threads = [threading.Thread(target=visit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [expected] * 30


@given(st.binary(max_size=300), st.sampled_from([None, "multipart/form-data; boundary=xx", "image/png", "x"]))
def test_any_bytes_get_an_answer_below_500(served: Site, body: bytes, kind: str | None) -> None:
    answer = served.ask("/api/read", body, {"content-type": kind} if kind else {})
    assert 200 <= answer.status < 500
    assert served.messages == []


@given(st.text())
def test_names_are_shown_without_what_could_mislead(name: str) -> None:
    text = shown(name)
    assert 0 < len(text) <= 100
    assert text.isprintable()
    assert "/" not in text
    assert "\\" not in text
