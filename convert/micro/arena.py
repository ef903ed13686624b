"""How much memory TFLite Micro needs for a network: measured with its own interpreter."""

from typing import NamedTuple

import numpy as np

from edge_runtime.errors import DependencyMissing, ModelError
from edge_runtime.inference.contract import SIDE
from edge_runtime.system.native_logs import stderr_silenced

ALIGNMENT = 16  # bytes: TFLite Micro's
MOST = 2**20  # bytes: more RAM than a board has that reads digits
# Bytes: boards have other kernels than the interpreter that measures (CMSIS-NN, ESP-NN), some of which take scratch
# memory. Their pointers are half as large, which leaves more.
MARGIN = 1024


class Arena(NamedTuple):
    """Bytes that the interpreter needs here, and those that the sources reserve."""

    measured: int
    reserved: int


def measure(flatbuffer: bytes) -> Arena:
    """Return the arena of a network: the smallest with which TFLite Micro classifies a digit.

    Raises DependencyMissing without tflite-micro, ModelError where the network does not run in MOST bytes.
    """
    if not _runs(flatbuffer, MOST):
        raise ModelError(f"TFLite Micro does not run this network in {MOST:,} bytes: --engine c may")
    low, high = 0, MOST // ALIGNMENT  # it fails with `low` units and runs with `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _runs(flatbuffer, middle * ALIGNMENT) else (middle, high)
    return Arena(high * ALIGNMENT, high * ALIGNMENT + MARGIN)


def _runs(flatbuffer: bytes, size: int) -> bool:
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError as error:
        raise DependencyMissing(
            "--engine tflm measures its memory with tflite-micro: pip install tflite-micro, or take --engine c"
        ) from error
    with stderr_silenced():  # it says what is missing
        try:
            interpreter = runtime.Interpreter.from_bytes(flatbuffer, arena_size=size)
            interpreter.set_input(np.zeros((1, SIDE, SIDE), np.uint8), 0)
            interpreter.invoke()
        except RuntimeError:
            return False
    return True
