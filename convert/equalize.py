"""Dense layers -> the same network with weights that lose less when each layer has a single scale.

Dividing the incoming weights and bias of a ReLU unit by a positive factor and multiplying its outgoing weights by it
does not change the network; the factor here gives both the same range (Nagel, van Baalen, Blankevoort, Welling 2019,
"Data-free quantization through weight equalization and bias correction").
"""

import numpy as np

from convert.fold import Dense

ROUNDS = 20


def equalize(layers: list[Dense]) -> list[Dense]:
    """Return layers with the same outputs, with the hidden units' weights in common ranges."""
    kernels = [layer.kernel.astype(np.float64) for layer in layers]
    biases = [layer.bias.astype(np.float64) for layer in layers]
    for _ in range(ROUNDS):
        for i in range(len(layers) - 1):
            incoming, outgoing = np.abs(kernels[i]).max(axis=0), np.abs(kernels[i + 1]).max(axis=1)
            used = (incoming > 0) & (outgoing > 0)
            factor = np.where(used, np.sqrt(np.where(used, incoming / np.where(used, outgoing, 1), 1)), 1)
            kernels[i], biases[i] = kernels[i] / factor, biases[i] / factor
            kernels[i + 1] = kernels[i + 1] * factor[:, None]
    return [Dense(k.astype(np.float32), b.astype(np.float32)) for k, b in zip(kernels, biases, strict=True)]
