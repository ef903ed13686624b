import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.records import Box, Uint8
from edge_runtime.vision.planes import Plane, ink_planes
from edge_runtime.vision.regions import Region, find_regions, work_budget

Corners = tuple[int, int, int, int]


def ink(*boxes: Corners, size: tuple[int, int] = (100, 120), level: int = 255) -> Uint8:
    plane = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        plane[y : y + height, x : x + width] = level
    return plane


def regions(plane: Uint8) -> list[Region]:
    return find_regions([Plane(plane, 1.0, 0, False)])


def boxes(plane: Uint8) -> list[Box]:
    return sorted(region.box for region in regions(plane))


def test_digits_on_a_dark_rule_are_freed() -> None:
    ink = np.zeros((300, 400), np.uint8)
    ink[150:153, 20:380] = 200
    cv2.ellipse(ink, (200, 150), (14, 24), 0, 0, 360, 200, 5)  # a 0 across the rule
    all_regions = find_regions([Plane(ink, 1.0, 0, False), Plane(ink[::2, ::2].copy(), 2.0, 1, False)])
    freed = [region for region in all_regions if region.freed]
    assert freed
    for region in freed:
        assert (region.plane, region.parent, region.attached) == (0, -1, False)
        assert np.abs(np.subtract(region.box, (184, 124, 33, 53))).max() <= 8
        assert region.ink is not None
    assert all(region.ink is None for region in all_regions if region.box.width > 300)


def test_cut_off_regions_take_no_digits_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_runtime.vision.regions.MOST_REGIONS", 100)
    digits = [(60 + 50 * i, 200, 30, 36) for i in range(10)]
    stripes = [(x, y, 3, 60) for y in (0, 420) for x in range(2, 638, 6)]
    all_regions = regions(ink(*digits, *stripes, size=(480, 640)))
    seen = {tuple(region.box) for region in all_regions if region.ink is not None}
    assert len(seen) == 100
    assert seen.issuperset(digits)


def test_digits_that_stand_free_are_not_freed() -> None:
    ink = np.zeros((300, 400), np.uint8)
    cv2.ellipse(ink, (200, 150), (14, 24), 0, 0, 360, 200, 5)
    assert not any(region.freed for region in find_regions([Plane(ink, 1.0, 0, False), Plane(ink, 2.0, 1, False)]))


def check(planes: list[Plane]) -> None:
    """Fail unless the regions of planes lie in them, after their parents, and hold their own ink."""
    all_regions = find_regions(planes)
    for kind in (False, True):
        ordered = [region.plane for region in all_regions if region.freed == kind]
        assert ordered == sorted(ordered)
    for i, (box, place, own, number, parent, attached, freed) in enumerate(all_regions):
        plane = planes[number].ink
        assert 0 <= place.x <= box.x < box.right <= place.right <= plane.shape[1]
        assert 0 <= place.y <= box.y < box.bottom <= place.bottom <= plane.shape[0]
        assert max(place.width - box.width, place.height - box.height) <= 2
        assert -1 <= parent < i
        assert parent >= 0 or freed or not attached
        assert parent < 0 or not freed
        if parent >= 0:
            outer = all_regions[parent]
            assert outer.plane == number
            assert attached or not outer.attached
            # Without ink is what has no digit's shape, and what there is no time for.
            assert not attached or outer.attached or outer.ink is None
            assert outer.box.union(box) == outer.box
            assert box.width * box.height < outer.box.width * outer.box.height
        if own is not None:
            assert own.shape == (place.height, place.width)
            part = plane[place.y : place.bottom, place.x : place.right]
            assert ((own == part) | (own == 0)).all()
            assert own.any()


def test_separate_marks_have_their_exact_boxes() -> None:
    plane = ink((10, 20, 6, 30), (50, 20, 20, 25), level=200)
    plane[19:51, 16] = 20  # the soft edge of the stroke
    by_box = {region.box: region for region in regions(plane)}
    assert set(by_box) == {(10, 20, 6, 30), (50, 20, 20, 25)}
    for region in by_box.values():
        assert region.parent == -1
        place = region.place
        assert place == (region.box.x - 1, region.box.y - 1, region.box.width + 2, region.box.height + 2)
        assert region.ink is not None
        assert np.array_equal(region.ink, plane[place.y : place.bottom, place.x : place.right])


