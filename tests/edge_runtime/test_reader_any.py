"""What holds for whatever is read: any array, every stage of it, and every mark in it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edge_runtime import DigitReader, Reading
from edge_runtime.lines.written import TOP
from edge_runtime.orientation import turned, turned_back
from edge_runtime.pages.draw import draw_page
from edge_runtime.records import Box, Uint8
from edge_runtime.sources.pictures import load
from edge_runtime.trace import Trace
from edge_runtime.vision import rejection

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=48)


def sound(reading: Reading, shape: tuple[int, ...]) -> None:
    """Fail unless a reading is one of a frame of this shape."""
    assert (reading.height, reading.width) == shape[:2]
    boxes = [digit.box for digit in reading.digits] + [rejected.box for rejected in reading.rejected]
    for x, y, width, height in boxes:
        assert 0 <= x < x + width <= reading.width
        assert 0 <= y < y + height <= reading.height
    assert [len(line.replace(" ", "")) for line in reading.text] == [
        sum(digit.line == number for digit in reading.digits) for number in range(len(reading.text))
    ]
    assert "".join(reading.text).replace(" ", "") == "".join(digit.label for digit in reading.digits)
    assert {one.reason for one in reading.rejected} <= set(rejection.REASONS)
    assert all(one.confidence is not None and 0 <= one.confidence <= 1 for one in reading.rejected)
    assert all(0 <= digit.confidence <= 1 for digit in reading.digits)


def explained(trace: Trace) -> None:
    """Fail unless what was chosen is read or rejected, once, and shares no ink; and nothing else is."""
    scales = [trace.planes[candidate.plane].scale for candidate in trace.candidates]
    turned_size, back = trace.pixels.shape[1::-1], turned(trace.frame.pixels, trace.turn)[1]
    boxes = [
        turned_back(one.box.scaled(turned_size, scale), back, trace.frame.size)
        for one, scale in zip(trace.candidates, scales, strict=True)
    ]
    # Where they lie before they are rounded to whole pixels: there is more ink in common than in `boxes`.
    exact = [[scale * side for side in one.box] for one, scale in zip(trace.candidates, scales, strict=True)]
    used: set[int] = set()
    read, rejected, elsewhere = list[int](), dict[tuple[Box, str], int](), list[int]()
    for i, reason, box in zip(trace.chosen, trace.reasons, trace.boxes, strict=True):
        assert not used & trace.candidates[i].parts
        used |= trace.candidates[i].parts
        if reason is None:
            read.append(i)
        elif reason == rejection.READ_ELSEWHERE:
            elsewhere.append(i)
        else:
            rejected[box, reason] = i
    # What the line network read has a box of its own, and is one of the digits that it read on some line.
    whole = {box for check in trace.checks if check for box in check.whole.boxes}
    seen = {boxes[k] for k in (*read, *elsewhere)}
    # A box of the line network may be that of a candidate by chance.
    by_itself = [digit for digit in trace.reading.digits if digit.box in (seen if digit.box in whole else boxes)]
    assert {digit.box for digit in trace.reading.digits} - set(boxes) <= whole
    # Any other digit has its own box, or that of a finer plane where it was seen as well.
    assert len(by_itself) == len(read)
    for i in read:
        own = [k for k in (i, *elsewhere) if any(digit.box == boxes[k] for digit in trace.reading.digits)]
        assert any(k == i or (overlaps(exact[i], exact[k]) and scales[k] < scales[i]) for k in own)
    assert {digit.box for digit in by_itself} <= seen
    # Each rejection is reported, unless it overlaps something that was read.
    reported = [(one.box, one.reason) for one in trace.reading.rejected]
    assert set(reported) <= set(rejected)
    for left_out in set(rejected) - set(reported):
        assert any(overlaps(exact[rejected[left_out]], exact[i]) for i in read)
    again = any(check is not None for check in trace.checks)  # what its line is without has no box
    for k in elsewhere:
        assert again or any(overlaps(exact[k], exact[i]) for i in (*read, *rejected.values()))


def overlaps(one: Sequence[float], other: Sequence[float]) -> bool:
    """Tell whether two boxes (x, y, width, height) share anything."""
    return all(max(one[k], other[k]) < min(one[k] + one[k + 2], other[k] + other[k + 2]) for k in (0, 1))


def whole(trace: Trace) -> None:
    """Fail unless the fields of a trace fit each other."""
    count, regions = len(trace.candidates), trace.regions
    assert trace.images.dtype == np.uint8
    assert trace.images.shape == (count, 28, 28)
    assert trace.confidences.shape == (count, 10)
    assert trace.confidences.min(initial=0) >= 0
    assert trace.confidences.sum(axis=1).max(initial=0) < 1 + 1e-6  # what is missing is that it is no digit
    assert list(trace.chosen) == sorted(set(trace.chosen))
    assert set(trace.chosen) <= set(range(count))
    assert len(trace.reasons) == len(trace.chosen)
    assert all(len(digit.top) == TOP for digit in trace.reading.digits)
    assert trace.page.scores.shape == (len(trace.planes),)
    assert trace.standing == sorted(set(trace.standing))
    for box, plane in [(one.box, one.plane) for one in regions] + [(one.box, one.plane) for one in trace.candidates]:
        height, width = trace.planes[plane].ink.shape
        assert 0 <= box.x < box.right <= width
        assert 0 <= box.y < box.bottom <= height
    for candidate in trace.candidates:
        assert candidate.parts
        if candidate.region is not None:
            assert candidate.region in trace.standing
            assert candidate.box == regions[candidate.region].box
            assert candidate.ink is regions[candidate.region].ink


def check(reader: DigitReader, pixels: Uint8) -> None:
    before = pixels.copy()
    trace = reader.trace(pixels)
    assert np.array_equal(pixels, before)
    sound(trace.reading, pixels.shape)
    whole(trace)
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
def test_a_trace_holds_what_read_gives(reader: DigitReader, samples: Path, name: str) -> None:
    frame = load(samples / name)
    trace = reader.trace(frame)
    whole(trace)
    explained(trace)
    assert trace.frame is frame
    reading = reader.read(frame)
    assert replace(trace.reading, ms=reading.ms, lines=reading.lines) == reading
    for one, other in zip(trace.reading.lines, reading.lines, strict=True):
        assert (one.text, one.box) == (other.text, other.box)
        # numpy adds in another order where an array starts at another address: the last bit may differ.
        assert one.confidence == pytest.approx(other.confidence, rel=1e-12)


@pytest.mark.parametrize("name", ["paper.jpg", "blackboard.jpg", "digit.png"])
@pytest.mark.parametrize(("x", "y"), [(1, 0), (0, 1), (3, 5), (8, 8), (20, 17)])
def test_a_page_shifted_by_pixels_reads_the_same(reader: DigitReader, samples: Path, name: str, x: int, y: int) -> None:
    pixels = load(samples / name).pixels
    height, width = pixels.shape[:2]
    continued = cv2.copyMakeBorder(pixels, y, 0, x, 0, cv2.BORDER_REPLICATE)[:height, :width]
    expected, reading = reader.read(pixels), reader.read(np.ascontiguousarray(continued))
    assert reading.text == expected.text
    for one, other in zip(expected.digits, reading.digits, strict=True):
        assert np.abs(np.subtract(other.box, np.add(one.box, (x, y, 0, 0)))).max() <= 2


@pytest.mark.parametrize("name", ["paper.jpg", "blackboard.jpg", "digit.png"])
def test_an_inverted_picture_reads_the_same(reader: DigitReader, samples: Path, name: str) -> None:
    pixels = load(samples / name).pixels
    expected, reading = reader.read(pixels), reader.read(255 - pixels)
    assert (reading.text, reading.digits) == (expected.text, expected.digits)


@pytest.mark.parametrize("name", ["paper.jpg", "blackboard.jpg", "digit.png"])
@pytest.mark.parametrize("factor", [0.7, 1.5, 2, 3, 4])
def test_a_page_of_another_size_reads_the_same(reader: DigitReader, samples: Path, name: str, factor: float) -> None:
    pixels = load(samples / name).pixels
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=how), np.uint8)
    expected, trace = reader.read(pixels), reader.trace(scaled)
    explained(trace)
    reading = trace.reading
    assert (reading.height, reading.width) == scaled.shape[:2]
    assert reading.text == expected.text
    for one, other in zip(expected.digits, reading.digits, strict=True):
        assert np.abs(np.subtract(other.box, np.multiply(one.box, factor))).max() <= 4 + 3 * factor


def test_a_hatching_is_read_in_bounded_work(reader: DigitReader) -> None:
    page = np.full((300, 300), 255, np.uint8)
    for start in range(20, 140, 12):  # parallel diagonals, each with a box of half the page
        cv2.line(page, (start, 10), (start + 150, 280), 0, 2)
    check(reader, page)
    assert len(reader.trace(page).candidates) < 200
