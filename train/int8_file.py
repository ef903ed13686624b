"""The layers of an int8 model file: its dense layers, integers as stored, and its line network's convolutions."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file

# The operators of such a file, in order: quantize pixels to int8, flatten them, then the layers.
START, DENSE = ["QUANTIZE", "RESHAPE"], "FULLY_CONNECTED"
CONVOLUTIONS = "CONV_2D", "DEPTHWISE_CONV_2D"
OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}


class Steps(NamedTuple):
    """Quantization parameters: an integer n represents (n - zero) * scale."""

    scale: float
    zero: int


class Whole(NamedTuple):
    """A dense layer of an int8 file: `weights` int8 (outputs, inputs), with `scales` float32 (1,) or (outputs,).

    `bias` is int32 (outputs,), in steps of the inputs' scale times the weights'. `inputs` and `answered` quantize the
    int8 inputs and outputs.
    """

    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    bias: NDArray[np.int32]
    inputs: Steps
    answered: Steps

    @property
    def real_kernel(self) -> NDArray[np.float64]:
        """The weights as real numbers, (inputs, outputs)."""
        return (self.weights * self.scales.astype(np.float64)[:, None]).T

    @property
    def real_bias(self) -> NDArray[np.float64]:
        """The bias as real numbers, (outputs,)."""
        return self.bias * (self.scales.astype(np.float64) * self.inputs.scale)


class Convolution(NamedTuple):
    """A convolution as real numbers, in Keras' layout.

    `kernel` is float64 (rows, columns, inputs, outputs), of a depthwise convolution (rows, columns, inputs, 1); `bias`
    is float64 (outputs,).
    """

    kernel: NDArray[np.float64]
    bias: NDArray[np.float64]


def read(path: Path) -> list[Whole]:
    """Return the layers of an int8 file. Raises ModelError where it is unreadable or has other operators."""
    graph, buffers, kinds = read_graph(path)
    dense = [operator for operator, kind in zip(graph.operators, kinds, strict=True) if kind == DENSE]
    tensors = graph.tensors
    whole = all(
        tensors[each].type == schema.TensorType.INT8
        for operator in dense
        for each in (*operator.inputs[:2], operator.outputs[0])
    )
    if not dense or not whole or kinds != START + [DENSE] * len(dense):
        raise ModelError(f"{path} must consist of int8 dense layers with byte inputs, not of {', '.join(kinds)}")

    def steps(number: int) -> Steps:
        values = tensors[number].quantization
        return Steps(float(values.scale[0]), int(values.zeroPoint[0]))

    layers = []
    for operator in dense:
        taken, weights, bias = operator.inputs
        outputs = int(tensors[weights].shape[0])
        layers.append(
            Whole(
                _stored(tensors[weights], buffers),
                np.asarray(tensors[weights].quantization.scale, np.float32),
                # -1 means no bias.
                _stored(tensors[bias], buffers) if bias >= 0 else np.zeros(outputs, np.int32),
                steps(taken),
                steps(operator.outputs[0]),
            )
        )
    return layers


def convolutions(path: Path) -> list[Convolution]:
    """Return the convolutions of the line network in a model file. Raises ModelError where there is none in int8."""
    flatbuffer = model_file.read(path).line
    if flatbuffer is None:
        raise ModelError(f"{path} has no line network")
    graph, buffers, kinds = _parsed(path, flatbuffer)
    layers = []
    for operator, kind in zip(graph.operators, kinds, strict=True):
        if kind in CONVOLUTIONS:
            kernel, bias = (graph.tensors[number] for number in operator.inputs[1:])
            if (kernel.type, bias.type) != (schema.TensorType.INT8, schema.TensorType.INT32):
                raise ModelError(f"the line network of {path} is not in int8")
            # Stored as (outputs, rows, columns, inputs), or as (1, rows, columns, inputs) of a depthwise convolution.
            layers.append(Convolution(_real(kernel, buffers).transpose(1, 2, 3, 0), _real(bias, buffers)))
    return layers


def _real(tensor: Any, buffers: Any) -> NDArray[np.float64]:
    """Return the real numbers of a tensor of weights, which has a scale for each index of its quantized axis."""
    values = _stored(tensor, buffers)
    shape = [1] * values.ndim
    shape[tensor.quantization.quantizedDimension] = len(tensor.quantization.scale)
    return np.asarray(values * np.reshape(tensor.quantization.scale, shape), np.float64)


def _stored(tensor: Any, buffers: Any) -> NDArray[Any]:
    """Return the integers of a tensor in int8 or int32."""
    kind = np.int8 if tensor.type == schema.TensorType.INT8 else np.int32
    return np.asarray(np.frombuffer(buffers[tensor.buffer].data, kind).reshape(tensor.shape))


def read_graph(path: Path) -> tuple[Any, Any, list[str]]:
    """Return the graph of any model file, its buffers, and the names of its operators. Raises ModelError."""
    return _parsed(path, model_file.read(path).flatbuffer)


def _parsed(path: Path, flatbuffer: bytes) -> tuple[Any, Any, list[str]]:
    try:
        model = schema.ModelT.InitFromPackedBuf(flatbuffer)
        (graph,) = model.subgraphs
        kinds = [OPERATORS[model.operatorCodes[operator.opcodeIndex].builtinCode] for operator in graph.operators]
    except Exception as error:  # boundary: an invalid flatbuffer may raise anything
        raise ModelError(f"{path} is not a TensorFlow Lite file: {type(error).__name__}: {error}") from error
    return graph, model.buffers, kinds
