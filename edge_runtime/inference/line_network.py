"""Runs the line network, which reads a line as a whole: it scores each step of a strip."""

import threading
from pathlib import Path

import numpy as np

from edge_runtime.errors import ModelError
from edge_runtime.inference.contract import BLANK, COLUMNS, ROWS
from edge_runtime.inference.interpreter import Float64, Scores, interpreter
from edge_runtime.records import Uint8


class LineNetwork:
    """A LiteRT interpreter around the flatbuffer of a line network, from the file `path`.

    Calls may come from several threads; they take turns. Raises ModelError where the network cannot be used.
    """

    def __init__(self, path: Path, flatbuffer: bytes, threads: int) -> None:
        self._lock = threading.Lock()
        self._graph = interpreter(path, flatbuffer, threads)
        inputs, outputs = self._graph.get_input_details()[0], self._graph.get_output_details()[0]
        shape = tuple(inputs["shape"].tolist())
        if shape != (1, ROWS, COLUMNS, 1) or inputs["dtype"] != np.uint8 or outputs["shape"][-1] != BLANK + 1:
            raise ModelError(
                f"{path} has a line network with unsupported input {inputs['dtype'].__name__} {shape} "
                f"or output {tuple(outputs['shape'].tolist())}"
            )
        self._in, self._out = inputs["index"], outputs["index"]
        self._scale = float(outputs["quantization"][0])
        self.step = COLUMNS / int(outputs["shape"][1])

    def scores(self, strip: Uint8) -> Scores:
        """Return the graph's output, int8 (steps, 11), for a strip, uint8 (32, 256).

        Raises ValueError once closed.
        """
        with self._lock:
            if self._graph is None:
                raise ValueError("the line network is closed")
            self._graph.set_tensor(self._in, strip[None, :, :, None])
            self._graph.invoke()
            return self._graph.get_tensor(self._out)[0]  # type: ignore[no-any-return]

    def probabilities(self, strip: Uint8) -> Float64:
        """Return the probabilities of the outputs for every `step` columns: float64 (steps, 11), rows that sum to 1."""
        values = self.scores(strip).astype(np.float64) * self._scale
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def close(self) -> None:
        """Free the interpreter; safe to call again."""
        with self._lock:
            self._graph = None
