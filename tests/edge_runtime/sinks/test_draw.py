from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import Reading
from edge_runtime.errors import OutputError
from edge_runtime.records import Box, Digit, Frame, Rejection, Timings, Uint8
from edge_runtime.sinks.draw import ON_DARK, ON_LIGHT, annotate
from edge_runtime.sinks.pictures import PictureFolder
from edge_runtime.vision import rejection


def frame(height: int = 120, width: int = 160, source: str = "") -> Frame:
    return Frame(np.full((height, width), 250, np.uint8), source)


def reading(digits: tuple[Box, ...] = (), rejected: tuple[Box, ...] = ()) -> Reading:
    return Reading(
        source="",
        frame=0,
        captured_at=datetime(2026, 3, 1, tzinfo=UTC),
        width=160,
        height=120,
        text=("7",) if digits else (),
        digits=tuple(Digit("7", 0.987, box, 0, (("7", 0.987),)) for box in digits),
        rejected=tuple(Rejection(box, rejection.LOW_CONFIDENCE, 0.3) for box in rejected),
        ms=Timings(0, 0, 0, 0, 0),
        model="0123456789ab",
    )


def written(path: Path) -> Uint8:
    return np.asarray(cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR), np.uint8)


def colored(picture: Uint8, color: tuple[int, int, int]) -> Uint8:
    return np.asarray((picture == color).all(axis=2), np.uint8)


@pytest.mark.parametrize(
    ("color", "drawn"),
    [
        (ON_LIGHT.read, reading(digits=(Box(60, 50, 20, 40),))),
        (ON_LIGHT.rejected, reading(rejected=(Box(60, 50, 20, 40),))),
    ],
    ids=["read", "rejected"],
)
def test_a_box_is_outlined_on_its_outermost_pixels(color: tuple[int, int, int], drawn: Reading) -> None:
    picture = annotate(frame(), drawn)
    assert picture.shape == (120, 160, 3)
    outline = colored(picture, color)
    assert outline[50, 60:80].all()
    assert outline[89, 60:80].all()
    assert outline[50:90, 60].all()
    assert outline[50:90, 79].all()
    assert (picture[51:89, 61:79] == 250).all()


def test_a_dark_page_gets_lighter_colors() -> None:
    box = Box(60, 50, 20, 40)
    picture = annotate(Frame(np.full((120, 160, 3), 40, np.uint8)), reading(digits=(box,)))
    assert colored(picture, ON_DARK.read)[50, 60:80].all()
    assert not colored(picture, ON_LIGHT.read).any()


