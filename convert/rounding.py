"""Dense layers -> the same with weights in the steps of int8, rounded so that what the layers answer changes least.

To round each weight to its nearest step is not best: what one weight loses, those after it can make good. Weights are
rounded one input after the other, and each error is spread over the inputs that follow as they occur together in
pictures (Frantar, Ashkboos, Hoefler, Alistarh 2023, "GPTQ"); what is left of it on average goes into the bias (Nagel et
al. 2019).
"""

import numpy as np
from numpy.typing import NDArray

from convert.fold import Dense

STEPS = 127  # of the largest weight, to either side
DAMPING = 0.01  # of the mean square of an input, added to each: some pixels are never inked

Float64 = NDArray[np.float64]


def round_weights(layers: list[Dense], images: NDArray[np.uint8]) -> list[Dense]:
    """Return layers whose kernels hold whole multiples of their largest weight's 127th part.

    `images`, uint8 (N, 28, 28), are what they are to answer alike for. Conversion finds the same steps, and changes
    nothing any more.
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
    """Return a kernel, (inputs, outputs), in steps; `values` are what comes in, (N, inputs)."""
    largest = np.abs(kernel).max()
    if not largest:
        return kernel
    step = largest / STEPS
    together = values.T @ values / len(values)
    together[np.diag_indices_from(together)] += DAMPING * together.diagonal().mean() + 1e-12
    spread = np.linalg.cholesky(np.linalg.inv(together)).T  # upper: how an error is made good by the inputs after it
    left, whole = kernel.copy(), np.empty_like(kernel)
    for j in range(len(kernel)):
        whole[j] = np.clip(np.round(left[j] / step), -STEPS, STEPS)
        error = (left[j] - whole[j] * step) / spread[j, j]
        left[j + 1 :] -= np.outer(spread[j, j + 1 :], error)
    where = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
    whole[where] = STEPS * np.sign(kernel[where])  # or the steps would be others
    return np.asarray(whole * step)
