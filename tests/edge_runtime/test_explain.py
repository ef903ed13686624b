from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime import DigitReader, reject
from edge_runtime.locate import Located
from edge_runtime.marks import calm
from edge_runtime.pages import PageStyle, draw_page
from edge_runtime.reader import Trace
from edge_runtime.records import Box, Candidate, Frame, Rejection, Uint8
from edge_runtime.sinks.canvas import CROP, FRAME, PALE, TEXT, WIDTH, blank, write
from edge_runtime.sinks.draw import Color
from edge_runtime.sinks.explain import (
    MOST_OTHERS,
    MOST_READ,
    MOST_REJECTED,
    NO_MARK,
    OTHER,
    READ,
    REJECTED,
    explain,
)
from edge_runtime.sources import pictures

SIDE = 28 * CROP + 2 * FRAME


@pytest.fixture(scope="module")
def paper(reader: DigitReader, samples: Path) -> Trace:
    return reader.trace(pictures.load(samples / "paper.jpg"))


@pytest.fixture(scope="module")
def tiny(reader: DigitReader, digits: tuple[Uint8, Uint8]) -> Trace:
    """Return what was made of two digits in 48x28 pixels, which are shown 8 times as large, side by side."""
    ink = np.hstack([digits[0][0][:, 2:26], digits[0][1][:, 2:26]])
    return reader.trace(255 - ink)


