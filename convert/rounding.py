"""Round the weights of layers to int8 steps with the least change of the layers' outputs.

Rounding each weight to its nearest step is not optimal, because later weights can compensate the error of earlier ones.
This module rounds one input after the other, and spreads each error over the following inputs by their correlation in
pictures (Frantar, Ashkboos, Hoefler, Alistarh 2023, "GPTQ"); the remaining mean error goes into the bias (Nagel et al.
2019).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.layers import Float64, Layer, activated, as_float32, flat_kernel, inputs, largest_weights, linear

STEPS = 127  # to the largest weight, on either side of 0
DAMPING = 0.01  # share of the inputs' mean square, added to each: some pixels never have ink


def round_weights(layers: Sequence[Layer], images: NDArray[np.uint8]) -> list[Layer]:
    """Return layers whose kernels hold integer multiples of a step: the largest weight divided by 127.

    A dense layer has one step; each output of a convolution has its own. The outputs for `images`, uint8 (N, 28, 28),
    change least. Conversion derives the same steps, and changes no weight further.
    """
    values: NDArray[Any] = images
    rounded = []
    for layer in layers:
        kernel = flat_kernel(layer)
        mean, together = _moments(layer, values)
        steps = _rounded(kernel, largest_weights(layer), together)
        bias = layer.bias - mean @ (steps - kernel)
        layer = as_float32(layer._replace(kernel=steps.reshape(layer.kernel.shape), bias=bias))
        rounded.append(layer)
        values = activated(layer, linear(layer, values))
    return rounded


def _moments(layer: Layer, values: NDArray[Any]) -> tuple[Float64, Float64]:
    """Return the mean of a layer's inputs, (inputs,), and of the products of each two of them, (inputs, inputs)."""
    size, count = len(flat_kernel(layer)), 0
    total, products = np.zeros(size), np.zeros((size, size))
    for chunk in inputs(layer, values):
        seen = chunk.reshape(-1, size)
        total, products, count = total + seen.sum(axis=0), products + seen.T @ seen, count + len(seen)
    return total / count, products / count


def _rounded(kernel: Float64, largest: Float64, together: Float64) -> Float64:
    """Return a kernel, (inputs, outputs), rounded to steps of `largest` / 127, () or (outputs,).

    Changes `together`, the mean products of the inputs.
    """
    step = largest / STEPS
    together[np.diag_indices_from(together)] += DAMPING * together.diagonal().mean() + 1e-12
    spread = np.linalg.cholesky(np.linalg.inv(together)).T  # upper triangular: how later inputs compensate an error
    left, whole = kernel.copy(), np.empty_like(kernel)
    for j in range(len(kernel)):
        whole[j] = np.clip(np.round(left[j] / step), -STEPS, STEPS)
        error = (left[j] - whole[j] * step) / spread[j, j]
        left[j + 1 :] -= np.outer(spread[j, j + 1 :], error)
    greatest = np.abs(kernel) == largest
    whole[greatest] = STEPS * np.sign(kernel[greatest])  # keeps the steps the same
    return np.asarray(whole * step)
