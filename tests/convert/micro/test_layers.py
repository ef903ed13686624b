"""The operators and layers of a flatbuffer."""

from pathlib import Path

import pytest

from convert.micro import layers
from convert.micro.layers import Network
from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file


@pytest.fixture(scope="module")
def network() -> Network:
    return layers.read(model_file.SHIPPED)


def test_operators_come_in_order(network: Network) -> None:
    assert network.operators == ("QUANTIZE", "RESHAPE", *["FULLY_CONNECTED"] * 4)
    assert layers.resolver_methods(network) == ["AddFullyConnected", "AddQuantize", "AddReshape"]
    assert (round(network.scores.scale, 6), network.scores.zero) == (0.148309, 36)


def test_dense_layers_have_shapes_and_ranges(network: Network) -> None:
    dense = layers.dense_layers(network)
    assert [(layer.inputs, layer.outputs) for layer in dense] == [(784, 512), (512, 448), (448, 448), (448, 11)]
    assert [layer.zero_point for layer in dense] == [-128, -128, -128, 36]
    assert all(2**30 <= layer.multiplier < 2**31 and 0 < layer.shift < 31 for layer in dense)


@pytest.mark.parametrize(
    ("factor", "expected"),
    [(0.5, (2**30, 0)), (0.25, (2**30, 1)), (0.75, (3 * 2**29, 0)), (1 - 2**-40, (2**30, -1)), (2.0**-40, (0, 0))],
)
def test_factors_become_multiplier_and_shift(factor: float, expected: tuple[int, int]) -> None:
    assert layers.quantized_multiplier(factor) == expected


def test_operators_beyond_dense_layers_name_the_engine(network: Network) -> None:
    convolution = network._replace(operators=("QUANTIZE", "CONV_2D", "FULLY_CONNECTED"))
    with pytest.raises(ModelError, match=r"operator CONV_2D is not supported: .*; use --engine tflm"):
        layers.dense_layers(convolution)
    assert layers.resolver_methods(convolution) == ["AddConv2D", "AddFullyConnected", "AddQuantize"]


def test_operators_that_are_not_known_are_named(network: Network) -> None:
    with pytest.raises(ModelError, match=r"operator STABLEHLO_SORT is not supported: this export knows CONV_2D, "):
        layers.resolver_methods(network._replace(operators=("QUANTIZE", "STABLEHLO_SORT")))


def test_networks_of_another_input_are_refused(tmp_path: Path) -> None:
    strips = model_file.read(model_file.SHIPPED).line
    assert strips is not None
    (tmp_path / "line.tflite").write_bytes(strips)
    with pytest.raises(ModelError, match=r"has input shape 1x32x256x1, expected raw pixels, 1x28x28"):
        layers.read(tmp_path / "line.tflite")


@pytest.mark.parametrize("data", [b"\x1c\x00\x00\x00TFL3", b"\x1c\x00\x00\x00TFL3" + bytes(200), b"no model"])
def test_damaged_files_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "damaged.tflite").write_bytes(data)
    with pytest.raises(ModelError, match=r"damaged.tflite is not a TensorFlow Lite file"):
        layers.read(tmp_path / "damaged.tflite")
