import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edge_runtime.normalize import normalize
from edge_runtime.records import Uint8


def extent(image: Uint8) -> tuple[int, int]:
    """Return the (width, height) of what is not 0."""
    _, _, width, height = cv2.boundingRect(image)
    return width, height


def center_of_mass(image: Uint8) -> tuple[float, float]:
    moments = cv2.moments(image)
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


def seven(scale: int) -> Uint8:
    ink = np.zeros((40 * scale, 30 * scale), np.uint8)
    ink[5 * scale : 10 * scale, 5 * scale : 25 * scale] = 255
    ink[5 * scale : 35 * scale, 20 * scale : 25 * scale] = 255
    return ink


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (10, 20, (10, 20)),
        (200, 100, (20, 10)),
        (7, 7, (20, 20)),
        (30, 90, (7, 20)),
        (3, 300, (1, 20)),
        (1, 1, (20, 20)),
    ],
)
def test_the_long_side_becomes_20_and_the_aspect_stays(width: int, height: int, expected: tuple[int, int]) -> None:
    assert extent(normalize(np.full((height, width), 255, np.uint8))) == expected


@pytest.mark.parametrize("scale", [1, 2, 3, 7])
def test_the_center_of_mass_comes_to_the_middle(scale: int) -> None:
    x, y = center_of_mass(normalize(seven(scale)))
    assert abs(x - 14) <= 0.5
    assert abs(y - 14) <= 0.5


def test_ink_whose_mass_lies_at_one_end_stays_inside_the_field() -> None:
    ink = np.zeros((100, 100), np.uint8)
    ink[:10], ink[:, :2] = 255, 255
    image = normalize(ink)
    assert extent(image) == (20, 20)
    assert image[8].min() == 0
    assert cv2.boundingRect(image)[1] == 8  # as far down as the field allows


def test_every_size_of_the_same_ink_gives_about_the_same_picture() -> None:
    reference = normalize(seven(8)).astype(int)
    for scale in (2, 3, 5, 16):
        assert np.abs(normalize(seven(scale)) - reference).mean() < 4


def test_paper_around_the_ink_changes_nothing() -> None:
    ink = seven(2)
    padded = cv2.copyMakeBorder(ink, 3, 50, 70, 1, cv2.BORDER_CONSTANT, value=0)
    assert np.array_equal(normalize(np.asarray(padded, np.uint8)), normalize(ink))


def test_faint_ink_is_stretched_to_full_contrast() -> None:
    assert np.array_equal(normalize(seven(2) // 3), normalize(seven(2)))
    assert normalize(seven(2) // 3).max() == 255


@pytest.mark.parametrize("diameter", [13, 50, 333])
def test_hard_edges_become_soft_whether_ink_is_enlarged_or_reduced(diameter: int) -> None:
    ink = np.zeros((diameter, diameter), np.uint8)
    cv2.circle(ink, (diameter // 2, diameter // 2), diameter // 2, 255, cv2.FILLED)
    image = normalize(ink)
    assert ((image > 20) & (image < 235)).sum() > 15
    assert image.sum() / 255 == pytest.approx(np.pi * 10**2, rel=0.2)


def test_enlarged_ink_is_interpolated() -> None:
    ink = np.full((10, 10), 255, np.uint8)
    ink[:, 5] = 127
    between = [int(value) for value in normalize(ink)[14] if 0 < value < 255]
    assert between == pytest.approx([223, 159, 159, 223], abs=1)


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (500, 3)])
def test_no_ink_gives_an_empty_field(shape: tuple[int, int]) -> None:
    assert np.array_equal(normalize(np.zeros(shape, np.uint8)), np.zeros((28, 28), np.uint8))


def test_mnist_digits_come_out_nearly_as_they_were(digits: tuple[Uint8, Uint8]) -> None:
    images, _ = digits
    again = np.array([normalize(image) for image in images]).astype(int)
    assert np.median(np.abs(again - images).mean(axis=(1, 2))) < 3
    # Where the center of mass lies between two pixels, MNIST's makers now and then rounded the other way.
    shifts = [np.roll(again, (y, x), axis=(1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    nearest = np.min([np.abs(shift - images).mean(axis=(1, 2)) for shift in shifts], axis=0)
    assert np.mean(nearest < 5) >= 0.98


def test_mnist_digits_already_are_in_the_contract(digits: tuple[Uint8, Uint8]) -> None:
    centers = np.array([center_of_mass(image) for image in digits[0]])
    assert np.abs(np.median(centers, axis=0) - 14).max() < 0.5
    assert {max(extent(image)) for image in digits[0]} == {20}


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=50)))
def test_any_ink_gives_a_28x28_picture_and_stays_as_it_was(ink: Uint8) -> None:
    before = ink.copy()
    image = normalize(ink)
    assert image.dtype == np.uint8
    assert image.shape == (28, 28)
    assert image.any() == ink.any()
    assert max(extent(image)) <= 20
    assert np.array_equal(ink, before)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 255))
def test_solid_ink_of_any_size_and_darkness_becomes_a_centered_solid(width: int, height: int, darkness: int) -> None:
    image = normalize(np.full((height, width), darkness, np.uint8))
    assert set(np.unique(image)) == {0, 255}
    x, y = center_of_mass(image)
    assert abs(x - 14) <= 0.5
    assert abs(y - 14) <= 0.5
