from time import process_time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edge_runtime.records import Uint8
from edge_runtime.vision.normalize import (
    BARE,
    FAINT,
    INNER,
    THICK,
    THIN,
    body,
    normalize,
    normalize_all,
    normalize_and_measure,
)

FINE = 5  # how many times larger than MNIST's the digits below are drawn
INKS = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=50))


def extent(image: Uint8) -> tuple[int, int]:
    """Return the (width, height) of what is not 0."""
    _, _, width, height = cv2.boundingRect(image)
    return width, height


def center_of_mass(image: Uint8) -> tuple[float, float]:
    moments = cv2.moments(image)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


def enlarged(image: Uint8) -> Uint8:
    return np.asarray(cv2.resize(image, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC), np.uint8)


def mask(ink: Uint8) -> Uint8:
    return np.asarray(cv2.threshold(ink, FAINT * 255, 255, cv2.THRESH_BINARY)[1], np.uint8)


def pen_width(strokes: Uint8) -> float:
    """Return the mean width in pixels of the strokes in a mask: what a pixel off both edges takes away is 2 of it."""
    inner = cv2.erode(strokes, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    area = cv2.countNonZero(strokes)
    return 2 * area / max(1, area - cv2.countNonZero(inner))


def pen(image: Uint8) -> float:
    """Return the width of the strokes of a 28x28 picture, in its pixels."""
    return pen_width(mask(enlarged(image))) / FINE


def with_pen(image: Uint8, factor: float) -> Uint8:
    """Return a digit, enlarged, drawn with a pen so many times as wide."""
    ink = np.asarray(cv2.copyMakeBorder(enlarged(image), 30, 30, 30, 30, cv2.BORDER_CONSTANT), np.uint8)
    pixels = max(2, round(abs(factor - 1) * pen_width(mask(ink))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pixels + 1, pixels + 1))
    return np.asarray((cv2.dilate if factor > 1 else cv2.erode)(ink, kernel), np.uint8)


def seven(scale: int) -> Uint8:
    ink = np.zeros((40 * scale, 30 * scale), np.uint8)
    ink[5 * scale : 9 * scale, 5 * scale : 25 * scale] = 255
    ink[5 * scale : 35 * scale, 21 * scale : 25 * scale] = 255
    return ink


@pytest.mark.parametrize("scale", [1, 2, 3, 7])
def test_long_side_becomes_20_and_aspect_stays(scale: int) -> None:
    assert extent(normalize(seven(scale))) == (13, INNER)
    assert extent(normalize(np.ascontiguousarray(seven(scale).T))) == (INNER, 13)


@pytest.mark.parametrize("scale", [1, 2, 3, 7])
def test_the_center_of_mass_comes_to_the_middle(scale: int) -> None:
    assert np.abs(np.subtract(center_of_mass(normalize(seven(scale))), 14)).max() <= 0.5


def test_ink_heavy_at_one_end_stays_inside() -> None:
    ink = np.zeros((100, 100), np.uint8)
    ink[:12], ink[:, :12] = 255, 255
    ink[12:, :9] = 0
    image = normalize(ink)
    assert extent(image) == (INNER, INNER)
    assert cv2.boundingRect(image)[1] == 8  # as far down as the field allows


def test_every_size_gives_about_the_same_picture() -> None:
    reference = normalize(seven(8)).astype(int)
    for scale in (2, 3, 5, 16):
        assert np.abs(normalize(seven(scale)) - reference).mean() < 4


def test_paper_around_the_ink_changes_nothing() -> None:
    ink = seven(1)
    padded = np.asarray(cv2.copyMakeBorder(ink, 3, 12, 20, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)
    assert np.array_equal(normalize(padded), normalize(ink))


def test_faint_ink_is_stretched_to_full_contrast() -> None:
    assert np.abs(normalize(seven(1) // 3).astype(int) - normalize(seven(1))).max() <= 3
    assert normalize(seven(1) // 3).max() == 255


@pytest.mark.parametrize(("stain", "becomes"), [(0.85 * BARE, 0), (BARE + 0.1, 0.1 / (1 - BARE))])
def test_what_is_fainter_than_bare_paper_becomes_0(stain: float, becomes: float) -> None:
    ink = seven(3)
    ink[ink == 0] = int(255 * stain)
    image = normalize(ink)
    below_the_arm = image[12:24, 6:13]
    assert np.abs(below_the_arm - 255 * becomes).max() <= 10 * (becomes > 0)
    assert image.max() == 255


@pytest.mark.parametrize(("factor", "least"), [(0.5, 0.9), (1.0, 0.9), (2.0, 0.85)])
def test_half_and_twice_the_pen_become_mnists(digits: tuple[Uint8, Uint8], factor: float, least: float) -> None:
    images = [image for image in digits[0] if THIN <= pen(image) <= THICK]
    widths = np.array([pen(image) for image in normalize_all([with_pen(image, factor) for image in images])])
    assert len(images) > 100
    # What is redrawn by whole pixels comes as close as half of one, on either side.
    inside = (widths > THIN - 0.35) & (widths < THICK + 0.35)
    assert THIN <= np.median(widths) <= THICK
    assert inside.mean() >= least


@pytest.mark.parametrize("width", [1, 2, 4, 8, 12, 16, 20, 26, 32])
def test_a_ring_of_any_pen_gets_mnists(width: int) -> None:
    ink = np.zeros((160, 160), np.uint8)
    cv2.ellipse(ink, (80, 80), (60 - width // 2, 70 - width // 2), 0, 0, 360, 255, width)
    assert THIN - 0.4 < pen(normalize(ink)) < THICK + 0.1
    assert extent(normalize(ink))[1] == INNER


def test_a_blot_is_narrowed_but_not_lost() -> None:
    image = normalize(np.full((60, 60), 255, np.uint8))
    assert extent(image) == (INNER, INNER)


@pytest.mark.parametrize(("width", "expected"), [(1, 2), (3, 3), (10, 10)])
def test_the_width_of_a_stroke_is_measured(width: int, expected: float) -> None:
    strokes = np.zeros((60, 20), np.uint8)
    strokes[:, 5 : 5 + width] = 255
    assert normalize_and_measure([strokes])[2][0] == pytest.approx(expected, rel=0.12)
    assert normalize_and_measure([np.zeros((30, 30), np.uint8)])[2][0] == 0


def test_body_is_the_mean_of_dark_ink() -> None:
    assert body(np.array([[200, 180, 101, 100, 30, 0]], np.uint8)) == pytest.approx((200 + 180 + 101) / 3)
    assert body(np.zeros((3, 3), np.uint8)) == 0


@pytest.mark.parametrize("diameter", [60, 333])
def test_hard_edges_become_soft(diameter: int) -> None:
    ink = np.zeros((diameter, diameter), np.uint8)
    cv2.circle(ink, (diameter // 2, diameter // 2), diameter // 2 - diameter // 12, 255, diameter // 7)
    image = normalize(ink)
    assert ((image > 20) & (image < 235)).sum() > 30


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (500, 3)])
def test_no_ink_gives_an_empty_field(shape: tuple[int, int]) -> None:
    assert np.array_equal(normalize(np.zeros(shape, np.uint8)), np.zeros((28, 28), np.uint8))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (1, 3000), (3000, 1)])
def test_ink_of_any_proportions_is_20_long(shape: tuple[int, int]) -> None:
    image = normalize(np.full(shape, 255, np.uint8))
    assert max(extent(image)) == INNER
    assert image.max() == 255


def test_huge_ink_takes_no_longer_than_reading_it() -> None:
    ink = np.asarray(cv2.resize(seven(3), (3000, 3000)), np.uint8)
    start = process_time()
    image = normalize(ink)
    assert process_time() - start < 0.25
    assert extent(image) == extent(normalize(np.asarray(cv2.resize(seven(3), (300, 300)), np.uint8)))


def test_mnist_digits_come_out_nearly_as_they_were(digits: tuple[Uint8, Uint8]) -> None:
    images = np.array([image for image in digits[0] if THIN + 0.3 <= pen(image) <= THICK - 0.3])
    again = normalize_all(list(images)).astype(int)
    assert len(images) > 50
    assert np.median(np.abs(again - images).mean(axis=(1, 2))) < 4
    # Where the center of mass lies between two pixels, MNIST's makers now and then rounded the other way.
    shifts = [np.roll(again, (y, x), axis=(1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    nearest = np.min([np.abs(shift - images).mean(axis=(1, 2)) for shift in shifts], axis=0)
    assert np.mean(nearest < 6) >= 0.95


def test_mnist_digits_already_are_in_the_contract(digits: tuple[Uint8, Uint8]) -> None:
    centers = np.array([center_of_mass(image) for image in digits[0]])
    assert np.abs(np.median(centers, axis=0) - 14).max() < 0.5
    assert {max(extent(image)) for image in digits[0]} == {INNER}


def test_several_inks_give_what_each_gives(digits: tuple[Uint8, Uint8]) -> None:
    inks = [with_pen(image, 2) for image in digits[0][:20]] + [seven(2), np.zeros((5, 9), np.uint8), seven(1) // 5]
    assert np.array_equal(normalize_all(inks), [normalize(ink) for ink in inks])
    assert normalize_all([]).shape == (0, 28, 28)


@pytest.mark.parametrize("darkness", [60, 255])
@pytest.mark.parametrize("scale", [1, 2, 3, 7])
def test_darkness_and_pen_are_measured(scale: int, darkness: int) -> None:
    ink = np.minimum(seven(scale), darkness).astype(np.uint8)
    images, levels, widths = normalize_and_measure([ink, np.zeros((5, 9), np.uint8)])
    assert np.array_equal(images[0], normalize(ink))
    assert levels.tolist() == [pytest.approx(darkness, rel=0.16), 0]  # edges are soft where it is reduced
    assert widths[0] == pytest.approx(4 * scale, rel=0.12)
    assert widths[1] == 0


@given(st.lists(INKS, max_size=4))
def test_any_inks_give_what_each_gives(inks: list[Uint8]) -> None:
    before = [ink.copy() for ink in inks]
    images = normalize_all(inks)
    assert images.dtype == np.uint8
    assert images.shape == (len(inks), 28, 28)
    for image, ink, same in zip(images, inks, before, strict=True):
        assert np.array_equal(image, normalize(ink))
        assert np.array_equal(ink, same)
        assert image.any() == ink.any()
        assert max(extent(image)) <= INNER


@given(st.integers(10, 60), st.integers(10, 60), st.integers(20, 255))
def test_solid_ink_of_any_size_is_centered(width: int, height: int, darkness: int) -> None:
    image = normalize(np.full((height, width), darkness, np.uint8))
    assert image.max() == 255
    assert np.abs(np.subtract(center_of_mass(image), 14)).max() <= 0.75
