import numpy as np
import pytest

from train.penmanship import FORMS, barred, smooth, write, write_one


def test_every_digit_has_forms_of_strokes() -> None:
    assert sorted(FORMS) == list(range(10))
    for forms in FORMS.values():
        assert forms
        assert all(len(set(stroke)) > 1 for form in forms for stroke in form)


def test_every_form_comes_with_its_labels() -> None:
    digits = write(2, np.random.default_rng(1))
    assert digits.images.shape == (2 * sum(map(len, FORMS.values())), 28, 28)
    assert digits.images.dtype == np.uint8
    assert np.bincount(digits.labels).tolist() == [2 * len(FORMS[label]) for label in range(10)]
    assert (digits.images.max(axis=(1, 2)) == 255).all()


def test_barred_sevens_are_those_of_two_strokes() -> None:
    digits = write(3, np.random.default_rng(1))
    sevens = digits.images[digits.labels == 7]
    expected = [3 * i + k for i, form in enumerate(FORMS[7]) if len(form) == 2 for k in range(3)]
    assert np.array_equal(barred(sevens), sevens[expected])


def test_seeds_repeat_and_no_two_are_equal() -> None:
    one, other = (write(3, np.random.default_rng(seed)).images for seed in (1, 1))
    assert np.array_equal(one, other)
    assert len({image.tobytes() for image in one}) == len(one)


def test_a_curve_passes_points_and_turns_at_doubles() -> None:
    corner = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 1.0)])
    curve = smooth(corner)
    # Along the first side, then down the second: nothing is cut short, nothing overshoots.
    assert curve[0].tolist() == [0, 0]
    assert curve[-1].tolist() == pytest.approx([1, 1])
    assert (np.abs(curve - [1, 0]).sum(axis=1) < 1e-9).any()
    assert all(x == pytest.approx(1) or y == pytest.approx(0) for x, y in curve)
    bow = smooth(np.array([(0.0, 0.0), (0.5, 1.0), (1.0, 0.0)]))
    assert np.abs(bow - [0.5, 1.0]).sum(axis=1).min() < 0.05


def test_a_flagged_one_is_wider_than_a_stem() -> None:
    rng = np.random.default_rng(2)
    stem = (((0.5, 0.0), (0.5, 1.0)),)
    wide = [np.count_nonzero(write_one(FORMS[1][1], rng).max(axis=0)) for _ in range(20)]
    slender = [np.count_nonzero(write_one(stem, rng).max(axis=0)) for _ in range(20)]
    assert np.median(wide) > np.median(slender)
