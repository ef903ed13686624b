from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.errors import ModelCorrupt, OptionError
from edge_runtime.inference import model_file
from edge_runtime.lines.constraint import of_length, of_patterns
from edge_runtime.lines.recheck import MOST_STRIPS, replaces
from edge_runtime.pages.draw import draw_page
from edge_runtime.pages.style import PageStyle
from edge_runtime.records import Uint8
from edge_runtime.vision.line_check import Likely

JOINED = PageStyle(size=(400, 300), touching=1.0)


@pytest.fixture(scope="module")
def always() -> Iterator[DigitReader]:
    with DigitReader(check="always") as reader:
        yield reader


@pytest.fixture(scope="module")
def never() -> Iterator[DigitReader]:
    with DigitReader(check="never") as reader:
        yield reader


def drawn(digits: tuple[Uint8, Uint8], seed: int, count: int = 6, style: PageStyle = JOINED) -> tuple[Uint8, str]:
    """Return a page of digits that touch, and what it says."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(digits[0]), count, replace=False)
    page = draw_page(digits[0][chosen], digits[1][chosen], rng, style)
    return page.pixels, "".join(digit.label for digit in page.digits)


def exact(reader: DigitReader, pages: list[tuple[Uint8, str]]) -> int:
    return sum("".join(reader.read(pixels).text).replace(" ", "") == text for pixels, text in pages)


def test_lines_of_digits_that_touch_are_read_better(
    digits: tuple[Uint8, Uint8], reader: DigitReader, never: DigitReader
) -> None:
    pages = [drawn(digits, seed) for seed in range(24)]
    assert exact(reader, pages) >= exact(never, pages) + 2


def test_only_doubtful_lines_are_read_again(
    digits: tuple[Uint8, Uint8], reader: DigitReader, always: DigitReader, never: DigitReader
) -> None:
    pixels, _ = drawn(digits, 1)
    assert [check is not None for check in always.trace(pixels).checks] == [True] * len(always.read(pixels).lines)
    assert not any(never.trace(pixels).checks)
    for seed in range(8):
        trace, before = reader.trace(drawn(digits, seed)[0]), never.read(drawn(digits, seed)[0])
        assert [check is not None for check in trace.checks] == [line.confidence < 0.95 for line in before.lines]


def test_a_picture_of_one_line_is_always_rechecked(
    digits: tuple[Uint8, Uint8], reader: DigitReader, never: DigitReader
) -> None:
    style = PageStyle(size=(360, 90), digit_height=(40, 44))
    pages = [drawn(digits, seed, 5, style)[0] for seed in range(6)]
    assert sum(never.read(pixels).lines[0].confidence >= 0.95 for pixels in pages) >= 3
    for pixels in pages:
        trace = reader.trace(pixels)
        assert [check is not None for check in trace.checks] == [True] * len(trace.reading.lines)


def test_both_readings_are_reported(digits: tuple[Uint8, Uint8], always: DigitReader, never: DigitReader) -> None:
    differ = 0
    for seed in range(24):
        pixels, _ = drawn(digits, seed)
        trace, before = always.trace(pixels), never.read(pixels)
        for check, line, old in zip(trace.checks, trace.reading.lines, before.lines, strict=True):
            assert check is not None
            said = "".join(map(str, check.whole.labels))
            assert check.text == old.text.replace(" ", "")
            assert check.likely == old.confidence
            assert line.text.replace(" ", "") in (check.text, said)
            if said not in (check.text, ""):
                differ += 1
                other = check.text if line.text.replace(" ", "") == said else said
                assert other in [text.replace(" ", "") for text, _ in line.alternatives]
    assert differ


def test_boxes_are_in_order_and_inside(digits: tuple[Uint8, Uint8], always: DigitReader) -> None:
    for seed in range(8):
        pixels, _ = drawn(digits, seed)
        for check in always.trace(pixels).checks:
            assert check is not None
            whole = check.whole
            middles = [box.x + box.width / 2 for box in whole.boxes]
            assert middles == sorted(middles)
            assert all(box.x >= 0 and box.right <= pixels.shape[1] for box in whole.boxes)
            assert all(box.y >= 0 and box.bottom <= pixels.shape[0] for box in whole.boxes)
            assert whole.confidences.shape == (len(whole.labels), 10)
            assert whole.confidences.argmax(axis=1).tolist() == list(whole.labels)


def test_a_broad_picture_without_lines_is_one(
    digits: tuple[Uint8, Uint8], reader: DigitReader, never: DigitReader
) -> None:
    broad = [drawn(digits, seed, style=replace(JOINED, size=(640, 160))) for seed in range(80)]
    lost = [(pixels, text) for pixels, text in broad if not never.read(pixels).lines]
    read = [("".join(reader.read(pixels).text), text) for pixels, text in lost]
    assert sum(one == text for one, text in read) >= len(lost) / 3 > 1
    assert all(len(one) != 1 for one, _ in read)
    # Elsewhere, a picture may hold anything.
    high = [np.ascontiguousarray(np.vstack([pixels, pixels[:1].repeat(300, axis=0)])) for pixels, _ in lost]
    assert not any(check for pixels in high for check in reader.trace(pixels).checks if check and not check.text)


@pytest.mark.parametrize(
    ("digits", "line", "any_text", "counts"),
    [
        (0.0, 0.2, 0.5, True),  # the likeliest of several texts, which together are likely
        (0.0, 0.2, 0.3, False),
        (0.3, 0.2, 0.9, False),
    ],
)
def test_the_likelier_text_counts_where_one_is_likely(
    digits: float, line: float, any_text: float, counts: bool
) -> None:
    assert replaces(Likely(digits, line, any_text)) is counts


def test_parts_of_one_line_join_left_to_right(
    digits: tuple[Uint8, Uint8], reader: DigitReader, never: DigitReader
) -> None:
    # The right half stands higher: by its place on the page, it comes first.
    style = PageStyle(size=(240, 64), digit_height=(36, 36))
    read = []
    for seed in range(12):
        (left, first), (right, second) = (drawn(digits, 2 * seed + half, 3, style) for half in (0, 1))
        strip = np.full((96, 480, 3), int(np.median(left)), np.uint8)
        strip[32:, :240], strip[:64, 240:] = left, right
        if never.read(strip).text == (second, first):
            read.append(("".join(reader.read(strip).text).replace(" ", ""), first + second))
    assert len(read) >= 6
    assert sum(text == truth for text, truth in read) >= len(read) - 1


def test_a_broad_blank_picture_is_no_line(always: DigitReader) -> None:
    assert always.read(np.full((40, 200), 200, np.uint8)).lines == ()


def test_unsure_digits_are_not_taken_over(digits: tuple[Uint8, Uint8]) -> None:
    with DigitReader(check="always", min_confidence=0.999) as strict:
        for seed in range(8):
            assert all(digit.confidence >= 0.999 for digit in strict.read(drawn(digits, seed)[0]).digits)


def test_without_a_line_network_a_model_still_reads(digits: tuple[Uint8, Uint8], tmp_path: Path) -> None:
    model = model_file.read(model_file.SHIPPED)
    model_file.write(tmp_path / "alone.tflite", model.flatbuffer, dict(model.card or {}), model.golden())
    pixels, _ = drawn(digits, 0)
    with DigitReader(tmp_path / "alone.tflite", check="always") as alone:
        trace = alone.trace(pixels)
    assert trace.reading.lines
    assert not any(trace.checks)


def test_a_line_network_without_weights_is_not_believed(
    digits: tuple[Uint8, Uint8], never: DigitReader, tmp_path: Path
) -> None:
    model = model_file.read(model_file.SHIPPED)
    card = {name: value for name, value in (model.card or {}).items() if name != "check"}
    model_file.write(tmp_path / "doubted.tflite", model.flatbuffer, card, model.golden(), model.line)
    with DigitReader(tmp_path / "doubted.tflite", check="always") as doubting:
        for seed in range(4):
            pixels, _ = drawn(digits, seed)
            trace = doubting.trace(pixels)
            assert all(trace.checks)
            assert trace.reading.text == never.read(pixels).text


def test_a_damaged_card_says_which_weights(tmp_path: Path) -> None:
    model = model_file.read(model_file.SHIPPED)
    card = {**(model.card or {}), "check": {"both": "much"}}
    model_file.write(tmp_path / "damaged.tflite", model.flatbuffer, card, model.golden(), model.line)
    with pytest.raises(ModelCorrupt, match="weights under check are not a table of numbers"):
        DigitReader(tmp_path / "damaged.tflite")


def test_a_known_length_is_that_many_digits(
    digits: tuple[Uint8, Uint8], reader: DigitReader, always: DigitReader
) -> None:
    pages = [drawn(digits, seed) for seed in range(48)]
    known = of_length(6)
    right = sum("".join(reader.read(pixels, constraint=known).text).replace(" ", "") == text for pixels, text in pages)
    assert right >= exact(reader, pages) - 1  # versions of OpenCV differ by one page
    fitting = 0
    for pixels, _ in pages:
        for line in always.read(pixels, constraint=known).lines:
            fits = len(line.text.replace(" ", "")) == 6
            assert fits or line.confidence == 0
            fitting += fits
    assert fitting >= 16


def test_a_pattern_keeps_fitting_lines_and_zeroes_others(digits: tuple[Uint8, Uint8], reader: DigitReader) -> None:
    pixels, text = next(page for page in (drawn(digits, seed) for seed in range(24)) if exact(reader, [page]))
    assert reader.read(pixels, constraint=of_patterns(text[:3] + "*")).text == reader.read(pixels).text
    other = "0" if text[0] != "0" else "1"
    broad, _ = drawn(digits, 3, style=replace(JOINED, size=(640, 160)))
    for page in (pixels, broad):
        lines = reader.read(page, constraint=of_patterns(other + "?" * 40)).lines
        assert lines
        assert all(line.confidence == 0 for line in lines)


def test_a_constraint_never_changes_a_digits_label(digits: tuple[Uint8, Uint8], always: DigitReader) -> None:
    even = of_patterns(*("[02468]" * count for count in range(1, 9)))
    for pixels, _ in (drawn(digits, seed, style=JOINED) for seed in range(24)):
        for line in always.read(pixels, constraint=even).lines:
            assert line.confidence == 0 or even.accepts([int(digit) for digit in line.text if digit != " "])


def test_a_constraint_needs_a_line_network(digits: tuple[Uint8, Uint8], never: DigitReader) -> None:
    with pytest.raises(OptionError, match="a constraint requires a model with a line network"):
        never.read(drawn(digits, 1)[0], constraint=of_length(3))


def test_another_kind_of_check_is_refused() -> None:
    with pytest.raises(OptionError, match="always, doubtful, never, not often"):
        DigitReader(check="often")


def test_a_glyph_without_a_reason_is_read(digits: tuple[Uint8, Uint8]) -> None:
    with DigitReader(min_line_confidence=1.0, check="always") as strict:
        for seed in range(24):
            for size in ((640, 160), (400, 300)):
                trace = strict.trace(drawn(digits, seed, style=replace(JOINED, size=size))[0])
                read = {box for box, reason in zip(trace.boxes, trace.reasons, strict=True) if reason is None}
                assert read <= {digit.box for digit in trace.reading.digits}


def test_a_crowded_frame_rechecks_only_its_budget(
    digits: tuple[Uint8, Uint8],
) -> None:
    images, _ = digits
    page = np.full((480, 640), 230, np.uint8)
    for i in range(22):
        for k in range(20):
            ink = cv2.resize(images[(i * 20 + k) % len(images)], (18, 18))
            page[30 + 20 * i : 48 + 20 * i, 60 + 26 * k : 78 + 26 * k] -= np.minimum(ink, 200)
    with DigitReader(check="always") as reader:
        trace = reader.trace(page)
    assert len(trace.reading.lines) > MOST_STRIPS
    assert sum(check is not None for check in trace.checks) == MOST_STRIPS
