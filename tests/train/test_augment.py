"""Distorted digits: random, but only as much as the settings say, and each by itself."""

import dataclasses
import functools

import numpy as np
import pytest
from numpy.typing import NDArray

from train import dataset
from train.augment import CHUNK, FIELDS, augment, displacement_fields
from train.recipes import Augmentation

NONE = Augmentation(rotation=0, scale=0, shear=0, shift=0, elastic_alpha=0)
Uint8 = NDArray[np.uint8]


@pytest.fixture(scope="module")
def digits() -> Uint8:
    return dataset.load("train").images[: CHUNK + 300]


@functools.lru_cache(maxsize=2)
def some_fields(settings: Augmentation) -> NDArray[np.float32]:
    return displacement_fields(settings, np.random.default_rng(0))


def distort(images: Uint8, settings: Augmentation, seed: int = 1) -> Uint8:
    return augment(images, settings, some_fields(settings), np.random.default_rng(seed))


def bar() -> Uint8:
    """A thick horizontal bar through the middle, a thousand times."""
    image = np.zeros((28, 28), np.uint8)
    image[12:16, 4:24] = 255
    return np.repeat(image[None], CHUNK, axis=0)


def centers(images: Uint8) -> NDArray[np.float64]:
    """Return the ink's center of mass of each image, (N, 2), y before x."""
    ink = images.astype(float) / images.sum(axis=(1, 2), keepdims=True)
    steps = np.arange(28)
    return np.stack([ink.sum(axis=2) @ steps, ink.sum(axis=1) @ steps], axis=1)


def variances(images: Uint8) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the ink's spread in y, in x, and both together, of each image."""
    ink = images.astype(float) / images.sum(axis=(1, 2), keepdims=True)
    middle = centers(images)
    y, x = (np.arange(28) - middle[:, axis, None] for axis in (0, 1))
    together = np.einsum("nyx,ny,nx->n", ink, y, x)
    return (ink.sum(axis=2) * y**2).sum(axis=1), (ink.sum(axis=1) * x**2).sum(axis=1), together