def test_a_digit_has_its_label_and_confidence_above() -> None:
    drawn = reading(digits=(Box(60, 50, 20, 40),))
    caption = np.asarray(annotate(frame(), drawn)[:50] != 250, np.uint8).max(axis=2)
    (width, height), _ = cv2.getTextSize("7 99%", cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    x, y, across, down = cv2.boundingRect(caption)
    assert abs(x - 60) <= 3
    assert abs(across - width) <= 8
    assert abs(down - height) <= 8
    assert y + down >= 45


def test_a_caption_without_space_above_goes_below() -> None:
    picture = annotate(frame(), reading(digits=(Box(60, 2, 20, 40),)))
    assert (picture[44:] != 250).any()


def test_a_caption_at_the_right_moves_inside() -> None:
    middle = annotate(frame(), reading(digits=(Box(60, 50, 20, 40),)))
    right = annotate(frame(), reading(digits=(Box(140, 50, 20, 40),)))
    assert colored(right, ON_LIGHT.read)[:50].sum() == colored(middle, ON_LIGHT.read)[:50].sum()


def test_a_picture_without_marks_is_only_copied() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    picture = annotate(Frame(pixels), reading())
    assert np.array_equal(picture, pixels)
    assert not np.shares_memory(picture, pixels)


def marks(*boxes: tuple[Box, float | None], digits: tuple[Box, ...] = ()) -> Reading:
    rejected = tuple(Rejection(box, rejection.CLUTTER, confidence) for box, confidence in boxes)
    return replace(reading(digits=digits), rejected=rejected)


def changed(drawn: Reading, before: Reading) -> tuple[int, int, int, int]:
    """Return the box (x, y, width, height) around where two readings of the same frame are drawn differently."""
    differs = (annotate(frame(), drawn) != annotate(frame(), before)).any(axis=2)
    x, y, width, height = cv2.boundingRect(differs.astype(np.uint8))
    return x, y, width, height


def test_of_many_reasons_two_are_written() -> None:
    box = Box(60, 50, 20, 40)
    two, many = marks(*[(box, None)] * 2), marks(*[(box, None)] * 500)
    assert np.array_equal(annotate(frame(), two), annotate(frame(), many))
    _, y, _, height = changed(two, marks((box, None)))
    assert 90 <= y < y + height <= 105


def test_every_region_has_a_box_without_reasons() -> None:
    specks = [Box(x, y, 3, 3) for x in range(5, 150, 10) for y in range(25, 110, 10)]
    drawn = marks(*[(box, None) for box in specks], digits=(Box(1, 20, 158, 99),))
    outlines = colored(annotate(frame(), drawn), ON_LIGHT.rejected)
    assert outlines.sum() == 8 * len(specks)
    assert all(outlines[box.y : box.bottom, box.x : box.right].sum() == 8 for box in specks)


def test_a_region_the_network_saw_keeps_its_reason() -> None:
    large, small = Box(60, 12, 30, 96), Box(62, 14, 26, 92)
    both = annotate(frame(), marks((large, None), (small, 0.4), (large, None)))
    assert np.array_equal(both, annotate(frame(), marks((small, 0.4), (large, None), (large, None))))
    assert changed(marks((small, 0.4)), marks((small, None))) == (0, 0, 0, 0)


def test_a_reason_never_covers_a_digits_caption() -> None:
    box = Box(60, 50, 20, 40)
    alone = annotate(frame(), reading(digits=(box,)))
    with_marks = annotate(
        frame(), marks((box, 0.3), (Box(60, 57, 4, 4), 0.3), (Box(58, 20, 4, 9), None), digits=(box,))
    )
    caption = (alone[:50] != 250).any(axis=2)
    assert caption.sum() > 100
    assert np.array_equal(with_marks[:50][caption], alone[:50][caption])
    assert (with_marks[:50] != alone[:50]).any()


def test_an_unclassified_regions_reason_covers_no_digit() -> None:
    digit, speck = Box(40, 30, 80, 60), Box(70, 60, 6, 6)
    picture = annotate(frame(), marks((speck, None), digits=(digit,)))
    inside = picture[31:89, 41:119]
    inside[60 - 31 : 66 - 31, 70 - 41 : 76 - 41] = 250
    assert (inside == 250).all()
    seen = annotate(frame(), marks((speck, 0.5), digits=(digit,)))
    assert (seen[31:60, 41:119] != 250).any()


def test_a_reason_that_does_not_fit_is_omitted() -> None:
    narrow = Frame(np.full((200, 26), 250, np.uint8))
    picture = annotate(narrow, marks((Box(5, 80, 20, 40), 0.3)))
    picture[80:120, 5:25] = 250
    assert (picture == 250).all()


def test_close_digits_have_labels_the_last_its_confidence() -> None:
    apart = annotate(frame(), reading(digits=(Box(10, 50, 20, 40), Box(90, 50, 20, 40))))
    close = annotate(frame(), reading(digits=(Box(10, 50, 20, 40), Box(32, 50, 20, 40))))
    wide, short = (cv2.boundingRect((page[:50, :84] != 250).any(axis=2).astype(np.uint8)) for page in (apart, close))
    assert 30 < wide[2] < 60
    assert short[2] == wide[2] + 22
    first = cv2.boundingRect((close[:50, :30] != 250).any(axis=2).astype(np.uint8))
    assert first[2] < 14
    assert np.array_equal(close[:50, 32:80], apart[:50, 90:138])


def test_lines_grow_with_the_picture() -> None:
    picture = annotate(frame(1280, 1920), reading(digits=(Box(600, 500, 200, 400),)))
    assert colored(picture, ON_LIGHT.read)[700].sum() >= 2 * 3


@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59), st.integers(1, 60), st.integers(1, 60)), max_size=4),
)
def test_any_boxes_can_be_drawn_on_any_frame(size: tuple[int, int], boxes: list[tuple[int, int, int, int]]) -> None:
    drawn = tuple(Box(*box) for box in boxes)
    before = frame(*size)
    assert annotate(before, reading(drawn, drawn)).shape == (*size, 3)
    assert (before.pixels == 250).all()


def test_pictures_are_named_after_their_sources(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path / "new" / "out")
    drawn = reading(digits=(Box(60, 50, 20, 40),))
    path = folder.write(frame(source="/photos/page.one.jpg"), annotate(frame(), drawn))
    assert path == tmp_path / "new" / "out" / "page.one.png"
    assert np.array_equal(written(path), annotate(frame(), drawn))


def test_sources_of_equal_names_are_not_overwritten(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    sources = ["a/page.jpg", "b/page.png", "c/page-2.png", "d/page.jpg", "", "-"]
    names = [folder.write(frame(source=source), frame().pixels).name for source in sources]
    assert names == ["page.png", "page-2.png", "page-2-2.png", "page-3.png", "picture.png", "-.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_the_last_frames_of_videos_stay_apart(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path, keep=2)
    pixels = frame(10, 10).pixels
    for source in ("a/clip.avi", "b/clip.avi"):
        for i in range(4):
            folder.write(Frame(pixels, source, i, moving=True), pixels)
    kept = ["clip-000002.png", "clip-000003.png", "clip-2-000002.png", "clip-2-000003.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == kept


def test_a_name_of_any_length_is_shortened(tmp_path: Path) -> None:
    path = PictureFolder(tmp_path).write(frame(10, 10, "http://host/" + "x" * 400), frame(10, 10).pixels)
    assert path.is_file()


def test_a_later_run_replaces_earlier_pictures(tmp_path: Path) -> None:
    PictureFolder(tmp_path).write(frame(10, 10, "page.jpg"), frame(10, 10).pixels)
    path = PictureFolder(tmp_path).write(frame(10, 10, "page.jpg"), frame(20, 30).pixels)
    assert written(path).shape == (20, 30, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["page.png"]


def test_an_impossible_folder_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        PictureFolder(tmp_path / "file" / "out")
    assert str(caught.value) == f"cannot make the folder {tmp_path / 'file' / 'out'}: Not a directory"


def test_a_failed_picture_is_an_error_without_remains(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    (tmp_path / "page.png").mkdir()
    with pytest.raises(OutputError, match=r"^cannot write .*/page\.png: Is a directory$"):
        folder.write(frame(source="page.jpg"), frame().pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["page.png"]


def test_a_folder_that_disappears_is_not_made_again(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(OutputError, match=r"^cannot write .*/page\.png: the folder is gone$"):
        folder.write(frame(source="page.jpg"), frame().pixels)
    assert not list(tmp_path.iterdir())
