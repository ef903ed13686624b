from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_runtime import DigitReader
from edge_runtime.inference.contract import COLUMNS, ROWS
from edge_runtime.lines.written import Recheck, WholeLine
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Box, Frame, Rejection, Uint8
from edge_runtime.sinks.canvas import CROP, FRAME, PALE, TEXT, WIDTH, blank, write
from edge_runtime.sinks.draw import Color
from edge_runtime.sinks.explain import (
    GAVE_WAY,
    MOST_OTHERS,
    MOST_READ,
    MOST_REJECTED,
    NEVER_SEEN,
    OTHER,
    READ,
    REJECTED,
    explain,
)
from edge_runtime.sources import pictures
from edge_runtime.trace import Trace
from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.line_check import Text
from edge_runtime.vision.page_model import PageModel
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.regions import THRESHOLDS, Region
from edge_runtime.vision.rejection import CLUTTER, LOW_CONFIDENCE, READ_ELSEWHERE, TOO_SMALL

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
    differences = cv2.matchTemplate(picture[..., 0], part[..., 0], cv2.TM_SQDIFF)
    _, _, (x, y), _ = cv2.minMaxLoc(differences)
    return (y, x) if np.array_equal(picture[y : y + part.shape[0], x : x + part.shape[1]], part) else None


def says(picture: Uint8, text: str, size: float, color: Color) -> bool:
    block = blank(60)
    write(block, text, (20, 40), size, color)
    x, y, width, height = cv2.boundingRect((block != 255).any(axis=2).astype(np.uint8))
    return place(picture, block[y : y + height, x : x + width]) is not None


def enlarged(picture: Uint8) -> Uint8:
    return np.asarray(picture.repeat(8, axis=0).repeat(8, axis=1))


def test_digits_read_are_green_in_reading_order(paper: Trace) -> None:
    picture = explain(paper)
    crops = framed(picture, READ)
    assert len(crops) == len(paper.reading.digits) > 0
    kept = [i for i, reason in zip(paper.chosen, paper.reasons, strict=True) if reason is None]
    boxes = [box for box, reason in zip(paper.boxes, paper.reasons, strict=True) if reason is None]
    expected = [paper.images[kept[boxes.index(digit.box)]] for digit in paper.reading.digits]
    assert all(np.array_equal(crop, image) for crop, image in zip(crops, expected, strict=True))


def test_other_candidates_of_the_ink_are_gray(paper: Trace) -> None:
    why = dict(zip(paper.chosen, paper.reasons, strict=True))
    assert READ_ELSEWHERE in why.values()
    others = [
        paper.images[i].tobytes() for i in range(len(paper.images)) if why.get(i, READ_ELSEWHERE) == READ_ELSEWHERE
    ]
    assert MOST_OTHERS >= len(others) > sum(reason == READ_ELSEWHERE for reason in why.values())
    picture = explain(paper)
    assert sorted(crop.tobytes() for crop in framed(picture, OTHER)) == sorted(others)
    assert len(framed(picture, REJECTED)) == sum(reason not in (None, READ_ELSEWHERE) for reason in why.values())
    assert says(picture, "another plane", 0.4, PALE)


def test_rejections_are_red_with_their_reasons(samples: Path) -> None:
    with DigitReader(min_confidence=1.0) as strict:
        trace = strict.trace(pictures.load(samples / "digit.png"))
    picture = explain(trace)
    assert len(framed(picture, READ)) == 0
    unsure = [i for i, reason in zip(trace.chosen, trace.reasons, strict=True) if reason == LOW_CONFIDENCE]
    assert unsure
    crops = [crop.tobytes() for crop in framed(picture, REJECTED)]
    assert sorted(crops) == sorted(trace.images[i].tobytes() for i in unsure)
    assert says(picture, "low confidence", 0.4, PALE)
    assert all(says(picture, f"2  {trace.confidences[i].max():.0%}", 0.5, TEXT) for i in unsure)


def test_the_summary_has_the_reasons_and_text(paper: Trace) -> None:
    marks = (Rejection(Box(1, 1, 2, 2), TOO_SMALL, 0.9),) * 3 + (Rejection(Box(9, 9, 9, 9), CLUTTER, 0.4),)
    picture = explain(replace(paper, reading=replace(paper.reading, rejected=marks)))[:270]
    assert says(picture, "Rejected: 4", 0.6, REJECTED)
    assert says(picture, "   3  too small", 0.45, TEXT)
    assert says(picture, "   1  clutter", 0.45, TEXT)
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


