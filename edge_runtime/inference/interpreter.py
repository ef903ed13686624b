"""The LiteRT interpreters, one for single digits and one for whole pages, and their inputs and outputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import DependencyMissing, ModelError
from edge_runtime.inference.contract import SIDE
from edge_runtime.inference.model_file import ModelFile
from edge_runtime.records import Uint8
from edge_runtime.system.native_logs import stderr_silenced

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    try:
        from tflite_runtime.interpreter import Interpreter  # 32-bit ARM, for which LiteRT has no wheel
    except ImportError as error:
        raise DependencyMissing(
            "no TensorFlow Lite interpreter: pip install ai-edge-litert (or, on 32-bit ARM, tflite-runtime 'numpy<2')"
        ) from error

# Changing the batch size costs 3-5 inferences, so pages use a second interpreter with this fixed batch size.
BATCH = 16
FEW = 6  # up to this many images are faster one by one than in a mostly empty batch
Scores = NDArray[Any]
Float64 = NDArray[np.float64]


class Graph:
    """A model's flatbuffer, ready to run; not thread-safe.

    Models with a card take pixels 0-255 and return logits. Others may take (1, 784), (1, 28, 28) or (1, 28, 28, 1), as
    float32 in [0, 1] or integers, and return probabilities or logits; their tensors and a trial run show which. Raises
    ModelError for any other input or output.
    """

    def __init__(self, model: ModelFile, threads: int) -> None:
        self._model, self._threads = model, threads
        self._one = interpreter(model.path, model.flatbuffer, threads)
        inputs, outputs = self._one.get_input_details(), self._one.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{model.path} has {len(inputs)} inputs and {len(outputs)} outputs, expected one of each")
        self._in, self._out = inputs[0]["index"], outputs[0]["index"]
        shape, signature = tuple(inputs[0]["shape"].tolist()), tuple(inputs[0]["shape_signature"])
        if shape[1:] not in ((SIDE, SIDE), (SIDE * SIDE,), (SIDE, SIDE, 1)) or shape[0] != 1:
            raise ModelError(f"{model.path} has input shape {shape}, expected one picture of {SIDE}x{SIDE}")
        if len(outputs[0]["shape"]) != 2 or outputs[0]["shape"][1] < 2:
            shape = tuple(outputs[0]["shape"].tolist())
            raise ModelError(f"{model.path} has output shape {shape}, expected one score per class")
        self._shape = shape[1:]
        self.classes = int(outputs[0]["shape"][1])
        self._batches = signature[0] == -1
        self._many: Any = None
        self._to_input = _input_table(inputs[0], model)
        # No conversion where the images already fit the input: this call is the runtime's inner loop.
        self._plain = self._to_input is None and self._shape == (SIDE, SIDE)
        self._run_one = _single(self._one, self._in, self._out)
        self.probabilities = self._output(outputs[0])

    def run(self, images: Uint8) -> Scores:
        """Return the output tensor, (N, classes), for uint8 (N, 28, 28). Raises ValueError once closed."""
        if not self._plain:
            images = self._converted(images)
        if len(images) == 1:
            return self._run_one(images)
        one = self._one
        if one is None:
            raise ValueError("the classifier is closed")
        if not self._batches:
            return self._gather(one, images, 1)
        few = len(images) % BATCH if len(images) % BATCH <= FEW else 0
        if few == len(images):
            return self._gather(one, images, 1)
        if self._many is None:
            self._many = interpreter(self._model.path, self._model.flatbuffer, self._threads, (BATCH, *self._shape))
        many = self._gather(self._many, images[: len(images) - few], BATCH)
        return np.concatenate([many, self._gather(one, images[len(images) - few :], 1)]) if few else many

    def close(self) -> None:
        """Free the interpreters; safe to call again."""
        self._one = self._many = None
        self._run_one = _closed

    def _converted(self, images: Uint8) -> NDArray[Any]:
        values = images if self._to_input is None else self._to_input[images]
        return values.reshape(-1, *self._shape)

    def _gather(self, interpreter: Any, images: NDArray[Any], size: int) -> Scores:
        parts = [interpreter.get_tensor(self._out)[:0]]
        for start in range(0, len(images), size):
            part = images[start : start + size]
            if len(part) < size:
                part = np.concatenate([part, np.zeros((size - len(part), *self._shape), part.dtype)])
            interpreter.set_tensor(self._in, part)
            interpreter.invoke()
            parts.append(interpreter.get_tensor(self._out))
        return np.concatenate(parts)[: len(images)]

    def _output(self, details: dict[str, Any]) -> Callable[[Scores], Float64]:
        """Return the function that turns the output tensor into probabilities."""
        kind, (scale, zero) = details["dtype"], details["quantization"]
        if self._model.card is None and self._answers_probabilities(scale or 1.0, zero):

            def shares(scores: Scores) -> Float64:
                values = scores.astype(np.float64) - zero
                return values / values.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]

            return shares
        if kind in (np.int8, np.uint8):
            # exp() of all 256 values, relative to the highest, which does not change a softmax.
            values = np.arange(256, dtype=np.uint8).view(kind).astype(np.float64)
            table = np.exp((values - values.max()) * scale)
            # The product with `ones` has each row's sum in all columns. It takes a third of the time of sum(), and
            # dividing by as many columns saves another tenth of a digit's time.
            ones = np.ones((self.classes, self.classes))

            def from_table(scores: Scores) -> Float64:
                powers = table.take(scores)  # a negative score indexes from the table's end, where its value is
                powers /= powers.dot(ones)
                return powers  # type: ignore[no-any-return]

            return from_table

        def softmax(scores: Scores) -> Float64:
            values = (scores.astype(np.float64) - zero) * (scale or 1.0)
            powers = np.exp(values - values.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]

        return softmax

    def _answers_probabilities(self, scale: float, zero: int) -> bool:
        ramp = np.linspace(0, 255, SIDE * SIDE).astype(np.uint8).reshape(1, SIDE, SIDE)
        for picture in (np.zeros_like(ramp), ramp, 255 - ramp):
            values = (self.run(picture).astype(np.float64) - zero) * scale
            if values.min() < 0 or abs(values.sum() - 1) > 0.02:
                return False
        return True


def _single(interpreter: Any, index_in: int, index_out: int) -> Callable[[NDArray[Any]], Scores]:
    """Return the function that runs one image. Looking up the methods once saves a hundredth of a digit's time."""
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def run(image: NDArray[Any]) -> Scores:
        set_tensor(index_in, image)
        invoke()
        return get_tensor(index_out)  # type: ignore[no-any-return]

    return run


