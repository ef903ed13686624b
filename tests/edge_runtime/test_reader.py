import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader, Reading
from edge_runtime.errors import OptionError
from edge_runtime.lines.written import TOP
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Frame, Uint8
from edge_runtime.sources.pictures import load
from edge_runtime.vision import rejection


@pytest.mark.parametrize("name", ["digit.png", "paper.jpg", "blackboard.jpg"])
def test_sample_pages_are_read_without_an_error(reader: DigitReader, samples: Path, name: str) -> None:
    lines = (samples / "truth.jsonl").read_text().splitlines()
    truth = {record["file"]: tuple(record["lines"]) for record in map(json.loads, lines)}
    assert reader.read(load(samples / name)).text == truth[name]


def test_a_reading_says_where_and_when(reader: DigitReader) -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    reading = reader.read(Frame(np.full((48, 64, 3), 200, np.uint8), "page.jpg", 7, moment))
    assert (reading.source, reading.frame, reading.captured_at) == ("page.jpg", 7, moment)
    assert (reading.width, reading.height) == (64, 48)
    assert reading.model == reader.classifier.model.id


def test_bare_pixels_are_a_frame_of_this_moment(reader: DigitReader) -> None:
    reading = reader.read(np.full((48, 64), 200, np.uint8))
    assert (reading.source, reading.frame) == ("", 0)
    assert abs(datetime.now(UTC) - reading.captured_at) < timedelta(minutes=1)


