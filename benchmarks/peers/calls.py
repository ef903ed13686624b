"""The network in every runtime: each call takes pixels, uint8 (1, 28, 28), and returns its own array of scores.

Each runtime is called with one thread, in the fastest way that its manual names. A call includes its overhead, such as
the conversion of pixels to float32.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from benchmarks.peers.networks import EXTRA, Networks
from benchmarks.speed.single_digit import BARE, CONFIDENCES, SCORES
from convert.recipes import CONVERSIONS
from edge_runtime.errors import DependencyMissing
from edge_runtime.inference import model_file
from edge_runtime.inference.classifier import Classifier
from edge_runtime.system.native_logs import stderr_silenced

try:
    import onnxruntime
except ImportError as error:
    raise DependencyMissing(f"{error}: {EXTRA}") from error

Call = Callable[[NDArray[np.uint8]], NDArray[Any]]
FLOAT32, FLOAT16, DYNAMIC = "LiteRT float32", "LiteRT float16", "LiteRT dynamic int8"
ONNX_FLOAT32, ONNX_STATIC, ONNX_DYNAMIC = (
    f"ONNX Runtime {kind}" for kind in ("float32", "static int8", "dynamic int8")
)
ONNX_RUN = "ONNX Runtime static int8, run()"
OPENCV, NUMPY = "OpenCV dnn", "numpy"
# Every way to run int8 in ONNX Runtime; the best one counts.
SMALL = (SCORES, CONFIDENCES, BARE, FLOAT32, FLOAT16, DYNAMIC,
         ONNX_FLOAT32, ONNX_STATIC, ONNX_RUN, ONNX_DYNAMIC, OPENCV, NUMPY)  # fmt: skip


def opened(build: Path, networks: Networks) -> dict[str, Call]:
    """Return a call for each of SMALL; `build` is the folder of the model files.

    Raises ModelError for an unusable model file.
    """
    files = {name: build / conversion.file_name for name, conversion in CONVERSIONS.items()}
    classifier = Classifier(files["int8"])
    return {
        SCORES: classifier.scores,
        CONFIDENCES: classifier.confidences,
        BARE: litert(files["int8"]),
        FLOAT32: litert(files["float32"]),
        FLOAT16: litert(files["float16"]),
        DYNAMIC: litert(files["dynamic"]),
        ONNX_FLOAT32: bound(session(networks.float32)),
        ONNX_STATIC: bound(session(networks.static)),
        ONNX_RUN: plain(session(networks.static)),
        ONNX_DYNAMIC: bound(session(networks.dynamic)),
        OPENCV: opencv(networks.float32),
        NUMPY: arrays(networks.layers),
    }


def litert(path: Path) -> Call:
    """Return a call that runs a model file through LiteRT alone."""
    with stderr_silenced():  # XNNPACK logs on creation
        interpreter = Interpreter(model_content=model_file.read(path).flatbuffer, num_threads=1)
        interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    input_index, answered = details["index"], interpreter.get_output_details()[0]["index"]

    def whole(image: NDArray[np.uint8]) -> Any:
        interpreter.set_tensor(input_index, image)
        interpreter.invoke()
        return interpreter.get_tensor(answered)

    def real(image: NDArray[np.uint8]) -> Any:
        return whole(image.astype(np.float32))

    return whole if details["dtype"] == np.uint8 else real


def session(network: Path | bytes) -> Any:
    """Return an ONNX Runtime session of a network, with one thread and all its optimizations."""
    options = onnxruntime.SessionOptions()
    # Processors with AVX2 but without VNNI add pairs of products in 16 bits, which overflow: up to 26 of 255 steps off.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3  # errors
    source = str(network) if isinstance(network, Path) else network
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def plain(opened: Any) -> Call:
    """Return a call that runs a session as most programs do."""
    return lambda image: opened.run(None, {"pixels": image})[0]


def bound(opened: Any) -> Call:
    """Return a call of a session with fixed input and output buffers, which is a tenth to a quarter faster."""
    first, answer = opened.get_inputs()[0], opened.get_outputs()[0]
    kind = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[answer.type]
    pixels = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(first.shape, np.uint8))
    answered = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(answer.shape, kind))
    binding = opened.io_binding()
    binding.bind_ortvalue_input(first.name, pixels)
    binding.bind_ortvalue_output(answer.name, answered)

    def call(image: NDArray[np.uint8]) -> Any:
        pixels.update_inplace(image)
        opened.run_with_iobinding(binding)
        return answered.numpy().copy()  # the next call overwrites the buffer

    return call


def opencv(network: Path) -> Call:
    """Return a call of OpenCV's dnn module; its number of threads applies to the whole process."""
    cv2.setNumThreads(1)
    read = cv2.dnn.readNetFromONNX(str(network))

    def call(image: NDArray[np.uint8]) -> Any:
        read.setInput(image)
        return read.forward()

    return call


def arrays(path: Path) -> Call:
    """Return a call of plain numpy products; OpenBLAS takes its number of threads from the environment."""
    with np.load(path) as stored:
        kernels, biases = ([stored[f"{name}{i}"] for i in range(len(stored.files) // 2)] for name in ("kernel", "bias"))
    # Reused buffers: a new array for each step costs a few percent.
    hidden = [np.empty_like(bias) for bias in biases[:-1]]
    pixels = np.empty(len(kernels[0]), np.float32)
    steps = list(zip(kernels, biases, hidden, strict=False))

    def call(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        np.copyto(pixels, image.reshape(-1))
        values = pixels
        for kernel, bias, out in steps:
            np.dot(values, kernel, out=out)
            np.add(out, bias, out=out)
            values = np.maximum(out, 0, out=out)
        return (values @ kernels[-1] + biases[-1])[None]  # type: ignore[no-any-return]

    return call
