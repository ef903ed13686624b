from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.characters import Characters, Model, Scaling, load, measure, measures, reliability
from edge_runtime.errors import OptionError
from edge_runtime.records import Uint8

NOBODY = np.zeros((28, 28), np.uint8)


def model(rows: list[list[float]]) -> Model:
    """Return a model whose answers follow the pictures' first pixel."""
    table = np.array(rows)
    return lambda images: table[images[:, 0, 0]]


def numbered(count: int, first: int = 0) -> Uint8:
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = range(first, first + count)
    return images


def answer(label: int, confidence: float, none: float = 0.0) -> list[float]:
    rest = (1 - confidence - none) / 9
    return [confidence if i == label else rest for i in range(10)] + [none]


def test_figures_are_exact() -> None:
    asked = model([answer(3, 0.9), answer(4, 0.6), answer(5, 0.3, none=0.6), answer(1, 0.8, none=0.1)])
    sets = {"MNIST test": Characters(numbered(4), np.array(["3", "9", "5", "1"]))}
    (row,) = measure(asked, sets, 0.5, Scaling())["digits"]
    assert (row.count, row.read, row.accepted, row.read_accepted) == (4, 75, 75, 50)
    wrong = 0.4 / 9
    assert row.nll == pytest.approx(-np.log([0.9, wrong, 0.3, 0.8]).mean())
    assert row.nll_uncalibrated == pytest.approx(row.nll)
    of_first = 0.1**2 + 9 * (0.1 / 9) ** 2
    of_second = 0.6**2 + (1 - wrong) ** 2 + 8 * wrong**2
    of_third = 0.7**2 + 0.6**2 + 9 * (0.1 / 9) ** 2
    of_fourth = 0.2**2 + 0.1**2 + 9 * (0.1 / 9) ** 2
    assert row.brier == pytest.approx((of_first + of_second + of_third + of_fourth) / 4)


def test_probabilities_before_calibration_are_measured_apart() -> None:
    before = np.array([answer(3, 0.7, none=0.2), answer(4, 0.5, none=0.4)])
    logits = np.log(before) / 2.0
    logits[:, 10] += -1.5
    after = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sets = {"MNIST test": Characters(numbered(2), np.array(["3", "4"]))}
    (row,) = measure(lambda images: after[images[:, 0, 0]], sets, 0.5, Scaling(2.0, -1.5))["digits"]
    assert row.nll_uncalibrated == pytest.approx(-np.log([0.7, 0.5]).mean())
    assert row.nll == pytest.approx(-np.log([after[0, 3], after[1, 4]]).mean())


def test_letters_below_a_threshold_are_rejected_lookalikes_apart() -> None:
    sure = [answer(i % 10, 0.5 + i / 250) for i in range(100)]
    letters = [answer(0, 0.55), answer(0, 0.2, none=0.7), answer(0, 0.1, none=0.8), answer(1, 0.9)]
    sets = {
        "MNIST test": Characters(numbered(100), np.array([str(i % 10) for i in range(100)])),
        "letters": Characters(numbered(4, 100), np.array(["A", "K", "O", "l"])),
    }
    rows = measure(model([*sure, *letters]), sets, 0.5, Scaling())["letters"]
    assert [(row.where.split(": ")[1], row.clear, row.look_alike) for row in rows] == [
        ("accepts 99 % of MNIST test", 50, 50),
        ("the model's own", 50, 50),
    ]
    assert [(row.clear_count, row.look_alike_count) for row in rows] == [(2, 2), (2, 2)]
    assert rows[0].threshold == pytest.approx(np.quantile([0.5 + i / 250 for i in range(100)], 0.01))


def test_a_set_may_hold_no_lookalike_letter() -> None:
    sets = {
        "MNIST test": Characters(numbered(1), np.array(["3"])),
        "letters": Characters(numbered(1, 1), np.array(["K"])),
    }
    results = measure(model([answer(3, 0.9), answer(0, 0.2)]), sets, 0.5, Scaling())
    assert [(row.clear, row.look_alike, row.look_alike_count) for row in results["letters"]] == [(100, None, 0)] * 2
    shares = {each.name: each for each in measures("int8", results)}
    assert (shares["int8 MNIST test/read and accepted"].count, shares["int8 MNIST test/read and accepted"].of) == (1, 1)
    assert shares["int8 letters: the model's own/letters rejected"].value == 100
    assert not any("look-alikes" in name for name in shares)


def test_bins_have_equal_mass() -> None:
    best = np.linspace(0.1, 1, 150)
    bins = reliability(best, best > 0.55)
    assert [count for _, _, count in bins] == [10] * 15
    assert [share for _, share, _ in bins][0::14] == [0, 1]
    assert sum(share * count for _, share, count in bins) == (best > 0.55).sum()


@pytest.mark.parametrize("dark", [False, True])
def test_characters_of_either_polarity_fit_the_contract(tmp_path: Path, dark: bool) -> None:
    image = np.full((20, 16), 30, np.uint8)
    image[3:17, 7:9] = 230
    path = tmp_path / "some.npz"
    np.savez(path, images=np.array([255 - image if dark else image] * 2), labels=np.array([1, 1]))
    images, labels = load(path)
    assert images.shape == (2, 28, 28)
    assert labels.tolist() == ["1", "1"]
    rows, columns = (np.flatnonzero(images[0].max(axis=axis)) for axis in (1, 0))
    assert len(rows) == 20
    assert len(columns) <= 6


@pytest.mark.parametrize(
    "arrays",
    [{"images": np.zeros((2, 8, 8), np.uint8)}, {"images": np.zeros((2, 8), np.uint8), "labels": np.zeros(2)},
     {"images": np.zeros((2, 8, 8), np.float32), "labels": np.zeros(2)},
     {"images": np.zeros((2, 8, 8), np.uint8), "labels": np.zeros(3)}],
    ids=["no labels", "flat", "floats", "too many labels"],
)  # fmt: skip
def test_another_kind_of_file_is_one_line(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "other.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"other\.npz (is not a file of characters|must contain images)"):
        load(tmp_path / "other.npz")
    (tmp_path / "other.npz").write_bytes(b"garbage")
    with pytest.raises(OptionError, match=r"other\.npz is not a file of characters"):
        load(tmp_path / "other.npz")
