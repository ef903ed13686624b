"""Dense layers -> the same network with weights that lose less when each layer has a single scale.

Dividing the incoming weights and bias of a ReLU unit by a positive factor and multiplying its outgoing weights by it
does not change the network; the factor here gives both the same range (Nagel, van Baalen, Blankevoort, Welling 2019,
"Data-free quantization through weight equalization and bias correction").
"""

from collections.abc import Sequence

import numpy as np

from convert.layers import Conv, Layer, as_float32

ROUNDS = 20


def equalize(layers: Sequence[Layer]) -> list[Layer]:
    """Return layers with the same outputs, with the hidden units' weights in common ranges.

    Convolutions stay as they are: each of their outputs has its own scale.
    """
    equalized = [layer._replace(kernel=layer.kernel.astype(np.float64)) for layer in layers]
    for _ in range(ROUNDS):
        for i in range(len(equalized) - 1):
            layer, following = equalized[i], equalized[i + 1]
            if isinstance(layer, Conv) or isinstance(following, Conv):
                continue
            incoming, outgoing = np.abs(layer.kernel).max(axis=0), np.abs(following.kernel).max(axis=1)
            used = (incoming > 0) & (outgoing > 0)
            factor = np.where(used, np.sqrt(np.where(used, incoming / np.where(used, outgoing, 1), 1)), 1)
            equalized[i] = layer._replace(kernel=layer.kernel / factor, bias=layer.bias / factor)
            equalized[i + 1] = following._replace(kernel=following.kernel * factor[:, None])
    return [as_float32(layer) for layer in equalized]
