"""Initialize the line network from the int8 one in a model file, and average it with that one after training.

The average is as good as before on what training did not show, and nearly as good on the new data (Wortsman et al.
2022, "Robust fine-tuning of zero-shot models").
"""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file
from edge_runtime.records import Uint8

WHITE = 255.0  # the largest pixel value: the network scales pixels to [0, 1] first, the int8 one does not
SMALLEST = 1e-9  # lower bound of a divisor
Float = NDArray[np.floating]


class Convolution(NamedTuple):
    """`kernel` in Keras' layout, (rows, columns, inputs, outputs) or (rows, columns, inputs, 1); `bias` (outputs,)."""

    kernel: Float
    bias: Float


def initialize(network: keras.Model, path: Path, strips: Uint8) -> None:
    """Give a network of `line_network.build` the weights of a model file's line network, in place.

    It computes the same logits as the file, up to the rounding of activations. Batch normalization starts with the
    statistics of these strips, uint8 (N, 32, W). Raises ModelError where the file has no line network of this shape.
    """
    _fill(network, _matching(network, path), strips)


def average(network: keras.Model, path: Path, strips: Uint8) -> None:
    """Replace the weights of a network, in place, by the average of them and of those of a model file's line network.

    The network must have been trained from that one. Arguments and errors are those of `initialize`.
    """
    pairs = zip(folded(network), _matching(network, path), strict=True)
    _fill(network, [Convolution(*((a + b) / 2 for a, b in zip(*pair, strict=True))) for pair in pairs], strips)


def folded(network: keras.Model) -> list[Convolution]:
    """Return the convolutions of a network, with batch normalization and the division of pixels by 255 folded in."""
    convolutions = []
    for layer in _convolutions(network):
        kernel, *bias = layer.get_weights()
        if not layer.use_bias:
            normalization = _after(network, layer)
            gamma, beta, mean, variance = normalization.get_weights()
            factor = gamma / np.sqrt(variance + normalization.epsilon)
            kernel, bias = kernel * _of_outputs(factor, kernel), [beta - mean * factor]
        convolutions.append(Convolution(kernel, bias[0]))
    convolutions[0] = convolutions[0]._replace(kernel=convolutions[0].kernel / WHITE)
    return convolutions


def _matching(network: keras.Model, path: Path) -> list[Convolution]:
    stored = read(path)
    if [each.kernel.shape for each in stored] != [tuple(each.kernel.shape) for each in _convolutions(network)]:
        raise ModelError(f"the line network of {path} has other layers than `python -m train.line` trains")
    return stored


def _fill(network: keras.Model, convolutions: list[Convolution], strips: Uint8) -> None:
    first = convolutions[0]._replace(kernel=convolutions[0].kernel * WHITE)
    for layer, (kernel, bias) in zip(_convolutions(network), [first, *convolutions[1:]], strict=True):
        if layer.use_bias:
            layer.set_weights([kernel, bias])
            continue
        # Batch normalization leaves the length of a kernel free. The length of an untrained network's kernel makes an
        # optimizer step have the same relative effect as there.
        untrained = _lengths(layer.get_weights()[0], len(bias))
        factor = np.asarray(untrained / np.maximum(SMALLEST, _lengths(kernel, len(bias))), np.float32)
        layer.set_weights([kernel * _of_outputs(factor, kernel)])
        answers = keras.Model(network.input, layer.output).predict(strips[..., None], batch_size=64, verbose=0)
        mean, variance = answers.mean(axis=(0, 1, 2)), answers.var(axis=(0, 1, 2))
        normalization = _after(network, layer)
        deviation = np.sqrt(variance + normalization.epsilon)
        normalization.set_weights([deviation / factor, bias + mean / factor, mean, variance])


def _convolutions(network: keras.Model) -> list[keras.Layer]:
    return [each for each in network.layers if isinstance(each, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)]


def _of_outputs(factor: Float, kernel: Float) -> Float:
    """Return a factor for each output, shaped to multiply a kernel; a depthwise kernel has an output for each input."""
    return factor[:, None] if kernel.shape[3] == 1 else factor


def read(path: Path) -> list[Convolution]:
    """Return the convolutions of the line network in a model file, as real numbers. Raises ModelError."""
    flatbuffer = model_file.read(path).line
    if flatbuffer is None:
        raise ModelError(f"{path} has no line network")
    model = schema.ModelT.InitFromPackedBuf(flatbuffer)
    (graph,) = model.subgraphs
    convolutions = []
    for operator in graph.operators:
        kind = model.operatorCodes[operator.opcodeIndex].builtinCode
        if kind not in (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D):
            continue
        kernel, bias = (_real(graph.tensors[number], model.buffers) for number in operator.inputs[1:])
        # Convolutions are stored as (outputs, rows, columns, inputs), depthwise ones as (1, rows, columns, inputs).
        order = (1, 2, 3, 0)
        convolutions.append(Convolution(kernel.transpose(order), bias))
    return convolutions


def _real(tensor: schema.TensorT, buffers: list[schema.BufferT]) -> Float:
    """Return an int8 or int32 tensor as real numbers, with a scale for each index of its quantized axis."""
    kind = {schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}[tensor.type]
    values = np.frombuffer(buffers[tensor.buffer].data, kind).reshape(tensor.shape)
    shape = [1] * values.ndim
    shape[tensor.quantization.quantizedDimension] = len(tensor.quantization.scale)
    return np.asarray(values * np.reshape(tensor.quantization.scale, shape), np.float32)


def _lengths(kernel: Float, outputs: int) -> Float:
    """Return the Euclidean length of the kernel of each output, (outputs,)."""
    return np.asarray(np.linalg.norm(kernel.reshape(-1, outputs), axis=0), np.float32)


def _after(network: keras.Model, layer: keras.Layer) -> keras.layers.BatchNormalization:
    """Return the batch normalization that takes a layer's output."""
    return network.layers[network.layers.index(layer) + 1]
