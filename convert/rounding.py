"""Round the weights of dense layers to int8 steps with the least change of the layers' outputs.

Rounding each weight to its nearest step is not optimal, because later weights can compensate the error of earlier ones.
This module rounds one input after the other, and spreads each error over the following inputs by their correlation in
pictures (Frantar, Ashkboos, Hoefler, Alistarh 2023, "GPTQ"); the remaining mean error goes into the bias (Nagel et al.
2019).
"""

import numpy as np
from numpy.typing import NDArray

from convert.fold import Dense

STEPS = 127  # to the largest weight, on either side of 0
DAMPING = 0.01  # share of the inputs' mean square, added to each: some pixels never have ink

Float64 = NDArray[np.float64]


def round_weights(layers: list[Dense], images: NDArray[np.uint8]) -> list[Dense]:
    """Return layers whose kernels hold integer multiples of their largest weight divided by 127.

    The outputs for `images`, uint8 (N, 28, 28), change least. Conversion derives the same steps, and changes no weight
    further.
    """
    values = images.reshape(len(images), -1).astype(np.float64)
    rounded = []
    for i, layer in enumerate(layers):
        kernel = layer.kernel.astype(np.float64)
        steps = _rounded(kernel, values)
        bias = layer.bias - values.mean(axis=0) @ (steps - kernel)
        rounded.append(Dense(steps.astype(np.float32), bias.astype(np.float32)))
        values = values @ steps + bias
        if i < len(layers) - 1:
            values = np.maximum(values, 0)
    return rounded


def _rounded(kernel: Float64, values: Float64) -> Float64:
    """Return a kernel, (inputs, outputs), rounded to steps; `values` are the inputs, (N, inputs)."""
    largest = np.abs(kernel).max()
    if not largest:
        return kernel
    step = largest / STEPS
    together = values.T @ values / len(values)
    together[np.diag_indices_from(together)] += DAMPING * together.diagonal().mean() + 1e-12
    spread = np.linalg.cholesky(np.linalg.inv(together)).T  # upper triangular: how later inputs compensate an error
    left, whole = kernel.copy(), np.empty_like(kernel)
    for j in range(len(kernel)):
        whole[j] = np.clip(np.round(left[j] / step), -STEPS, STEPS)
        error = (left[j] - whole[j] * step) / spread[j, j]
        left[j + 1 :] -= np.outer(spread[j, j + 1 :], error)
    where = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
    whole[where] = STEPS * np.sign(kernel[where])  # keeps the steps the same
    return np.asarray(whole * step)
