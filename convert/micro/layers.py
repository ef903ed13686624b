"""What the C sources need of an int8 model file: its operators, and its dense layers with TFLite's integer factors."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.inference.contract import SIDE
from train import int8_file
from train.int8_file import Steps

# TFLite Micro's operators that `python -m convert` produces, and the method of MicroMutableOpResolver that adds each.
MICRO_OPERATORS = {
    "CONV_2D": "AddConv2D",
    "EXPAND_DIMS": "AddExpandDims",
    "FULLY_CONNECTED": "AddFullyConnected",
    "MAX_POOL_2D": "AddMaxPool2D",
    "PACK": "AddPack",
    "QUANTIZE": "AddQuantize",
    "RESHAPE": "AddReshape",
    "SHAPE": "AddShape",
    "STRIDED_SLICE": "AddStridedSlice",
}
# Those of a network of dense layers; the first two only bring the pixels into another form.
DENSE_OPERATORS = ("QUANTIZE", "RESHAPE", "FULLY_CONNECTED")
LOWEST = -128  # of int8


class QuantizedDense(NamedTuple):
    """A dense layer for integers.

    Inputs are bytes 0-255: the int8 values of TFLite plus 128. `weights` is int8 (outputs, inputs), `bias` int32
    (outputs,). An output is the int8 value nearest to sum * multiplier / 2^31 / 2^shift + `zero_point`. Below -128 it
    is cut off, which is the ReLU of all layers but the last.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: int
    shift: int
    zero_point: int

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return int(self.weights.shape[1])

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return int(self.weights.shape[0])


class Network(NamedTuple):
    """The operators of a model file in order, and the quantization of its scores."""

    path: Path
    operators: tuple[str, ...]
    scores: Steps


def read(path: Path) -> Network:
    """Read an int8 model file. Raises ModelError where pixels and scores are not those of the int8 recipe."""
    graph, _, operators = int8_file.read_graph(path)
    pixels, scores = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    if pixels.type != schema.TensorType.UINT8 or scores.type != schema.TensorType.INT8:
        raise ModelError(f"{path} does not take bytes and give int8 scores: export the int8 file")
    if tuple(pixels.shape) != (1, SIDE, SIDE) or _steps(pixels) != Steps(1.0, 0):
        raise ModelError(f"{path} has input shape {_words(pixels.shape)}, expected raw pixels, 1x{SIDE}x{SIDE}")
    if len(scores.shape) != 2:
        raise ModelError(f"{path} has output shape {_words(scores.shape)}, expected a score for each class")
    return Network(path, tuple(operators), _steps(scores))


def resolver_methods(network: Network) -> list[str]:
    """Return the methods of MicroMutableOpResolver that add the operators. Raises ModelError where there is none."""
    for name in network.operators:
        if name not in MICRO_OPERATORS:
            raise ModelError(
                f"operator {name} is not supported: this export knows {', '.join(MICRO_OPERATORS)} of TFLite Micro"
            )
    return sorted({MICRO_OPERATORS[name] for name in network.operators})


def dense_layers(network: Network) -> list[QuantizedDense]:
    """Return the layers of a network of dense layers alone. Raises ModelError for any other."""
    for name in network.operators:
        if name not in DENSE_OPERATORS:
            raise ModelError(
                f"operator {name} is not supported: the engine c has dense layers alone; use --engine tflm"
            )
    return [_dense(layer, number) for number, layer in enumerate(int8_file.read(network.path), 1)]


def quantized_multiplier(factor: float) -> tuple[int, int]:
    """Return (multiplier, shift) with factor = multiplier / 2^31 / 2^shift, as TFLite does; 0 < factor < 1."""
    fraction, exponent = math.frexp(factor)
    multiplier = round(fraction * 2**31)
    if multiplier == 2**31:
        multiplier, exponent = multiplier // 2, exponent + 1
    return (multiplier, -exponent) if exponent >= -31 else (0, 0)


def _dense(layer: int8_file.Whole, number: int) -> QuantizedDense:
    if len(layer.scales) != 1:
        raise ModelError(f"layer {number} has a scale for each output, expected one for the layer; use --engine tflm")
    # The product of the scales is one of floats, as in TFLite.
    product = np.float32(layer.inputs.scale) * layer.scales[0]
    multiplier, shift = quantized_multiplier(float(product) / layer.answered.scale)
    if layer.inputs.zero != LOWEST or shift < 0 or multiplier <= 0:
        raise ModelError(f"layer {number} has inputs or outputs of an unusual range; use --engine tflm")
    return QuantizedDense(layer.weights, layer.bias, multiplier, shift, layer.answered.zero)


def _steps(tensor: Any) -> Steps:
    return Steps(float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0]))


def _words(shape: Any) -> str:
    return "x".join(map(str, shape))