def test_digits_lie_where_they_were_drawn(reader: DigitReader, digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    style = PageStyle(grain=0, shade=0, blur=(0, 0), inks=((0, 0, 0),))
    page = draw_page(images[5::10], labels[5::10], np.random.default_rng(4), style)
    reading = reader.read(page.pixels)
    assert reading.text == page.text
    for digit, placed in zip(reading.digits, page.digits, strict=True):
        assert (digit.label, digit.line) == (placed.label, placed.line)
        # A box holds the faint rim of the ink, too.
        assert np.abs(np.subtract(digit.box, placed.box)).max() <= 4


def test_top_holds_the_three_likeliest_labels(reader: DigitReader, samples: Path) -> None:
    for digit in reader.read(load(samples / "paper.jpg")).digits:
        labels = [label for label, _ in digit.top]
        confidences = [confidence for _, confidence in digit.top]
        assert len(set(labels)) == 3
        assert confidences == sorted(confidences, reverse=True)
        assert digit.top[0] == (digit.label, digit.confidence)
        assert sum(confidences) <= 1 + 1e-9


@pytest.mark.parametrize("name", ["digit.png", "paper.jpg", "blackboard.jpg"])
def test_gray_reads_as_color_does(reader: DigitReader, samples: Path, name: str) -> None:
    color = load(samples / name).pixels
    gray = np.asarray(cv2.cvtColor(color, cv2.COLOR_BGR2GRAY), np.uint8)
    assert reader.read(gray).text == reader.read(color).text
    three = np.repeat(gray[:, :, None], 3, axis=2)
    assert reader.read(three).digits == reader.read(gray).digits


def test_dust_on_a_large_scan_is_nothing(reader: DigitReader) -> None:
    page = np.full((2400, 3200), 240, np.uint8)
    page[1000:1004, 1000:1004] = page[500:512, 2000:2012] = 0  # 2 and 6 pixels after the reduction
    reading = reader.read(page)
    assert (reading.digits, reading.rejected) == ((), ())


def read_with(min_confidence: float, frame: Frame) -> Reading:
    with DigitReader(min_confidence=min_confidence) as reader:
        return reader.read(frame)


def test_what_is_not_sure_enough_is_rejected(samples: Path) -> None:
    frame = load(samples / "paper.jpg")
    lenient, strict = read_with(0, frame), read_with(1, frame)
    assert strict.digits == ()
    assert {rejected.reason for rejected in strict.rejected} == {rejection.LOW_CONFIDENCE}
    assert all(rejected.confidence is not None and rejected.confidence < 1 for rejected in strict.rejected)
    boxes = [rejected.box for rejected in strict.rejected]
    for digit in lenient.digits:
        assert min(np.abs(np.subtract(digit.box, box)).max() for box in boxes) <= 6


def test_the_same_ink_is_rejected_once(samples: Path) -> None:
    frame = load(samples / "paper.jpg")
    assert len(read_with(1, frame).rejected) == len(read_with(0, frame).digits)


@pytest.mark.parametrize("name", ["digit.png", "paper.jpg", "blackboard.jpg"])
@pytest.mark.parametrize("least", [0.5, 0.9, 0.995])
def test_every_digit_is_sure_enough(samples: Path, name: str, least: float) -> None:
    assert all(digit.confidence >= least for digit in read_with(least, load(samples / name)).digits)


def test_the_least_confidence_comes_from_the_card(reader: DigitReader) -> None:
    card = reader.classifier.model.card
    assert card is not None
    assert reader.min_confidence == card["thresholds"]["min_confidence"]


@pytest.mark.parametrize("min_confidence", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_senseless_least_confidence_is_refused(min_confidence: float) -> None:
    with pytest.raises(OptionError, match="between 0 and 1"):
        DigitReader(min_confidence=min_confidence)


@pytest.mark.parametrize("min_line_confidence", [-0.01, 1.01, float("nan")])
def test_a_senseless_least_confidence_of_lines_is_refused(min_line_confidence: float) -> None:
    with pytest.raises(OptionError, match="between 0 and 1"):
        DigitReader(min_line_confidence=min_line_confidence)


def test_lines_hold_their_digits_and_text(reader: DigitReader, samples: Path) -> None:
    reading = reader.read(load(samples / "paper.jpg"))
    assert tuple(line.text for line in reading.lines) == reading.text == ("48793968101", "0430355509", "043")
    for number, line in enumerate(reading.lines):
        boxes = [digit.box for digit in reading.digits if digit.line == number]
        assert line.box.x == min(box.x for box in boxes)
        assert line.box.bottom == max(box.bottom for box in boxes)
        assert 0 < line.confidence < 1
        assert len(line.alternatives) == TOP
        for text, likely in line.alternatives:
            assert len(text) == len(line.text)
            assert sum(a != b for a, b in zip(text, line.text, strict=True)) == 1
            assert likely <= 1 - line.confidence


def test_unsure_lines_are_rejected_as_a_whole(samples: Path) -> None:
    frame = load(samples / "paper.jpg")
    with DigitReader() as reader:
        every = reader.read(frame)
    least = sorted(line.confidence for line in every.lines)[1]
    unsure = [line for line in every.lines if line.confidence < least]
    assert unsure
    with DigitReader(min_line_confidence=least) as strict:
        trace = strict.trace(frame)
    kept = [line for line in every.lines if line.confidence >= least]
    assert [line.text for line in trace.reading.lines] == [line.text for line in kept]
    assert trace.reading.text == tuple(line.text for line in kept)
    assert {digit.line for digit in trace.reading.digits} == set(range(len(kept)))
    dropped = [mark.box for mark in trace.reading.rejected if mark.reason == rejection.UNSURE_LINE]
    gone = {digit.box for digit in every.digits} - {digit.box for digit in trace.reading.digits}
    assert set(dropped) == gone
    assert len(dropped) == sum(len(line.text.replace(" ", "")) for line in unsure)
    assert trace.reasons.count(rejection.UNSURE_LINE) == len(dropped)


def least_alone(least: float | None, min_confidence: float | None = None) -> DigitReader:
    """Return a reader that takes every line to be hardly likely, by its weights."""
    reader = DigitReader(min_line_confidence=least, min_confidence=min_confidence, check="never")
    reader.line_weights = reader.line_weights._replace(bias=-30.0)
    return reader


def test_an_unlikely_lone_digit_is_rejected(samples: Path) -> None:
    alone, several = load(samples / "digit.png"), load(samples / "paper.jpg")
    with least_alone(None) as reader:
        trace = reader.trace(alone)
        assert trace.reading.text == ()
        assert [mark.reason for mark in trace.reading.rejected] == [rejection.UNSURE_LINE]
        assert len(reader.read(several).text) == 3


def test_an_unlikely_digit_stays_at_zero_thresholds(samples: Path) -> None:
    for least, min_confidence in ((0.0, None), (None, 0.0)):
        with least_alone(least, min_confidence) as reader:
            assert len(reader.read(load(samples / "digit.png")).digits) >= 1


def test_long_rules_and_specks_are_nothing(reader: DigitReader, digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    style = PageStyle(grain=0, shade=0, blur=(0, 0))
    page = draw_page(images[:3], labels[:3], np.random.default_rng(1), style)
    page.pixels[300:303, 50:600] = 0  # no region with ink: no digit is so wide
    page.pixels[400:404, 100:104] = 0
    reading = reader.read(page.pixels)
    assert reading.text == page.text
    assert reading.rejected == ()


def test_a_dot_is_rejected_beside_digits(reader: DigitReader, digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    style = PageStyle(grain=0, shade=0, blur=(0, 0), digit_height=(40, 40))
    page = draw_page(images[:3], labels[:3], np.random.default_rng(1), style)
    cv2.circle(page.pixels, (104, 404), 4, (0, 0, 0), cv2.FILLED)
    reading = reader.read(page.pixels)
    assert reading.text == page.text
    (rejected,) = reading.rejected
    assert rejected.reason == rejection.TOO_SMALL
    assert np.abs(np.subtract(rejected.box, (100, 400, 9, 9))).max() <= 2


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((10, 10), np.float32),
        np.zeros((10, 10), np.uint16),
        np.zeros((10, 10), bool),
        np.zeros(10, np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 1), np.uint8),
        np.zeros((1, 10, 10, 3), np.uint8),
        np.zeros((0, 10), np.uint8),
        np.zeros((10, 0, 3), np.uint8),
    ],
    ids=lambda pixels: f"{pixels.dtype}{pixels.shape}",
)
def test_pixels_of_another_type_or_shape_are_refused(reader: DigitReader, pixels: Uint8) -> None:
    with pytest.raises(ValueError, match=r"a frame must be uint8 \(H, W\) or \(H, W, 3\), not"):
        reader.read(pixels)


def test_timings_are_those_of_the_stages(reader: DigitReader, samples: Path) -> None:
    ms = reader.read(load(samples / "paper.jpg")).ms
    parts = [ms.ink, ms.locate, ms.normalize, ms.classify]
    assert min(parts) > 0
    assert sum(parts) <= ms.total + 1e-6
    assert ms.total < 10_000


def test_the_same_frame_gives_the_same_reading(reader: DigitReader, samples: Path) -> None:
    frame = load(samples / "paper.jpg")
    before = frame.pixels.copy()
    first, second = reader.read(frame), reader.read(frame)
    assert (first.digits, first.rejected) == (second.digits, second.rejected)
    assert np.array_equal(frame.pixels, before)


def test_rows_need_not_be_contiguous(reader: DigitReader, samples: Path) -> None:
    pixels = load(samples / "blackboard.jpg").pixels
    part = pixels[::-1, ::-1][::-1, ::-1][:, 10:-10]
    assert not part.flags.c_contiguous
    assert reader.read(part).digits == reader.read(part.copy()).digits


def test_several_threads_may_share_a_reader(reader: DigitReader, samples: Path) -> None:
    frames = [load(samples / name) for name in ("paper.jpg", "blackboard.jpg", "digit.png")]
    expected = [reader.read(frame).text for frame in frames]
    texts: list[list[tuple[str, ...]]] = []
    threads = [
        threading.Thread(target=lambda: texts.append([reader.read(frame).text for frame in frames])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [expected] * 4


def test_a_closed_reader_says_so() -> None:
    reader = DigitReader()
    reader.close()
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.read(np.zeros((48, 64), np.uint8))
