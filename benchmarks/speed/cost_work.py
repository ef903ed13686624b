"""What there is to do, counted: products and bytes of the network, and calls and bytes of OpenCV, stage by stage.

The counts do not depend on the machine: they are of the same frames as `edge-digits bench` times.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime import stopwatch
from edge_runtime.bench.process import of_stages
from edge_runtime.inference import interpreter, model_file
from edge_runtime.inference.model_file import ModelFile
from edge_runtime.pages import timing
from edge_runtime.reader import DigitReader
from edge_runtime.records import Uint8

STAGES = ("ink", "locate", "normalize", "classify", "rest")


class Network(NamedTuple):
    """A model of dense layers: products for one digit, and the bytes of weights and biases that each pass reads."""

    multiply_adds: int
    bytes: int


class Work(NamedTuple):
    """Of a stage: calls of OpenCV, and the bytes of the arrays that go in and come out of these."""

    calls: float
    bytes: float


class FrameWork(NamedTuple):
    """Of a frame, on average over some: its pixels, crops, stages, and the rows and passes of the network.

    A pass reads all weights once, for one row or a batch.
    """

    pixels: int
    crops: float
    stages: dict[str, Work]
    rows: float
    passes: float


def network(model: ModelFile | None = None) -> Network:
    """Count a model's dense layers, by default those of the one that ships."""
    model = model or model_file.read(model_file.SHIPPED)
    lite = interpreter.interpreter(model.path, model.flatbuffer, 1)
    kept = lite.get_tensor_details()
    # What flows has one row for one digit; weights have one for each output.
    weights = [each for each in kept if len(each["shape"]) == 2 and each["shape"][0] > 1]
    outputs = {int(each["shape"][0]) for each in weights}
    biases = [each for each in kept if len(each["shape"]) == 1 and int(each["shape"][0]) in outputs]
    size = sum(int(np.prod(each["shape"])) * np.dtype(each["dtype"]).itemsize for each in (*weights, *biases))
    return Network(sum(int(np.prod(each["shape"])) for each in weights), size)


def rows_and_passes(images: int) -> tuple[int, int]:
    """Return how many rows interpreter.Graph computes for so many pictures, and in how many passes."""
    alone = images % interpreter.BATCH if images % interpreter.BATCH <= interpreter.FEW else 0
    batches = -(-(images - alone) // interpreter.BATCH)
    return interpreter.BATCH * batches + alone, batches + alone


def frames(names: Sequence[str] | None = None) -> dict[str, FrameWork]:
    """Count the frames of `edge-digits bench`, by size, as the model that ships reads them, without the line check."""
    with DigitReader(check="never") as counted:
        pages = timing.every()
        return {name: of_frames(counted, pages[name]) for name in names or pages}


def of_frames(counted: DigitReader, pages: Sequence[Uint8]) -> FrameWork:
    """Count what reading these pages asks for, uint8 (H, W, 3) each, on average."""
    counts = [_of_frame(counted, page) for page in pages]
    return FrameWork(
        pages[0].shape[0] * pages[0].shape[1],
        _mean([each.crops for each in counts]),
        {
            stage: Work(*(_mean(values) for values in zip(*(each.stages[stage] for each in counts), strict=True)))
            for stage in STAGES
        },
        _mean([each.rows for each in counts]),
        _mean([each.passes for each in counts]),
    )


def _of_frame(counted: DigitReader, page: Uint8) -> FrameWork:
    counter = _Counter()
    images: list[int] = []

    def clock() -> NDArray[np.float64]:
        # The stopwatch adds up what this says between its stages, whatever it is.
        return np.array([counter.calls, counter.bytes], np.float64)

    confidences = counted.classifier.confidences

    def classify(crops: Uint8) -> Any:
        images.append(len(crops))
        return confidences(crops)

    with ExitStack() as changed:
        for module in [module for name, module in sys.modules.items() if name.startswith("edge_runtime.")]:
            if getattr(module, "cv2", None) is cv2:
                changed.enter_context(_replaced(module, "cv2", counter))
        changed.enter_context(_replaced(stopwatch, "perf_counter_ns", clock))
        changed.enter_context(_replaced(counted.classifier, "confidences", classify))
        reading = counted.read(page)
    spent = [Work(*np.rint(of_one).tolist()) for of_one in of_stages(reading)[: len(STAGES)]]
    rows, passes = (sum(each) for each in zip(*map(rows_and_passes, images), strict=True))
    return FrameWork(page.shape[0] * page.shape[1], sum(images), dict(zip(STAGES, spent, strict=True)), rows, passes)


class _Counter:
    """Stands for OpenCV's module, and counts its calls."""

    def __init__(self) -> None:
        self.calls = self.bytes = 0

    def __getattr__(self, name: str) -> Any:
        there = getattr(cv2, name)
        if not callable(there) or isinstance(there, type):
            return there

        def counted(*args: Any, **named: Any) -> Any:
            made = there(*args, **named)
            self.calls += 1
            arrays = {id(array): array.nbytes for value in (*args, *named.values(), made) for array in _arrays(value)}
            self.bytes += sum(arrays.values())
            return made

        return counted


def _arrays(value: object) -> list[np.ndarray]:
    values = value if isinstance(value, list | tuple) else [value]
    return [each for each in values if isinstance(each, np.ndarray)]


@contextmanager
def _replaced(owner: object, name: str, value: object) -> Iterator[None]:
    before = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
