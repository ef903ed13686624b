"""The operators and the dense layers of an int8 flatbuffer, without TensorFlow."""

import math
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.inference.contract import SIDE

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
OPERATOR_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
RELU = schema.ActivationFunctionType.RELU
LOWEST, HIGHEST = -128, 127  # of int8


class QuantizedDense(NamedTuple):
    """A dense layer for integers.

    Inputs are bytes 0-255: the int8 values of TFLite plus 128. `weights` is int8 (outputs, inputs); `bias` int64
    (outputs,) contains the zero point of the inputs. An output is the int8 value nearest to sum * multiplier / 2^31 /
    2^shift + `zero_point`, at least `lowest`.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int64]
    multiplier: int
    shift: int
    zero_point: int
    lowest: int

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return int(self.weights.shape[1])

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return int(self.weights.shape[0])


class Network(NamedTuple):
    """What the export needs of a flatbuffer: operators in order, scale and zero point of the scores."""

    flatbuffer: bytes
    operators: tuple[str, ...]
    output_scale: float
    output_zero_point: int


def read(flatbuffer: bytes) -> Network:
    """Read an int8 flatbuffer. Raises ModelError where pixels and scores are not those of the int8 recipe."""
    graph = _graph(flatbuffer)
    pixels, scores = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    kinds = schema.TensorType
    if pixels.type != kinds.UINT8 or scores.type != kinds.INT8:
        raise ModelError("the network does not take bytes and give int8 scores: export the int8 file")
    if tuple(pixels.shape) != (1, SIDE, SIDE) or _scale(pixels) != (1.0, 0):
        raise ModelError(f"the network's input is {_words(pixels.shape)}, expected raw pixels, 1x{SIDE}x{SIDE}")
    if len(scores.shape) != 2:
        raise ModelError(f"the network's output is {_words(scores.shape)}, expected a score for each class")
    names = tuple(_name(flatbuffer, operator) for operator in graph.operators)
    return Network(flatbuffer, names, *_scale(scores))


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
    model = _model(network.flatbuffer)
    graph = model.subgraphs[0]
    dense = [each for each in graph.operators if _name(network.flatbuffer, each) == "FULLY_CONNECTED"]
    return [_dense(model, graph, operator, number) for number, operator in enumerate(dense, 1)]


def quantized_multiplier(factor: float) -> tuple[int, int]:
    """Return (multiplier, shift) with factor = multiplier / 2^31 / 2^shift, as TFLite does; 0 < factor < 1."""
    fraction, exponent = math.frexp(factor)
    multiplier = round(fraction * 2**31)
    if multiplier == 2**31:
        multiplier, exponent = multiplier // 2, exponent + 1
    return (multiplier, -exponent) if exponent >= -31 else (0, 0)


def _dense(model: Any, graph: Any, operator: Any, number: int) -> QuantizedDense:
    inputs, kernel, bias = (graph.tensors[index] for index in operator.inputs)
    outputs = graph.tensors[operator.outputs[0]]
    if len(kernel.quantization.scale) != 1:
        raise ModelError(f"layer {number} has a scale for each output, expected one for the layer")
    # The product of the scales is one of floats, as in TFLite.
    product = np.float32(inputs.quantization.scale[0]) * np.float32(kernel.quantization.scale[0])
    multiplier, shift = quantized_multiplier(float(product) / _scale(outputs)[0])
    if shift < 0 or multiplier <= 0:
        raise ModelError(f"layer {number} cannot be exported: its outputs are larger than its sums, or all the same")
    weights = np.frombuffer(bytes(model.buffers[kernel.buffer].data), np.int8).reshape(kernel.shape)
    offsets = np.frombuffer(bytes(model.buffers[bias.buffer].data), "<i4").astype(np.int64)
    offsets = offsets - (_scale(inputs)[1] - LOWEST) * weights.astype(np.int64).sum(axis=1)
    zero_point = _scale(outputs)[1]
    relu = operator.builtinOptions.fusedActivationFunction == RELU
    return QuantizedDense(weights, offsets, multiplier, shift, zero_point, zero_point if relu else LOWEST)


def _model(flatbuffer: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))


def _graph(flatbuffer: bytes) -> Any:
    return _model(flatbuffer).subgraphs[0]


def _name(flatbuffer: bytes, operator: Any) -> str:
    code = schema.Model.GetRootAs(flatbuffer, 0).OperatorCodes(operator.opcodeIndex)
    return OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]


def _scale(tensor: Any) -> tuple[float, int]:
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])


def _words(shape: Any) -> str:
    return "x".join(map(str, shape))