@pytest.mark.parametrize("level", [40, 90, 200])
def test_one_mark_is_one_region(level: int) -> None:
    soft = np.asarray(cv2.GaussianBlur(ink((40, 20, 20, 50), level=level), (0, 0), 0.7), np.uint8)
    assert len(regions(soft)) == 1


def test_a_dark_digit_is_part_of_its_box() -> None:
    frame = ink((20, 10, 60, 80)) & ~ink((23, 13, 54, 74))
    seven = ink((35, 25, 43, 5), (60, 25, 5, 50))  # it touches the frame at the right
    whole, digit = regions(np.maximum(frame // 4, seven))
    assert (whole.box, whole.parent) == (Box(20, 10, 60, 80), -1)
    assert (digit.box, digit.parent) == (Box(35, 25, 43, 50), 0)


@pytest.mark.parametrize(
    ("around", "inside"),
    [
        pytest.param(
            ink((20, 10, 60, 80)) & ~ink((23, 13, 54, 74)), ink((35, 25, 30, 5), (60, 25, 5, 50)), id="a 7 in a box"
        ),
        pytest.param(cv2.circle(ink(), (60, 50), 25, 255, 4), ink((55, 45, 10, 10)), id="a dot in a ring"),
        pytest.param(ink((20, 30, 4, 60), (20, 86, 60, 4)), ink((50, 40, 12, 14)), id="a blot in a corner"),
    ],
)
def test_overlapping_boxes_hold_their_own_ink(around: Uint8, inside: Uint8) -> None:
    by_box = {region.box: region for region in regions(around | inside)}
    for drawn in (around, inside):
        region = by_box.pop(Box(*cv2.boundingRect(drawn)))
        assert region.parent == -1
        assert region.ink is not None
        assert region.ink.sum() == drawn.sum()
    assert not by_box


def test_strokes_that_touch_are_one_region() -> None:
    assert boxes(ink((10, 10, 10, 10), (20, 20, 10, 10))) == [(10, 10, 20, 20)]
    assert boxes(ink((10, 10, 10, 10), (21, 21, 10, 10))) == [(10, 10, 10, 10), (21, 21, 10, 10)]


def test_a_region_at_the_edge_stays_inside() -> None:
    first, last = sorted(regions(ink((0, 0, 10, 20), (110, 80, 10, 20))))
    assert first.place == (0, 0, 11, 21)
    assert last.place == (109, 79, 11, 21)


def test_dust_is_no_region() -> None:
    assert boxes(ink((10, 10, 4, 4), (50, 50, 5, 20))) == [(50, 50, 5, 20)]


def test_faint_ink_is_no_region() -> None:
    assert boxes(ink((50, 50, 20, 30), level=10)) == []
    assert boxes(ink((50, 50, 20, 30), level=60)) == [(50, 50, 20, 30)]


def test_coarser_planes_leave_out_the_small() -> None:
    small, large = (10, 10, 8, 12), (40, 20, 30, 50)
    plane = ink(small, large)
    all_regions = find_regions([Plane(plane, 1.0, 0, False), Plane(plane, 2.0, 1, False)])
    assert [(region.box, region.plane) for region in all_regions if region.plane] == [(large, 1)]
    assert sorted(region.box for region in all_regions if not region.plane) == [small, large]


def test_a_line_wider_than_words_has_no_ink() -> None:
    rule, one = (5, 50, 110, 3), (20, 10, 3, 30)
    by_box = {region.box: region for region in regions(ink(rule, one))}
    assert by_box[Box(*rule)].ink is None
    assert by_box[Box(*one)].ink is not None


def test_digits_on_a_rule_are_its_parts() -> None:
    rule, digits = ink((5, 60, 110, 3), level=70), ink((20, 33, 12, 30), (60, 33, 12, 30))
    first, *parts = regions(np.maximum(rule, digits))
    assert first.box == (5, 33, 110, 30)
    assert sorted((part.box, part.parent) for part in parts) == [((20, 33, 12, 30), 0), ((60, 33, 12, 30), 0)]


def test_what_hangs_on_a_long_line_is_attached() -> None:
    size = (120, 320)
    rule = ink((5, 60, 305, 3), size=size, level=70)
    digits = ink((20, 33, 12, 30), (60, 10, 12, 30), size=size)
    attached = {region.box: region.attached for region in regions(np.maximum(rule, digits))}
    assert attached == {Box(5, 33, 305, 30): False, Box(20, 33, 12, 30): True, Box(60, 10, 12, 30): False}


def test_too_large_regions_wait_for_coarser_planes() -> None:
    planes = [Plane(ink((40, 40, 300, 400), size=(480, 640)), 1.0, 0, False)]
    planes.append(Plane(ink((20, 20, 150, 200), size=(240, 320)), 2.0, 1, False))
    assert [region.ink is None for region in find_regions(planes)] == [True, False]


def test_a_texture_has_no_regions() -> None:
    grass = np.random.default_rng(2).integers(0, 2, (120, 160), np.uint8) * 255
    assert regions(grass) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (20, 20)])