def test_same_generator_gives_the_same_bytes(digits: Uint8) -> None:
    once, again, other = (distort(digits, Augmentation(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any(axis=(1, 2)).mean() > 0.99


def test_without_distortions_nothing_changes(digits: Uint8) -> None:
    np.testing.assert_array_equal(distort(digits, NONE), digits)


@pytest.mark.parametrize("name", ["rotation", "scale", "shear", "shift", "elastic_alpha"])
def test_every_setting_alone_distorts(digits: Uint8, name: str) -> None:
    settings = dataclasses.replace(NONE, **{name: getattr(Augmentation(), name)})
    assert (distort(digits, settings) != digits).any(axis=(1, 2)).mean() > 0.99


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 300])
def test_every_digit_is_distorted_whatever_their_number(digits: Uint8, count: int) -> None:
    before = digits[:count].copy()
    after = distort(digits[:count], Augmentation())
    assert after.shape == (count, 28, 28)
    assert after.dtype == np.uint8
    assert (after != before).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(digits[:count], before)  # the originals are left alone
    if count:
        ink_before, ink_after = (images.sum(axis=(1, 2), dtype=float) for images in (before, after))
        assert np.abs(np.log2(ink_after / ink_before)).max() < 1.2


def test_no_digit_sees_its_neighbours(digits: Uint8) -> None:
    wild = Augmentation(rotation=30, scale=0.4, shear=0.5, shift=10, elastic_alpha=200)
    full = np.full_like(digits, 255)
    for position in (0, 500, CHUNK - 1, CHUNK, CHUNK + 299):
        full[position] = digits[position]
        np.testing.assert_array_equal(distort(full, wild)[position], distort(digits, wild)[position])


@pytest.mark.parametrize("settings", [Augmentation(elastic_alpha=0), dataclasses.replace(NONE, elastic_alpha=36)])
def test_digits_are_distorted_each_in_its_own_way(settings: Augmentation) -> None:
    after = distort(bar(), settings)
    assert len(np.unique(after.reshape(CHUNK, -1), axis=0)) > 0.8 * CHUNK  # there are but 4,096 elastic fields


def test_shift_is_in_pixels_in_both_directions() -> None:
    moved = centers(distort(bar(), dataclasses.replace(NONE, shift=1.5))) - centers(bar()[:1])
    assert np.abs(moved).max() <= 1.55
    assert (moved.max(axis=0) > 1.4).all()
    assert (moved.min(axis=0) < -1.4).all()


def test_rotation_is_in_degrees_around_the_middle() -> None:
    images = distort(bar(), dataclasses.replace(NONE, rotation=10))
    vertical, horizontal, together = variances(images)
    angles = np.degrees(0.5 * np.arctan2(2 * together, horizontal - vertical))
    assert np.abs(angles).max() < 10.3
    assert angles.max() > 9.5
    assert angles.min() < -9.5
    assert np.abs(centers(images) - 13.5).max() < 0.1


def test_scale_is_of_each_axis_alone() -> None:
    vertical, horizontal, _ = variances(distort(bar(), dataclasses.replace(NONE, scale=0.2)))
    wide = np.sqrt(horizontal / variances(bar()[:1])[1])
    assert wide.max() == pytest.approx(1.2, abs=0.03)
    assert wide.min() == pytest.approx(0.8, abs=0.03)
    assert abs(np.asarray(np.corrcoef(vertical, horizontal))[0, 1]) < 0.15


def test_shear_leans_but_does_not_lengthen() -> None:
    upright = bar().transpose(0, 2, 1).copy()
    vertical, _, together = variances(distort(upright, dataclasses.replace(NONE, shear=0.2)))
    lean = together / vertical  # x by y
    assert np.abs(lean).max() < 0.21
    assert lean.max() > 0.19
    assert lean.min() < -0.19
    assert np.sqrt(vertical / variances(upright[:1])[0]) == pytest.approx(1, abs=0.02)


def test_rotation_and_shear_together_keep_the_area() -> None:
    after = distort(bar(), dataclasses.replace(NONE, rotation=45, shear=0.5))
    ink = after.sum(axis=(1, 2), dtype=float) / bar()[0].sum(dtype=float)
    assert np.abs(ink - 1).max() < 0.1


# Fields


@pytest.fixture(scope="module")
def fields() -> NDArray[np.float32]:
    displacements = displacement_fields(Augmentation(elastic_alpha=36, elastic_sigma=5), np.random.default_rng(1))
    assert displacements.shape == (2, FIELDS, 784)
    assert displacements.dtype == np.float32
    return displacements.reshape(2, FIELDS, 28, 28)


def test_fields_push_as_far_as_simards(fields: NDArray[np.float32]) -> None:
    # Uniform noise from -1 to 1 has a deviation of 1 / sqrt(3); a Gaussian's average divides it by 2 sqrt(pi) sigma.
    expected = 36 / np.sqrt(3) / (2 * np.sqrt(np.pi) * 5)
    middle = fields[:, :, 13:15, 13:15]
    assert middle.std() == pytest.approx(expected, rel=0.05)
    assert abs(middle.mean()) < 0.05


@pytest.mark.parametrize("axis", [2, 3])
def test_fields_are_smooth(fields: NDArray[np.float32], axis: int) -> None:
    steps = np.diff(fields, axis=axis)
    # Neighbours under a Gaussian of sigma 5 correlate by exp(-1 / (4 * 25)): they differ by 0.14 deviations.
    assert steps.std() / fields.std() == pytest.approx(np.sqrt(2 - 2 * np.exp(-0.01)), rel=0.15)


def test_fields_differ_between_axes_and_digits(fields: NDArray[np.float32]) -> None:
    flat = fields[:, :200].reshape(400, 784)
    between = np.asarray(np.corrcoef(flat))[np.triu_indices(400, 1)]
    assert between.max() < 0.99
    assert abs(between.mean()) < 0.05


def test_fields_come_from_their_generator_alone() -> None:
    once, again, other = (displacement_fields(Augmentation(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
