import numpy as np

from benchmarks.accuracy.lines import compare
from edge_runtime.inference.contract import BLANK


def answered(*lines: list[int]) -> np.ndarray:
    """Return what a network answers that tells these digits, one every other step."""
    scores = np.zeros((len(lines), 12, BLANK + 1), np.int8)
    scores[:, :, BLANK] = 1
    for row, line in zip(scores, lines, strict=True):
        for i, label in enumerate(line):
            row[2 * i, label] = 100
    return scores


def test_lines_read_exactly_and_alike_are_counted() -> None:
    truth = np.array([[1, 2, -1], [3, 3, 4], [-1, -1, -1], [7, -1, -1]], np.int8)
    full = answered([1, 2], [3, 3, 4], [], [8]).astype(np.float32)
    measures = compare(full, answered([1, 2], [3, 4], [], [8]), truth)
    assert {name: measure.value for name, measure in measures.items()} == {
        "full": 75.0, "int8": 50.0, "agreement": 75.0, "drop": 25.0,
    }  # fmt: skip
    assert (measures["full"].count, measures["full"].of) == (3, 4)
