"""The same network in other runtimes: what each answers, number by number."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.peers import calls as peer_calls
from benchmarks.peers import networks as peer_networks
from benchmarks.peers.calls import ONNX_DYNAMIC, ONNX_FLOAT32, ONNX_RUN, ONNX_STATIC, OPENCV
from benchmarks.peers.networks import Networks
from benchmarks.speed.single_digit import SCORES
from convert.fold import fold
from convert.recipes import CONVERSIONS
from edge_runtime import Classifier
from edge_runtime.errors import ModelError
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.records import Uint8
from tests import flatbuffers
from tests.benchmarks import tiny_build
from train import int8_file
from train.int8_file import Steps, Whole

Digits = tuple[Uint8, Uint8]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, digits: Digits) -> Path:
    return tiny_build.write(tmp_path_factory.mktemp("peers") / "build", digits[0])


@pytest.fixture(scope="module")
def networks(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Networks:
    made = Networks(tmp_path_factory.mktemp("networks") / "new")
    peer_networks.write(fold(tiny_build.network()), int8_file.read(build / "digits-int8.tflite"), made)
    return made


def answers(call: peer_calls.Call, images: Uint8) -> NDArray[np.float64]:
    """Return what a call answers to each image, alone."""
    return np.concatenate([call(images[i : i + 1]) for i in range(len(images))]).astype(np.float64)


def by_hand() -> Whole:
    """Return a layer that takes pixel 0 and subtracts pixel 1, in halves and quarters."""
    weights = np.zeros((2, 28 * 28), np.int8)
    weights[0, 0], weights[1, 1] = 4, -8
    return Whole(
        weights, np.array([0.25], np.float32), np.array([16, 24], np.int32), Steps(1.0, -128), Steps(2.0, -100)
    )


@pytest.fixture
def pixels() -> Uint8:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 0, :2] = 10, 1
    return image


@pytest.mark.parametrize("binding", [peer_calls.bound, peer_calls.plain])
def test_a_small_layer_gives_what_it_should(binding: object, pixels: Uint8) -> None:
    assert callable(binding)
    static, dynamic = peer_networks.static([by_hand()]), peer_networks.dynamic([by_hand()])
    # 10 * 4 * 0.25 + 16 * 0.25 is 14, or 7 steps of 2 above the zero point, which is -100 + 128; 24 / 4 - 2 is 4, or 2.
    answer = binding(peer_calls.session(static))(pixels)
    assert (answer.dtype, answer.tolist()) == (np.uint8, [[28 + 7, 28 + 2]])
    answer = binding(peer_calls.session(dynamic))(pixels)
    assert answer.dtype == np.float32
    assert answer == pytest.approx(np.array([[14, 4]]), abs=0.04)  # which is a step, as the brightest is 10


def test_each_output_may_have_its_own_scale(pixels: Uint8) -> None:
    layer = by_hand()._replace(scales=np.array([0.25, 0.125], np.float32), bias=np.array([16, 40], np.int32))
    answer = peer_calls.bound(peer_calls.session(peer_networks.static([layer])))(pixels)
    assert answer.tolist() == [[28 + 7, 28 + 2]]  # 40 * 0.125 - 8 * 0.125 is 4
    answer = peer_calls.bound(peer_calls.session(peer_networks.dynamic([layer])))(pixels)
    assert answer == pytest.approx(np.array([[14, 4]]), abs=0.04)


def test_a_file_is_read_number_by_number(build: Path) -> None:
    layers = int8_file.read(build / "digits-int8.tflite")
    assert [layer.weights.shape for layer in layers] == [(24, 784), (16, 24), (10, 16)]
    assert [len(layer.bias) for layer in layers] == [24, 16, 10]
    assert layers[0].inputs == Steps(1.0, -128)  # of bytes as they are
    for before, after in pairwise(layers):
        assert before.answered == after.inputs
        assert after.inputs.zero == -128  # nothing is less than 0 after a ReLU
    folded = fold(tiny_build.network())
    for layer, real in zip(layers, folded, strict=True):
        assert len(layer.scales) == 1
        # Half a step is what rounding costs; int8 of this converter reaches to 127.
        assert np.abs(layer.weights * layer.scales - real.kernel.T).max() <= 0.501 * layer.scales[0]


@pytest.mark.parametrize("per_channel", [False, True])
def test_static_int8_is_within_one_step_of_tflite(per_channel: bool, digits: Digits, tmp_path: Path) -> None:
    path = tmp_path / "digits-int8.tflite"
    if per_channel:
        path.write_bytes(flatbuffers.per_channel(fold(tiny_build.network()), digits[0]))
    else:
        tiny_build.write_converted(path, tiny_build.network(), CONVERSIONS["int8"], digits[0])
    layers = int8_file.read(path)
    assert [len(layer.scales) for layer in layers] == ([24, 16, 10] if per_channel else [1, 1, 1])
    with Classifier(path) as classifier:
        ours = answers(classifier.scores, digits[0])
    theirs = answers(peer_calls.bound(peer_calls.session(peer_networks.static(layers))), digits[0]) - 128
    assert np.abs(ours - theirs).max() <= 1
    assert (ours == theirs).mean() > 0.99
    assert len(np.unique(ours)) > 50  # it is not the same everywhere


def test_static_int8_of_the_shipped_model_matches_tflite(digits: Digits, classifier: Classifier) -> None:
    call = peer_calls.bound(peer_calls.session(peer_networks.static(int8_file.read(SHIPPED))))
    difference = np.abs(answers(classifier.scores, digits[0]) - (answers(call, digits[0]) - 128))
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.99


def test_every_runtime_answers_as_the_network_does(build: Path, networks: Networks, digits: Digits) -> None:
    images = digits[0][:50]
    first, second, third = fold(tiny_build.network())
    values = images.reshape(50, -1).astype(np.float32)
    for layer in (first, second):
        values = np.maximum(values @ layer.kernel + layer.bias, 0)
    logits = (values @ third.kernel + third.bias).astype(np.float64)
    reach = float(np.ptp(logits))
    calls = peer_calls.opened(build, networks)
    assert tuple(calls) == peer_calls.SMALL
    for name in (peer_calls.FLOAT32, ONNX_FLOAT32, OPENCV, peer_calls.NUMPY):
        # Files without a card take pixels from 0 to 1; these calls give them from 0 to 255, as those with one do.
        assert answers(calls[name], images) == pytest.approx(logits, abs=1e-5 * reach), name
    for name in (peer_calls.FLOAT16, peer_calls.DYNAMIC, ONNX_DYNAMIC):
        assert answers(calls[name], images) == pytest.approx(logits, abs=0.03 * reach), name
    steps = int8_file.read(build / "digits-int8.tflite")[-1].answered
    for name, more in ((SCORES, 0), (ONNX_STATIC, 128), (ONNX_RUN, 128)):
        real = (answers(calls[name], images) - more - steps.zero) * steps.scale
        assert real == pytest.approx(logits, abs=0.05 * reach), name


def test_an_answer_stays_while_the_next_is_read(build: Path, networks: Networks, digits: Digits) -> None:
    one, other = digits[0][:1], digits[0][1:2]
    for name, call in peer_calls.opened(build, networks).items():
        first = call(one)
        kept = first.copy()
        assert first.shape == (1, 10), name
        assert not np.array_equal(call(other), kept), name
        assert np.array_equal(first, kept), name
        assert np.array_equal(call(one), kept), name


def test_only_int8_files_of_dense_layers_are_read(build: Path, tmp_path: Path) -> None:
    for name in ("float32", "float16", "dynamic"):
        with pytest.raises(ModelError, match=r"must consist of int8 dense layers with byte inputs, not of .*FULLY"):
            int8_file.read(build / f"digits-{name}.tflite")
    with pytest.raises(ModelError, match="cannot read the model"):
        int8_file.read(tmp_path / "none.tflite")
    broken = tmp_path / "broken.tflite"
    broken.write_bytes((build / "digits-int8.tflite").read_bytes()[:2000])
    with pytest.raises(ModelError, match=r"broken\.tflite (is not a TensorFlow Lite file|must consist of)"):
        int8_file.read(broken)


@pytest.mark.parametrize(("package", "module"), [("onnx", "networks"), ("onnxruntime", "calls")])
def test_without_the_extra_what_to_install_is_told(package: str, module: str, build: Path) -> None:
    program = (
        f"import sys\nsys.modules[{package!r}] = None\nfrom edge_runtime.errors import EdgeError\n"
        f"try:\n    import benchmarks.peers.{module}\nexcept EdgeError as error:\n    print(error.exit_code, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("2 ")
    assert done.stdout.endswith(": pip install 'edge-digits[bench]'\n")
    assert package in done.stdout
