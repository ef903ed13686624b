"""What holds for whatever is read: any array, every stage of it, and every mark in it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edge_runtime import DigitReader, Reading, reject
from edge_runtime.pages import draw_page
from edge_runtime.reader import LONG_SIDE, TOP, Trace
from edge_runtime.records import Frame, Rejection, Uint8
from edge_runtime.sources.pictures import load

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=48)


def sound(reading: Reading, shape: tuple[int, ...]) -> None:
    """Fail unless a reading is one of a frame of this shape."""
    assert (reading.height, reading.width) == shape[:2]
    boxes = [digit.box for digit in reading.digits] + [rejection.box for rejection in reading.rejected]
    for x, y, width, height in boxes:
        assert 0 <= x < x + width <= reading.width
        assert 0 <= y < y + height <= reading.height
    assert [len(line.replace(" ", "")) for line in reading.text] == [
        sum(digit.line == number for digit in reading.digits) for number in range(len(reading.text))
    ]
    assert "".join(reading.text).replace(" ", "") == "".join(digit.label for digit in reading.digits)
    assert {rejection.reason for rejection in reading.rejected} <= set(reject.REASONS)
    never_asked = {rejection.reason for rejection in reading.rejected if rejection.confidence is None}
    assert not never_asked & {reject.LOW_CONFIDENCE, reject.PART_OF_WORD, reject.NOT_A_DIGIT}


def explained(trace: Trace) -> None:
    """Fail unless every candidate that was kept is a digit or rejected, and every mark that is part of none, too."""
    located, reading = trace.located, trace.reading
    digits = {(digit.box, digit.confidence) for digit in reading.digits}
    used: set[int] = set()
    for i, reason in zip(trace.chosen, trace.reasons, strict=True):
        candidate, confidence = located.candidates[i], float(trace.confidences[i].max())
        assert not used & candidate.marks
        used |= candidate.marks
        if reason is None:
            assert (candidate.box, confidence) in digits
        else:
            assert Rejection(candidate.box, reason, confidence) in reading.rejected
    assert len(reading.digits) == trace.reasons.count(None)
    for number in set(range(len(located.marks))) - used:
        box = located.marks[number]
        assert {(r.box, r.reason) for r in reading.rejected} & {(box, reject.TOO_SMALL), (box, reject.CLUTTER)}
    assert set(located.rejections) <= set(reading.rejected)


def whole(trace: Trace) -> None:
    """Fail unless the fields of a trace fit each other."""
    count = len(trace.located.candidates)
    assert trace.ink.shape == trace.pixels.shape[:2]
    assert trace.ink.dtype == trace.images.dtype == np.uint8
    assert max(trace.ink.shape) <= LONG_SIDE
    assert trace.images.shape == (count, 28, 28)
    assert trace.confidences.shape == (count, 10)
    assert trace.confidences.min(initial=0) >= 0
    assert trace.confidences.sum(axis=1).max(initial=0) < 1 + 1e-6  # what is missing is that it is no digit
    assert list(trace.chosen) == sorted(set(trace.chosen))
    assert set(trace.chosen) <= set(range(count))
    assert len(trace.reasons) == len(trace.chosen)
    assert all(len(digit.top) == TOP for digit in trace.reading.digits)


def check(reader: DigitReader, pixels: Uint8) -> None:
    before = pixels.copy()
    trace = reader.trace(pixels)
    assert np.array_equal(pixels, before)
    sound(trace.reading, pixels.shape)
    whole(trace)
    if max(pixels.shape) <= LONG_SIDE:
        explained(trace)


@settings(max_examples=150)
@given(arrays(np.uint8, SHAPES | SHAPES.map(lambda shape: (*shape, 3))))
def test_any_small_picture_is_read(reader: DigitReader, pixels: Uint8) -> None:
    check(reader, pixels)


@given(st.integers(0, 255), st.integers(1, 1200), st.integers(1, 300), st.booleans())
def test_a_picture_of_one_brightness_holds_nothing(
    reader: DigitReader, brightness: int, width: int, height: int, color: bool
) -> None:
    reading = reader.read(np.full((height, width, 3) if color else (height, width), brightness, np.uint8))
    assert (reading.text, reading.digits, reading.rejected) == ((), (), ())


@given(st.integers(1, 2500), st.integers(1, 200), st.booleans(), st.sampled_from([2, 9, 40]), st.integers(0, 2**32 - 1))
def test_noise_of_any_size_is_read(
    reader: DigitReader, long: int, short: int, upright: bool, blot: int, seed: int
) -> None:
    shape = (long, short) if upright else (short, long)
    coarse = np.random.default_rng(seed).integers(0, 256, (shape[0] // blot + 1, shape[1] // blot + 1), np.uint8)
    check(reader, np.ascontiguousarray(np.kron(coarse, np.ones((blot, blot), np.uint8))[: shape[0], : shape[1]]))


@settings(max_examples=40)
@given(st.sampled_from([3, 8, 20, 40]), st.integers(60, 250), st.integers(0, 2**32 - 1))
def test_noisy_paper_is_read(reader: DigitReader, sigma: int, brightness: int, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(brightness, sigma, (240, 320))
    check(reader, noise.clip(0, 255).round().astype(np.uint8))


@pytest.mark.parametrize("seed", range(5))
def test_generated_pages_are_explained_mark_by_mark(
    reader: DigitReader, digits: tuple[Uint8, Uint8], seed: int
) -> None:
    images, labels = digits
    page = draw_page(images[seed::9], labels[seed::9], np.random.default_rng(seed))
    check(reader, page.pixels)


@pytest.mark.parametrize("name", ["paper.jpg", "blackboard.jpg", "digit.png"])
def test_the_trace_of_a_sample_is_whole_and_its_reading_is_what_read_gives(
    reader: DigitReader, samples: Path, name: str
) -> None:
    frame = load(samples / name)
    trace = reader.trace(frame)
    whole(trace)
    explained(trace)
    assert trace.pixels is frame.pixels
    reading = reader.read(frame)
    assert replace(trace.reading, ms=reading.ms) == reading


def test_the_trace_of_a_large_picture_is_that_of_a_smaller_one(reader: DigitReader, samples: Path) -> None:
    small = load(samples / "paper.jpg").pixels
    large = np.asarray(cv2.resize(small, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR), np.uint8)
    trace = reader.trace(Frame(large))
    assert trace.pixels.shape == (1200, LONG_SIDE, 3)
    assert (trace.reading.width, trace.reading.height) == (2400, 1800)
    whole(trace)


@pytest.mark.parametrize("name", ["paper.jpg", "blackboard.jpg", "digit.png"])
@pytest.mark.parametrize(("x", "y"), [(1, 0), (0, 1), (3, 5), (8, 8), (20, 17)])
def test_a_page_shifted_by_whole_pixels_reads_the_same(
    reader: DigitReader, samples: Path, name: str, x: int, y: int
) -> None:
    pixels = load(samples / name).pixels
    height, width = pixels.shape[:2]
    continued = cv2.copyMakeBorder(pixels, y, 0, x, 0, cv2.BORDER_REPLICATE)[:height, :width]
    expected, reading = reader.read(pixels), reader.read(np.ascontiguousarray(continued))
    assert reading.text == expected.text
    for one, other in zip(expected.digits, reading.digits, strict=True):
        assert np.abs(np.subtract(other.box, np.add(one.box, (x, y, 0, 0)))).max() <= 2


def test_what_is_lost_in_clutter_is_rejected_as_that(reader: DigitReader) -> None:
    page = np.full((300, 300), 255, np.uint8)
    for start in range(20, 140, 12):  # parallel diagonals: more than is looked at
        cv2.line(page, (start, 10), (start + 150, 280), 0, 2)
    trace = reader.trace(page)
    explained(trace)
    clutter = [rejection for rejection in trace.reading.rejected if rejection.reason == reject.CLUTTER]
    assert clutter
    assert all(rejection.confidence is None for rejection in clutter)
    assert all(np.abs(np.subtract(rejection.box[2:], (152, 272))).max() <= 4 for rejection in clutter)
