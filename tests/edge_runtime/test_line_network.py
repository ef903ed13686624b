import json
import zipfile
from itertools import groupby, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime import model_file
from edge_runtime.errors import ModelCorrupt, ModelError
from edge_runtime.line_network import BLANK, LineNetwork, decode, greedy, likelihood
from edge_runtime.vision.strips import COLUMNS, ROWS


def sure(*path: int) -> np.ndarray:
    """Return the probabilities of a network that is sure of an output at every step."""
    return np.eye(BLANK + 1)[list(path)]


def test_equal_outputs_in_a_row_are_one_digit_and_a_blank_parts_two() -> None:
    text = decode(sure(BLANK, 3, 3, BLANK, 3, 7, 7), 2.0)
    assert text.labels == (3, 3, 7)
    assert text.columns == ((2.0, 6.0), (8.0, 10.0), (10.0, 14.0))
    assert np.array_equal(text.confidences, sure(3, 3, 7)[:, :BLANK])
    assert text.likely == 1.0


def test_a_strip_without_digits_says_so() -> None:
    text = decode(sure(*[BLANK] * 9), 2.0)
    assert (text.labels, text.likely, text.columns, text.confidences.shape) == ((), 1.0, (), (0, BLANK))


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2), max_size=3))
def test_the_likelihood_is_the_sum_over_every_way_to_tell_the_digits(seed: int, labels: list[int]) -> None:
    rng = np.random.default_rng(seed)
    probabilities = np.zeros((5, BLANK + 1))
    probabilities[:, [0, 1, 2, BLANK]] = rng.dirichlet(np.full(4, 0.5), 5)
    ways = 0.0
    for path in product((0, 1, 2, BLANK), repeat=5):
        if [label for label, _ in groupby(path) if label != BLANK] == labels:
            ways += probabilities[range(5), path].prod()
    # Blanks in a row that are all but sure count as one: see SURER.
    assert likelihood(probabilities, labels) == pytest.approx(ways, abs=2e-3)


def test_two_equal_digits_need_a_blank_between_them() -> None:
    assert likelihood(sure(4, BLANK, BLANK, BLANK, 4), [4, 4]) == 1.0
    assert likelihood(sure(4, 4, 4), [4, 4]) == 0.0


def test_the_line_network_that_ships_reads_its_golden_strips() -> None:
    model = model_file.read(model_file.SHIPPED)
    assert model.line is not None
    golden, network = model.golden(), LineNetwork(model.path, model.line, 1)
    for strip, scores in zip(golden["line_inputs"], golden["line_outputs"], strict=True):
        answered = network.scores(strip)
        assert answered.shape == (COLUMNS // 2, BLANK + 1)
        assert np.abs(answered.astype(int) - scores.astype(int)).max() <= 2
        probabilities = network.probabilities(strip)
        assert np.allclose(probabilities.sum(axis=1), 1)
        assert greedy(probabilities) == greedy(answered)
    network.close()
    network.close()
    with pytest.raises(ValueError, match="closed"):
        network.scores(np.zeros((ROWS, COLUMNS), np.uint8))


def test_another_network_in_its_place_is_refused() -> None:
    model = model_file.read(model_file.SHIPPED)
    with pytest.raises(ModelError, match="holds a line network that takes"):
        LineNetwork(model.path, model.flatbuffer, 1)


def test_a_line_network_that_is_not_the_card_s_is_refused(tmp_path: Path) -> None:
    model = model_file.read(model_file.SHIPPED)
    path = tmp_path / "model.tflite"
    model_file.write(path, model.flatbuffer, dict(model.card or {}), model.golden(), model.line)
    card = json.loads(zipfile.ZipFile(path).read("card.json"))
    card["line_network"]["sha256"] = "0" * 64
    model_file.add_to_card(path, line_network=card["line_network"])
    with pytest.raises(ModelCorrupt, match="its line network is not the one that its card names"):
        model_file.read(path)
