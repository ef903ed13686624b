"""The dense layers of an int8 model file as stored: integers, with scale and zero point."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file

# The operators of such a file, in order: quantize pixels to int8, flatten them, then the layers.
START, DENSE = ["QUANTIZE", "RESHAPE"], "FULLY_CONNECTED"
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

    def stored(number: int, kind: type[Any]) -> NDArray[Any]:
        tensor = tensors[number]
        return np.asarray(np.frombuffer(buffers[tensor.buffer].data, kind).reshape(tensor.shape))

    def steps(number: int) -> Steps:
        values = tensors[number].quantization
        return Steps(float(values.scale[0]), int(values.zeroPoint[0]))

    layers = []
    for operator in dense:
        taken, weights, bias = operator.inputs
        outputs = int(tensors[weights].shape[0])
        layers.append(
            Whole(
                stored(weights, np.int8),
                np.asarray(tensors[weights].quantization.scale, np.float32),
                # -1 means no bias.
                stored(bias, np.int32) if bias >= 0 else np.zeros(outputs, np.int32),
                steps(taken),
                steps(operator.outputs[0]),
            )
        )
    return layers


def read_graph(path: Path) -> tuple[Any, Any, list[str]]:
    """Return the graph of any model file, its buffers, and the names of its operators. Raises ModelError."""
    flatbuffer = model_file.read(path).flatbuffer
    try:
        model = schema.ModelT.InitFromPackedBuf(flatbuffer)
        (graph,) = model.subgraphs
        kinds = [OPERATORS[model.operatorCodes[operator.opcodeIndex].builtinCode] for operator in graph.operators]
    except Exception as error:  # boundary: an invalid flatbuffer may raise anything
        raise ModelError(f"{path} is not a TensorFlow Lite file: {type(error).__name__}: {error}") from error
    return graph, model.buffers, kinds