def _closed(image: NDArray[Any]) -> Scores:
    raise ValueError("the classifier is closed")


def _input_table(details: dict[str, Any], model: ModelFile) -> NDArray[Any] | None:
    """Return the model's input value for each of the 256 pixel values, or None where both are equal."""
    kind, (scale, zero) = details["dtype"], details["quantization"]
    pixels = np.arange(256, dtype=np.float64)
    if kind == np.float32:
        return (pixels if model.card else pixels / 255).astype(np.float32)
    if kind not in (np.uint8, np.int8, np.int16):
        raise ModelError(f"{model.path} has input type {np.dtype(kind).name}, expected float32, uint8, int8 or int16")
    limits = np.iinfo(kind)
    if scale == 0:
        values = pixels  # an integer tensor without quantization parameters holds the pixels
    else:
        # A tensor whose range goes far beyond 1 takes pixels as they are, any other takes pixels in [0, 1].
        reach = scale * (limits.max - zero)
        values = np.round((pixels if reach > 2 else pixels / 255) / scale) + zero
    table = np.clip(values, limits.min, limits.max).astype(kind)
    return None if kind == np.uint8 and np.array_equal(table, pixels) else table


def interpreter(path: Path, flatbuffer: bytes, threads: int, shape: tuple[int, ...] | None = None) -> Any:
    """Return a LiteRT interpreter for a network from the file `path`, with its input resized to `shape` if given.

    Raises ModelError where the network cannot be loaded.
    """
    try:
        with stderr_silenced():  # XNNPACK logs to stderr on every start
            made = Interpreter(model_content=flatbuffer, num_threads=threads)
            if shape is not None:
                index = made.get_input_details()[0]["index"]
                made.resize_tensor_input(index, shape, strict=True)
            made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{path} cannot be loaded: {reason}") from error
    return made