def made_up(tiny: Trace, **parts: Any) -> Trace:
    """Return a trace of a page of 48x28 pixels, shown 8 times as large, on whose two planes nothing was found."""
    planes = (
        Plane(np.zeros((28, 48), np.uint8), 1.0, 0, False), Plane(np.zeros((14, 24), np.uint8), 2.0, 1, True),
    )  # fmt: skip
    empty: dict[str, Any] = {
        "frame": Frame(np.full((28, 48), 250, np.uint8)), "planes": planes, "regions": [], "standing": [],
        "page": PageModel(scores=np.zeros(2), plane=None, height=1.0, darkness=np.full(2, np.nan), stroke_width=None,
                          attached=0.0),
        "candidates": [], "images": np.zeros((0, 28, 28), np.uint8), "confidences": np.zeros((0, 10)), "chosen": (),
        "boxes": (), "reasons": (),
        "reading": replace(tiny.reading, width=48, height=28, digits=(), rejected=(), text=()),
    }  # fmt: skip
    return replace(tiny, **{**empty, **parts})


def top(picture: Uint8) -> int:
    """Return the row where the first panel's picture begins, below its frame."""
    return int((picture[:, 11:200] == NEVER_SEEN).all(axis=(1, 2)).argmax()) + 1


def panel(picture: Uint8, number: int) -> Uint8:
    """Return panel 0 to 3 of a page of 48x28 pixels."""
    return picture[top(picture) :, 12 + 397 * number :][: 28 * 8, : 48 * 8]