def framed(picture: Uint8, color: Color) -> list[Uint8]:
    """Return the insides of the frames of a crop's size in this color, row by row."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((picture == color).all(axis=2).astype(np.uint8))
    corners = sorted((y, x) for x, y, width, height, _ in stats.tolist() if (width, height) == (SIDE, SIDE))
    insides = [picture[y : y + SIDE, x : x + SIDE][FRAME:-FRAME, FRAME:-FRAME] for y, x in corners]
    for inside in insides:
        assert np.array_equal(inside, np.kron(inside[::CROP, ::CROP, 0], np.ones((CROP, CROP)))[..., None].repeat(3, 2))
    return [inside[::CROP, ::CROP, 0] for inside in insides]


def place(picture: Uint8, part: Uint8) -> tuple[int, int] | None:
    """Return the row and column where `part`, (H, W, 3), is found in the picture to the last bit, or None."""
    found = cv2.matchTemplate(picture[..., 0], part[..., 0], cv2.TM_SQDIFF)
    _, _, (x, y), _ = cv2.minMaxLoc(found)
    return (y, x) if np.array_equal(picture[y : y + part.shape[0], x : x + part.shape[1]], part) else None


def says(picture: Uint8, text: str, size: float, color: Color) -> bool:
    block = blank(60)
    write(block, text, (20, 40), size, color)
    x, y, width, height = cv2.boundingRect((block != 255).any(axis=2).astype(np.uint8))
    return place(picture, block[y : y + height, x : x + width]) is not None


def enlarged(picture: Uint8) -> Uint8:
    return np.asarray(picture.repeat(8, axis=0).repeat(8, axis=1))


def test_what_was_read_is_shown_in_reading_order_in_green(paper: Trace) -> None:
    picture = explain(paper)
    crops = framed(picture, READ)
    assert len(crops) == len(paper.reading.digits) > 0
    boxes = [paper.located.candidates[i].box for i in paper.chosen]
    expected = [paper.images[paper.chosen[boxes.index(digit.box)]] for digit in paper.reading.digits]
    assert all(np.array_equal(crop, image) for crop, image in zip(crops, expected, strict=True))
    assert len(framed(picture, REJECTED)) == sum(reason is not None for reason in paper.reasons)


def test_what_was_not_chosen_is_shown_in_gray(paper: Trace) -> None:
    others = {paper.images[i].tobytes() for i in range(len(paper.images)) if i not in paper.chosen}
    assert others
    crops = framed(explain(paper), OTHER)
    assert len(crops) == len(paper.images) - len(paper.chosen)
    assert {crop.tobytes() for crop in crops} == others


def test_what_was_rejected_is_shown_in_red_with_its_reason(samples: Path) -> None:
    with DigitReader(min_confidence=1.0) as strict:
        trace = strict.trace(pictures.load(samples / "digit.png"))
    picture = explain(trace)
    assert len(framed(picture, READ)) == 0
    (crop,) = framed(picture, REJECTED)
    assert np.array_equal(crop, trace.images[trace.chosen[0]])
    assert says(picture, "low confidence", 0.4, PALE)
    assert says(picture, f"2  {trace.confidences[trace.chosen[0]].max():.0%}", 0.5, TEXT)


def test_the_summary_counts_the_reasons_and_holds_the_text(paper: Trace) -> None:
    marks = (Rejection(Box(1, 1, 2, 2), reject.TOO_SMALL),) * 3 + (Rejection(Box(9, 9, 9, 9), reject.CLUTTER, 0.4),)
    picture = explain(replace(paper, reading=replace(paper.reading, rejected=marks)))[:270]
    assert says(picture, "Rejected: 4", 0.6, REJECTED)
    assert says(picture, "   3  too small", 0.45, TEXT)
    assert says(picture, "   1  clutter", 0.45, TEXT)
    assert says(picture, "the network saw 1 of them", 0.45, PALE)
    assert says(picture, f"Read: {len(paper.reading.digits)}", 0.6, READ)
    assert all(says(picture, line, 0.45, TEXT) for line in paper.reading.text)
    assert says(picture, f"{paper.reading.ms.classify:6.1f}  network", 0.45, TEXT)
    assert says(picture, f"model {paper.reading.model}", 0.45, PALE)
    assert says(picture, "paper.jpg, 800 x 600 pixels", 0.8, TEXT)
    assert not says(picture, "   3  clutter", 0.45, TEXT)


def test_lines_that_find_no_room_are_counted(tiny: Trace) -> None:
    lines = tuple(str(number) for number in range(1000, 1040))
    picture = explain(replace(tiny, reading=replace(tiny.reading, text=lines)))[:330]
    assert says(picture, "1010", 0.45, TEXT)
    assert says(picture, "and 29 more lines", 0.45, PALE)
    assert not says(picture, "1011", 0.45, TEXT)


def test_the_planes_are_shown_pixel_by_pixel(tiny: Trace) -> None:
    picture = explain(tiny)
    plane, threshold = calm(tiny.ink)
    ink = place(picture, enlarged(np.dstack([tiny.ink] * 3)))
    assert ink is not None
    y, x = ink
    counting = picture[y : y + 28 * 8, x + 397 :][:, : 48 * 8][::8, ::8]
    assert np.array_equal((counting == 255).all(axis=2), plane >= threshold)
    assert (counting[plane == 0] == 0).all()
    faint = counting[(plane > 0) & (plane < threshold)]
    assert len(faint)
    assert (faint[:, 2] >= faint[:, 0]).all()
    assert says(picture, f"white: from {threshold} of 255; orange: fainter", 0.4, PALE)


def test_each_mark_has_a_color_of_its_own_and_a_number(tiny: Trace) -> None:
    picture = explain(tiny)
    plane, threshold = calm(tiny.ink)
    ink = place(picture, enlarged(np.dstack([tiny.ink] * 3)))
    assert ink is not None
    assert len(tiny.located.marks) == 2
    marks = picture[ink[0] : ink[0] + 28 * 8, ink[1] + 2 * 397 :][:, : 48 * 8][4::8, 4::8]
    seen = []
    for i, box in enumerate(tiny.located.marks):
        area = slice(box.y, box.bottom), slice(box.x, box.right)
        colors = {tuple(color) for color in marks[area][plane[area] >= threshold].tolist()}
        assert len(colors) == 1
        seen += list(colors)
        assert says(picture, f"mark {i + 1}", 0.4, PALE)
    assert len({*seen, NO_MARK, (255, 255, 255)}) == 4


def test_ink_that_the_network_never_saw_is_gray_among_the_marks(reader: DigitReader) -> None:
    page = np.full((300, 300), 250, np.uint8)
    page[140:144, 20:280] = 20
    trace = reader.trace(page)
    assert [mark.reason for mark in trace.reading.rejected] == [reject.LINE]
    picture = explain(trace)
    assert (picture == NO_MARK).all(axis=2).sum() > 260 * 4
    assert says(picture, "4. The marks: 0", 0.55, TEXT)


@pytest.mark.parametrize("size", [(3200, 2400), (2400, 3200), (6000, 4000)])
def test_boxes_lie_where_they_are_in_the_picture_that_is_shown(reader: DigitReader, size: tuple[int, int]) -> None:
    page = np.full(size[::-1], 245, np.uint8)
    cv2.putText(page, "7", (size[0] // 2, size[1] // 2), cv2.FONT_HERSHEY_SIMPLEX, 12, 30, 40)
    trace = reader.trace(page)
    (digit,) = trace.reading.digits
    picture = explain(trace)
    _, _, stats, _ = cv2.connectedComponentsWithStats((picture[270:] == READ).all(axis=2).astype(np.uint8))
    scale = min(782 / size[0], 1000 / size[1])
    x, y, width, height = max(stats[1:, :4].tolist(), key=lambda box: box[2] * box[3] if box[1] < 900 else 0)
    for seen, true in ((x - 12, digit.box.x), (y - 40, digit.box.y), (width, digit.box.width)):
        assert abs(seen - true * scale) <= 3
    assert abs(height - digit.box.height * scale) <= 3
    assert says(picture, f"picture, {size[0]} x {size[1]} pixels, read at {trace.ink.shape[1]} x {trace.ink.shape[0]}",
                0.8, TEXT)  # fmt: skip


def test_of_very_many_crops_the_most_telling_are_shown(tiny: Trace) -> None:
    rng = np.random.default_rng(7)
    read, rejected, count = range(120), range(120, 250), 400
    images = rng.integers(0, 256, (count, 28, 28), np.uint8)
    confidences = np.zeros((count, 10))
    confidences[:, 3] = rng.permutation(count) / count
    boxes = [Box(20 * (i % 20), 30 * (i // 20), 15, 25) for i in range(count)]
    candidates = [Candidate(box, np.full((25, 15), 200, np.uint8), frozenset({i})) for i, box in enumerate(boxes)]
    trace = replace(
        tiny,
        pixels=np.full((600, 400), 250, np.uint8),
        ink=np.zeros((600, 400), np.uint8),
        located=Located(boxes, candidates, []),
        images=images,
        confidences=confidences,
        chosen=(*read, *rejected),
        reasons=(None,) * len(read) + (reject.CLUTTER,) * len(rejected),
    )
    picture = explain(trace)
    by_doubt = np.argsort(confidences.max(axis=1)).tolist()
    least_read = [i for i in by_doubt if i in read][:MOST_READ]
    most_rejected = [i for i in by_doubt if i in rejected][-MOST_REJECTED:]
    most_others = [i for i in by_doubt if i >= 250][-MOST_OTHERS:]
    assert MOST_READ + MOST_REJECTED + MOST_OTHERS <= 200
    for color, shown in ((READ, least_read), (REJECTED, most_rejected), (OTHER, most_others)):
        crops = framed(picture, color)
        assert len(crops) == len(shown)
        assert all(np.array_equal(crop, images[i]) for crop, i in zip(crops, sorted(shown), strict=True))
    titles = picture[-3000:]
    assert says(titles, "5. Read: 120; here are the 80 least sure, 40 are left out", 0.55, READ)
    for title, color in (
        ("6. Seen by the network, and rejected: 130; here are the 80 surest, 50 are left out", REJECTED),
        ("7. Not chosen: the same ink in other cuts and joins: 150; here are the 40 surest, 110 are left out", OTHER),
    ):
        assert says(titles, title, 0.55, color)


def test_other_labels_are_used(tiny: Trace) -> None:
    best = [int(tiny.confidences[i].argmax()) for i in tiny.chosen]
    percent = [f"{tiny.confidences[i].max():.0%}" for i in tiny.chosen]
    assert says(explain(tiny, "abcdefghij"), f"{'abcdefghij'[best[0]]}  {percent[0]}", 0.5, TEXT)
    assert says(explain(tiny, []), f"{best[0]}  {percent[0]}", 0.5, TEXT)


@pytest.mark.parametrize("source", ["", "-", "/", "a/\udcff.png", "a/two\nlines.png", "a/" + "x" * 5000])
def test_any_name_can_be_written(tiny: Trace, source: str) -> None:
    reading = replace(tiny.reading, source=source, text=("\u0663\0",))
    assert explain(replace(tiny, reading=reading)).shape == explain(tiny).shape


def test_light_on_dark(reader: DigitReader, digits: tuple[Uint8, Uint8]) -> None:
    style = PageStyle(size=(320, 240), light_on_dark=True)
    page = draw_page(digits[0][:6], digits[1][:6], np.random.default_rng(5), style)
    trace = reader.trace(page.pixels)
    assert len(framed(explain(trace), READ)) == len(trace.reading.digits) > 0


BLANK: dict[str, Callable[[], Uint8]] = {
    "1x1": lambda: np.zeros((1, 1), np.uint8),
    "a row": lambda: np.zeros((1, 5000, 3), np.uint8),
    "a column": lambda: np.zeros((5000, 1), np.uint8),
    "white": lambda: np.full((480, 640, 3), 255, np.uint8),
    "24 megapixels": lambda: np.full((4000, 6000), 128, np.uint8),
}


@pytest.mark.parametrize("pixels", BLANK.values(), ids=BLANK)
def test_nothing_was_found(reader: DigitReader, pixels: Callable[[], Uint8]) -> None:
    picture = explain(reader.trace(pixels()))
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (WIDTH, 3)
    assert picture.shape[0] < 2600
    assert says(picture, "Read: 0", 0.6, READ)
    assert says(picture, "6. Seen by the network, and rejected: 0", 0.55, PALE)
    assert not any(framed(picture, color) for color in (READ, REJECTED, OTHER))


@settings(max_examples=25)
@given(st.tuples(st.integers(1, 60), st.integers(3, 60)), st.booleans(), st.integers(0, 2**32), st.integers(1, 9))
def test_any_picture_can_be_explained(
    reader: DigitReader, size: tuple[int, int], color: bool, seed: int, block: int
) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (*size, 3) if color else size, np.uint8)
    pixels = coarse.repeat(block, axis=0)[: size[0]].repeat(block, axis=1)[:, : size[1]]
    trace = reader.trace(Frame(pixels))
    before = pixels.copy(), trace.ink.copy(), trace.images.copy()
    picture = explain(trace)
    assert picture.shape[1:] == (WIDTH, 3)
    shown = sum(len(framed(picture, rim)) for rim in (READ, REJECTED, OTHER))
    assert shown == len(trace.images)
    assert all(np.array_equal(*pair) for pair in zip(before, (pixels, trace.ink, trace.images), strict=True))
