"""Does the int8 line network read drawn lines of held-out digits as well as the full one?"""

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import full
from benchmarks.common.limits import read_limits
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.ctc import greedy
from train import line

CHUNKS, SEED = 10, 5  # of drawn lines, 512 each


class Compared(NamedTuple):
    """The measures by name, the missed limits in words, the number of lines, and the bytes of the int8 file."""

    measures: dict[str, Measure]
    missed: list[str]
    lines: int
    bytes: int


def run(folder: Path) -> Compared:
    """Compare FOLDER/line-int8.tflite with FOLDER/line.keras on 5,120 lines, and write FOLDER/lines.json.

    Raises ModelError if a model cannot be read.
    """
    network, small_file = full.load(folder / "line.keras"), folder / "line-int8.tflite"
    data = small_file.read_bytes()
    lines = line.joined([line.chunk("held_out", SEED, i) for i in range(CHUNKS)])
    logits = network.predict(lines.strips[..., None], batch_size=256, verbose=0)
    with closing(LineNetwork(small_file, data, 1)) as small:
        scores = np.array([small.scores(strip) for strip in lines.strips])
    measures = compare(logits, scores, lines.digits)
    limits = read_limits()["lines"]
    missed = [
        f"{name} {measures[name].value:.2f} (limit {limits[limit]:g})"
        for name, limit, worse in (("agreement", "min_agreement", -1), ("drop", "max_drop", 1))
        if worse * measures[name].value > worse * limits[limit]
    ]
    settings = {"split": "held-out digits", "lines": len(lines.digits)}
    result.write(folder / "lines.json", "lines", list(measures.values()), settings=settings, details={"missed": missed})
    return Compared(measures, missed, len(lines.digits), len(data))


def compare(full: NDArray[np.float32], small: NDArray[np.int8], digits: NDArray[np.int8]) -> dict[str, Measure]:
    """Return the percentage of lines that each network reads exactly, and their agreement in percent.

    `full` and `small` are network outputs, (N, steps, 11); `digits` is the truth, (N, LONGEST), padded with -1.
    """
    truth = [row[row >= 0].tolist() for row in digits]
    by_full, by_small = ([[label for label, *_ in greedy(row)] for row in scores] for scores in (full, small))
    count = len(truth)
    right, kept, alike = (
        sum(a == b for a, b in zip(*pair, strict=True))
        for pair in ((by_full, truth), (by_small, truth), (by_full, by_small))
    )
    return {
        "full": Measure("full", "%", "higher", 100 * right / count, count=right, of=count),
        "int8": Measure("int8", "%", "higher", 100 * kept / count, count=kept, of=count),
        "agreement": Measure("agreement", "%", "higher", 100 * alike / count, count=alike, of=count),
        "drop": Measure("drop", "points", "lower", 100 * (right - kept) / count),
    }