def test_the_ink_is_shown_exactly_and_scaled(tiny: Trace) -> None:
    model = replace(
        tiny.page, scores=np.array([900.0, 89.0]), plane=0, height=20.0, darkness=np.full(2, 102.0), stroke_width=2.0
    )
    ink = np.zeros((28, 48), np.uint8)
    ink[4:20, 10] = 40, *[102] * 14, 200
    planes = Plane(ink, 1.0, 0, False), Plane(ink[::2, ::2], 2.0, 1, True)
    picture = explain(made_up(tiny, planes=planes, page=model))
    expected = ink.copy()
    expected[4:20, 10] = 100, *[255] * 15
    assert np.array_equal(panel(picture, 1), enlarged(np.dstack([expected] * 3)))
    assert np.array_equal(panel(picture, 3), enlarged(255 - np.dstack([expected] * 3) // 2))
    assert says(picture, "2. The best plane: dark ink, level 0", 0.55, TEXT)
    unsure = explain(made_up(tiny, planes=planes, page=replace(model, plane=1, darkness=np.full(2, np.nan))))
    assert np.array_equal(panel(unsure, 1), enlarged(enlarged(np.dstack([ink[::2, ::2]] * 3)))[::4, ::4])
    assert says(unsure, "2. The best plane: light ink, level 1", 0.55, TEXT)
    assert says(unsure, "white: as light as the digits; a pixel is 2 of the page's", 0.4, PALE)


def test_the_page_model_and_read_planes_are_listed(tiny: Trace) -> None:
    model = replace(
        tiny.page, scores=np.array([900.0, 90.0]), plane=0, height=20.4, darkness=np.full(2, 102.0), stroke_width=2.04
    )
    picture = explain(made_up(tiny, page=model))
    for line in ("height 20 pixels", "pen 2.0 pixels", "darkness 102 of 255", " 100%  dark ink, level 0",
                 "  10%  light ink, level 1"):  # fmt: skip
        assert says(picture, line, 0.45, TEXT)
    assert says(explain(made_up(tiny, page=replace(model, scores=np.array([900.0, 89.0])))),
                "  10%  light ink, level 1", 0.45, PALE)  # fmt: skip
    few = explain(
        made_up(
            tiny, page=replace(model, scores=np.array([900.0, 4.0]), darkness=np.full(2, np.nan), stroke_width=None)
        )
    )
    assert says(few, "pen unknown", 0.45, TEXT)
    assert says(few, "darkness unknown", 0.45, TEXT)
    assert not says(few, "light ink, level 1", 0.45, PALE)
    assert says(explain(made_up(tiny)), "no digits on any plane", 0.45, PALE)


def test_regions_show_which_stand_or_were_never_seen(tiny: Trace) -> None:
    ink = np.zeros((28, 48), np.uint8)
    least = THRESHOLDS[0]
    ink[2:12, 2:20] = least
    ink[4:10, 4:8] = ink[4:10, 12:16] = 200
    ink[20:24, 30:40] = least - 1, least, least, 255, 255, least, least, least, least, least
    whole, left, right, rule = Box(2, 2, 18, 10), Box(4, 4, 4, 6), Box(12, 4, 4, 6), Box(30, 20, 10, 4)

    def region(box: Box, seen: bool, parent: int) -> Region:
        return Region(box, box, ink[box.y : box.bottom, box.x : box.right] if seen else None, 0, parent, False)

    regions = [region(whole, True, -1), region(rule, False, -1), region(left, True, 0), region(right, True, 0)]
    other = Region(Box(0, 0, 24, 14), Box(0, 0, 24, 14), np.full((14, 24), 255, np.uint8), 1, -1, False)
    candidates = [Candidate(box, ink[:1, :1], 0, frozenset({i}), i, False) for i, box in ((2, left), (3, right))]
    confidences = np.zeros((2, 10))
    confidences[:, 3:5] = (0.5, 0.25), (0.03, 0.04)
    trace = made_up(
        tiny, planes=(Plane(ink, 1.0, 0, False), *tiny.planes[1:2]), regions=[*regions, other], standing=[1, 2, 3, 4],
        page=replace(tiny.page, scores=np.array([9.0, 0.0]), plane=0), candidates=candidates, confidences=confidences,
        images=np.zeros((2, 28, 28), np.uint8), chosen=(0, 1), reasons=(None, CLUTTER),
    )  # fmt: skip
    picture = explain(trace, [*"0123456789", "none"])
    assert says(picture, "3. Its regions: 4", 0.55, TEXT)
    shown = panel(picture, 2)
    middles = shown[4::8, 4::8]
    blocks = [middles[4:10, x : x + 4].reshape(-1, 3).tolist() for x in (4, 12)]
    colors: list[Color] = [(block[0][0], block[0][1], block[0][2]) for block in blocks]
    assert blocks == [[list(color)] * 24 for color in colors]
    assert len({*colors, GAVE_WAY, NEVER_SEEN}) == 4
    assert (middles[10:12, 2:20] == NEVER_SEEN).all()  # the whole's own ink
    assert (middles[20:24, 31:40] == NEVER_SEEN).all()
    assert (middles[20:24, 30] == 255).all()
    for box, color in ((whole, GAVE_WAY), (rule, NEVER_SEEN)):
        for row in (8 * box.y, 8 * box.bottom - 1):
            assert (shown[row, 8 * box.x : 8 * box.right] == color).all()


def test_candidates_of_all_planes_are_on_the_best(tiny: Trace) -> None:
    ink = np.zeros((1, 1), np.uint8)
    candidates = [
        Candidate(Box(2, 2, 5, 8), ink, 0, frozenset({0, 1}), 0, False),
        Candidate(Box(10, 5, 4, 4), ink, 1, frozenset({2}), 1, False),
        Candidate(Box(5, 5, 3, 4), ink, 1, frozenset({3}), 2, False),
        Candidate(Box(30, 2, 5, 8), ink, 0, frozenset({1}), None, False),
        Candidate(Box(30, 2, 5, 8), ink, 0, frozenset({4, 5}), None, False),
    ]
    trace = made_up(
        tiny, candidates=candidates, confidences=np.full((5, 10), 0.1), images=np.zeros((5, 28, 28), np.uint8),
        chosen=(0, 1, 2), reasons=(TOO_SMALL, CLUTTER, READ_ELSEWHERE),
    )  # fmt: skip
    picture = explain(trace)
    shown = panel(picture, 3)
    _, _, boxes, _ = cv2.connectedComponentsWithStats((shown == REJECTED).all(axis=2).astype(np.uint8))
    marks = [Box(*box[:4]) for box in boxes[1:].tolist() if box[2] > 30 and box[3] > 30]
    assert sorted(marks) == [Box(16, 16, 40, 64), Box(160, 80, 64, 64)]
    assert not (panel(picture, 0) == REJECTED).all(axis=2).any()  # the reading has none
    assert says(picture, "4. The candidates chosen, of all planes: 3", 0.55, TEXT)
    for line in ("too small", "2,2", "clutter", "20,10", "10,10", "30,2 piece", "30,2 joined"):
        assert says(picture, line, 0.4, PALE)


@pytest.mark.parametrize("size", [(3200, 2400), (2400, 3200), (6000, 4000)])
def test_boxes_are_at_their_places_when_shown(reader: DigitReader, size: tuple[int, int]) -> None:
    page = np.full(size[::-1], 245, np.uint8)
    cv2.putText(page, "7", (size[0] // 2, size[1] // 2), cv2.FONT_HERSHEY_SIMPLEX, 12, 30, 40)
    trace = reader.trace(page)
    (digit,) = trace.reading.digits
    picture = explain(trace)
    panels = picture[top(picture) :]
    _, _, stats, _ = cv2.connectedComponentsWithStats((panels == READ).all(axis=2).astype(np.uint8))
    scale = min(782 / size[0], 950 / size[1])
    x, y, width, height = max(stats[1:, :4].tolist(), key=lambda box: box[2] * box[3] if box[1] < 900 else 0)
    for seen, true in ((x - 12, digit.box.x), (y, digit.box.y), (width, digit.box.width)):
        assert abs(seen - true * scale) <= 3
    assert abs(height - digit.box.height * scale) <= 3
    high, wide = trace.planes[0].ink.shape
    assert says(picture, f"picture, {size[0]} x {size[1]} pixels, read at {wide} x {high}", 0.8, TEXT)


def test_of_many_crops_the_most_telling_remain(tiny: Trace) -> None:
    rng = np.random.default_rng(7)
    read, rejected, count = range(120), range(120, 250), 400
    images = rng.integers(0, 256, (count, 28, 28), np.uint8)
    confidences = np.zeros((count, 10))
    confidences[:, 3] = rng.permutation(count) / count
    boxes = [Box(20 * (i % 20), 30 * (i // 20), 15, 25) for i in range(count)]
    ink = np.full((25, 15), 200, np.uint8)
    candidates = [Candidate(box, ink, 0, frozenset({i}), None, False) for i, box in enumerate(boxes)]
    trace = made_up(
        tiny,
        frame=Frame(np.full((600, 400), 250, np.uint8)),
        pixels=np.full((600, 400), 250, np.uint8),
        planes=(Plane(np.zeros((600, 400), np.uint8), 1.0, 0, False),),
        candidates=candidates,
        images=images,
        confidences=confidences,
        chosen=(*read, *rejected),
        reasons=(None,) * len(read) + (CLUTTER,) * len(rejected),
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
    assert says(titles, "5. Read: 120; shown: the 80 least sure; left out: 40", 0.55, READ)
    for title, color in (
        ("6. Rejected: 130; shown: the 80 surest; left out: 50", REJECTED),
        ("7. The same ink, split, merged or on other planes: 150; shown: the 40 surest; left out: 110", OTHER),
    ):
        assert says(titles, title, 0.55, color)


def test_a_rechecked_line_shows_all_its_readings(tiny: Trace) -> None:
    told = {(1, 7): 0.3, (1, 2): 0.6, (1,): 0.05, (3,): 0.2, (4,): 0.1, (5,): 0.15}
    texts = tuple(Text(labels, line, -1.0, -1.0, alike=labels == (1, 7)) for labels, line in told.items())
    whole = WholeLine((1, 2), (), np.zeros((0, 10)), 0.6, texts, 3, np.zeros((ROWS, COLUMNS), np.uint8), ())
    reading = replace(tiny.reading, text=("1 2",))
    picture = explain(made_up(tiny, checks=[None, Recheck("17", 0.25, whole)], reading=reading))
    assert says(picture, "8. Lines reread as a whole: 1", 0.55, TEXT)
    assert says(picture, "digit by digit: 17, 25% likely", 0.5, PALE)
    assert says(picture, "by the line network: 12, 60% likely", 0.5, READ)
    assert says(picture, "other texts: 3, 5, 4", 0.5, PALE)


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
    assert says(picture, "6. Rejected: 0", 0.55, PALE)
    assert not any(framed(picture, color) for color in (READ, REJECTED, OTHER))


@settings(max_examples=25)
@given(st.tuples(st.integers(1, 60), st.integers(3, 60)), st.booleans(), st.integers(0, 2**32), st.integers(1, 9))
@example(size=(1, 49), color=True, seed=231, block=2)  # a line reads a digit where one by itself is rejected
def test_any_picture_can_be_explained(
    reader: DigitReader, size: tuple[int, int], color: bool, seed: int, block: int
) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (*size, 3) if color else size, np.uint8)
    pixels = coarse.repeat(block, axis=0)[: size[0]].repeat(block, axis=1)[:, : size[1]]
    trace = reader.trace(Frame(pixels))
    before = pixels.copy(), trace.images.copy(), *(plane.ink.copy() for plane in trace.planes)
    picture = explain(trace)
    assert picture.shape[1:] == (WIDTH, 3)
    read, rejected = (len(framed(picture, rim)) for rim in (READ, REJECTED))
    refused = sum(why not in (None, READ_ELSEWHERE) for why in trace.reasons)
    by_itself = trace.reasons.count(None)  # others are read as part of a line
    assert (read, rejected) == (by_itself, min(MOST_REJECTED, refused))
    assert len(framed(picture, OTHER)) == min(MOST_OTHERS, len(trace.images) - read - refused)
    after = pixels, trace.images, *(plane.ink for plane in trace.planes)
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))
