"""A build's network for other runtimes: float32 from its Keras network, int8 from its int8 file, number by number.

ONNX Runtime computes the same int8 network as LiteRT: the same weights, biases, scales and zero points, from the same
calibration digits. Only the activations are uint8 instead of int8, 128 higher, because ONNX Runtime's fastest product
takes uint8.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from convert.layers import Layer
from edge_runtime.errors import DependencyMissing
from edge_runtime.inference.contract import SIDE
from edge_runtime.system.atomic_files import write_bytes, write_whole
from train.int8_file import Steps, Whole

EXTRA = "pip install 'edge-digits[bench]'"  # make test does this
try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    raise DependencyMissing(f"{error}: {EXTRA}") from error

OPERATORS = 17  # the ONNX operator set, which ONNX Runtime since 1.12 and OpenCV 5 support
FORMAT = 8  # the ONNX file version of that operator set
HALF = 128  # from int8 to uint8


class Networks(NamedTuple):
    """The paths of the files that `write` writes."""

    folder: Path

    @property
    def float32(self) -> Path:
        """The float32 network in ONNX."""
        return self.folder / "float32.onnx"

    @property
    def static(self) -> Path:
        """The int8 network in ONNX with activation ranges from calibration."""
        return self.folder / "int8-static.onnx"

    @property
    def dynamic(self) -> Path:
        """The int8 network in ONNX that computes the ranges for each digit."""
        return self.folder / "int8-dynamic.onnx"

    @property
    def layers(self) -> Path:
        """The float32 layers as numpy arrays: kernel0, bias0, kernel1 and so on."""
        return self.folder / "float32.npz"


def write(folded: Sequence[Layer], layers: Sequence[Whole], networks: Networks) -> None:
    """Write all of `networks`, float32 ones from `folded` and int8 ones from `layers`. All layers must be dense."""
    write_bytes(networks.float32, real(folded))
    write_bytes(networks.static, static(layers))
    write_bytes(networks.dynamic, dynamic(layers))
    arrays = {f"{name}{i}": getattr(layer, name) for i, layer in enumerate(folded) for name in ("kernel", "bias")}
    write_whole(networks.layers, lambda path: np.savez(path, **arrays))


def real(layers: Sequence[Layer]) -> bytes:
    """Return the float32 ONNX network; its input is uint8, too."""
    nodes = [_node("Cast", ["pixels"], "floats", to=TensorProto.FLOAT), _flat("floats", "a0")]
    arrays: dict[str, Any] = {}
    for i, layer in enumerate(layers):
        last = i == len(layers) - 1
        arrays |= {f"kernel{i}": layer.kernel, f"bias{i}": layer.bias}
        nodes.append(_node("Gemm", [f"a{i}", f"kernel{i}", f"bias{i}"], "scores" if last else f"z{i}"))
        if not last:
            nodes.append(_node("Relu", [f"z{i}"], f"a{i + 1}"))
    return _network(nodes, arrays, len(layers[-1].bias), TensorProto.FLOAT)


def static(layers: Sequence[Whole]) -> bytes:
    """Return the ONNX network with the int8 file's own scales for activations; its output is uint8, 128 higher.

    Integers are written as pairs of QuantizeLinear and DequantizeLinear, which ONNX Runtime fuses into its QGemm.
    """
    nodes = [_flat("pixels", "a0")]
    arrays: dict[str, Any] = _steps("a0", layers[0].inputs)
    for i, layer in enumerate(layers):
        last = i == len(layers) - 1
        answer = "scores" if last else f"a{i + 1}"
        scales = layer.scales[0] if len(layer.scales) == 1 else layer.scales
        arrays |= {
            f"kernel{i}": layer.weights.T.copy(),
            f"kernel{i}_scale": scales,
            f"kernel{i}_zero": np.zeros_like(scales, np.int8),
            f"bias{i}": layer.bias,
            f"bias{i}_scale": scales * np.float32(layer.inputs.scale),
            f"bias{i}_zero": np.zeros_like(scales, np.int32),
            **_steps(answer, layer.answered),
        }
        nodes += [
            _dequantized(f"a{i}", f"x{i}"),
            _dequantized(f"kernel{i}", f"k{i}", axis=1),
            _dequantized(f"bias{i}", f"b{i}", axis=0),
            _node("Gemm", [f"x{i}", f"k{i}", f"b{i}"], f"y{i}"),
            *([] if last else [_node("Relu", [f"y{i}"], f"z{i}")]),
            _node("QuantizeLinear", [f"{'y' if last else 'z'}{i}", f"{answer}_scale", f"{answer}_zero"], answer),
        ]
    return _network(nodes, arrays, len(layers[-1].bias), TensorProto.UINT8)


def dynamic(layers: Sequence[Whole]) -> bytes:
    """Return the ONNX network that computes the input range of each layer at run time; its output is float32.

    This includes the pixels: integers need no range, but ONNX Runtime is faster if all layers are alike.
    """
    nodes = [_node("Cast", ["pixels"], "floats", to=TensorProto.FLOAT), _flat("floats", "a0")]
    arrays: dict[str, Any] = {}
    for i, layer in enumerate(layers):
        last = i == len(layers) - 1
        real = layer.scales.astype(np.float64) * layer.inputs.scale
        arrays |= {
            f"kernel{i}": layer.weights.T.copy(),
            f"kernel{i}_scale": layer.scales[0] if len(layer.scales) == 1 else layer.scales,
            f"kernel{i}_zero": np.int8(0),  # each layer's own: ONNX Runtime refuses to change a shared one
            f"bias{i}": (layer.bias * real).astype(np.float32),
        }
        nodes += [
            _node("DynamicQuantizeLinear", [f"a{i}"], f"q{i}", f"q{i}_scale", f"q{i}_zero"),
            _node("MatMulInteger", [f"q{i}", f"kernel{i}", f"q{i}_zero", f"kernel{i}_zero"], f"m{i}"),
            _node("Cast", [f"m{i}"], f"f{i}", to=TensorProto.FLOAT),
            _node("Mul", [f"q{i}_scale", f"kernel{i}_scale"], f"by{i}"),
            _node("Mul", [f"f{i}", f"by{i}"], f"y{i}"),
            _node("Add", [f"y{i}", f"bias{i}"], "scores" if last else f"z{i}"),
        ]
        if not last:
            nodes.append(_node("Relu", [f"z{i}"], f"a{i + 1}"))
    return _network(nodes, arrays, len(layers[-1].bias), TensorProto.FLOAT)


def product(size: int) -> bytes:
    """Return an ONNX network of one product: uint8 `pixels`, (size, size), times int8 weights of that shape."""
    weights = np.random.default_rng(1).integers(-127, 128, (size, size)).astype(np.int8)
    node = _node("MatMulInteger", ["pixels", "weights"], "scores")
    return _made([node], {"weights": weights}, (size, size), (size, size), TensorProto.INT32)


def _network(nodes: list[Any], arrays: Mapping[str, Any], classes: int, answer: int) -> bytes:
    return _made(nodes, {**arrays, "flat": np.array([1, SIDE * SIDE])}, (1, SIDE, SIDE), (1, classes), answer)


def _made(
    nodes: list[Any], arrays: Mapping[str, Any], input_shape: Sequence[int], answered: Sequence[int], kind: int
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, input_shape)],
        [helper.make_tensor_value_info("scores", kind, answered)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPERATORS)], ir_version=FORMAT)
    onnx.checker.check_model(network, full_check=True)
    return bytes(network.SerializeToString())


def _node(kind: str, inputs: list[str], *answers: str, **attributes: Any) -> Any:
    return helper.make_node(kind, inputs, list(answers), **attributes)


def _flat(input_name: str, answer: str) -> Any:
    return _node("Reshape", [input_name, "flat"], answer)


def _dequantized(whole: str, real: str, axis: int = 1) -> Any:
    return _node("DequantizeLinear", [whole, f"{whole}_scale", f"{whole}_zero"], real, axis=axis)


def _steps(name: str, steps: Steps) -> dict[str, Any]:
    """Return the uint8 scale and zero point for int8 ones."""
    return {f"{name}_scale": np.float32(steps.scale), f"{name}_zero": np.uint8(steps.zero + HALF)}
