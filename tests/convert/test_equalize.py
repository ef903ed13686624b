from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from convert.equalize import equalize
from convert.layers import Dense, Layer


def network(sizes: list[int], seed: int, spread: float = 3.0) -> list[Dense]:
    """Return random layers whose hidden units differ in range by powers of ten."""
    rng = np.random.default_rng(seed)
    layers = []
    for inputs, outputs in pairwise(sizes):
        scale = 10 ** rng.uniform(-spread / 2, spread / 2, outputs)
        layers.append(
            Dense(
                np.asarray(rng.normal(size=(inputs, outputs)) * scale, np.float32),
                np.asarray(rng.normal(size=outputs) * scale, np.float32),
            )
        )
    return layers


def answers(layers: Sequence[Layer], values: np.ndarray) -> np.ndarray:
    values = values.astype(np.float64)
    for i, layer in enumerate(layers):
        values = values @ layer.kernel + layer.bias
        values = np.maximum(values, 0) if i < len(layers) - 1 else values
    return np.asarray(values)


def rounded(layers: Sequence[Layer]) -> list[Dense]:
    """Return the layers with kernels in 8 bits, one scale each."""
    kept = []
    for layer in layers:
        step = np.abs(layer.kernel).max() / 127
        kept.append(Dense(np.asarray(np.round(layer.kernel / step) * step, np.float32), layer.bias))
    return kept


@given(st.lists(st.integers(1, 12), min_size=2, max_size=5), st.integers(0, 100))
def test_the_network_answers_the_same(sizes: list[int], seed: int) -> None:
    layers = network(sizes, seed)
    values = np.random.default_rng(seed).normal(size=(20, sizes[0]))
    expected = answers(layers, values)
    assert np.allclose(answers(equalize(layers), values), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_units_have_common_ranges() -> None:
    first, second = equalize(network([30, 20, 10], 1))
    taken, given_on = np.abs(first.kernel).max(axis=0), np.abs(second.kernel).max(axis=1)
    assert np.allclose(taken, given_on, rtol=1e-3)


def test_eight_bits_lose_less() -> None:
    layers = network([30, 40, 40, 10], 2)
    values = np.random.default_rng(3).normal(size=(200, 30))
    expected = answers(layers, values)
    before, after = (np.abs(answers(rounded(made), values) - expected).mean() for made in (layers, equalize(layers)))
    assert after < 0.7 * before


def test_units_that_are_dead_stay_as_they_are() -> None:
    first, second = network([6, 4, 3], 4)
    first.kernel[:, 1] = 0
    second.kernel[2] = 0
    after = equalize([first, second])
    assert np.array_equal(after[0].kernel[:, 1], first.kernel[:, 1])
    assert np.array_equal(after[1].kernel[2], second.kernel[2])
    assert all(np.isfinite(array).all() for layer in after for array in layer)