def test_no_ink_gives_nothing_and_full_one(shape: tuple[int, int]) -> None:
    assert regions(np.zeros(shape, np.uint8)) == []
    assert boxes(np.full(shape, 255, np.uint8)) == ([] if shape == (1, 1) else [(0, 0, shape[1], shape[0])])


def test_work_grows_with_the_sides() -> None:
    vga = 640 * 480
    assert work_budget(1) == work_budget(vga) == 1
    assert work_budget(4 * vga) == 2


def test_the_number_offered_is_bounded() -> None:
    small = [(x, y, 8, 10) for x in range(2, 620, 16) for y in range(2, 460, 16)]
    large = (400, 20, 30, 60)
    plane = ink(*small, size=(480, 640))
    plane[10:90, 390:440] = 0
    plane |= ink(large, size=(480, 640))
    offered = [region.box for region in regions(plane) if region.ink is not None]
    assert len(offered) < len(small)
    assert large in offered
    fewer = [region for region in regions(ink(*small[:20], size=(480, 640))) if region.ink is not None]
    assert len(fewer) == 20


@pytest.mark.parametrize("seed", range(3))
def test_every_drawn_digit_is_a_region(digits: tuple[Uint8, Uint8], seed: int) -> None:
    images, labels = digits
    page = draw_page(images[seed::12], labels[seed::12], np.random.default_rng(seed), PageStyle(grain=1))
    planes = ink_planes(page.pixels)
    finest_boxes = [region.box for region in find_regions(planes) if planes[region.plane].level == 0]
    for placed in page.digits:
        assert min(np.abs(np.subtract(box, placed.box)).max() for box in finest_boxes) <= 3


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_regions_of_any_ink_lie_in_it(plane: Uint8) -> None:
    check([Plane(plane, 1.0, 0, False)])


@settings(max_examples=40)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=4, max_side=40)), st.integers(2, 9))
def test_regions_of_coarse_pictures_lie_in_planes(pixels: Uint8, times: int) -> None:
    check(list(ink_planes(np.kron(pixels, np.ones((times, times), np.uint8)))))


SHAPES = st.lists(
    st.tuples(st.integers(0, 1), *[st.integers(4, 60)] * 2, *[st.integers(4, 40)] * 2, st.integers(30, 255)),
    max_size=12,
)


@given(SHAPES, st.integers(0, 30), st.integers(0, 30))
def test_shifted_ink_has_the_same_regions(shapes: list[tuple[int, ...]], x: int, y: int) -> None:
    plane = np.zeros((200, 200), np.uint8)
    for round_, left, top, width, height, level in shapes:
        if round_:
            cv2.ellipse(plane, (left + 20, top + 20), (width // 2, height // 2), 0, 0, 360, level, 2)
        else:
            cv2.rectangle(plane, (left, top), (left + width, top + height), level, 2)
    check([Plane(plane, 1.0, 0, False)])
    still, moved = regions(plane), regions(np.roll(plane, (y, x), axis=(0, 1)))
    shifted = [region.box._replace(x=region.box.x + x, y=region.box.y + y) for region in still]
    assert [region.box for region in moved] == shifted
    assert [region.parent for region in moved] == [region.parent for region in still]
