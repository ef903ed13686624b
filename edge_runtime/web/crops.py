"""The classifier's input and output for programs: 28x28 crops, and a confidence for each class."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_runtime.records import Box, Uint8
from edge_runtime.trace import Trace
from edge_runtime.vision.normalize import normalize


def crops(trace: Trace, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return a JSON-ready dict for each component that was read, in reading order, then for each that was rejected.

    `image` is 28x28 bytes in Base64, row by row, ink bright on 0. `confidences` has one value for each label. `reason`
    is None for a component that was read; its box and label are those of the reading. Confidences are those of the crop
    alone; for a digit, they are the mean over all planes that show it. A digit that the line network read is cropped
    from that network's strip and has its confidences. `labels` are the model's, the non-digit class included.
    """
    why = dict(zip(trace.chosen, trace.reasons, strict=True))
    boxes = dict(zip(trace.chosen, trace.boxes, strict=True))
    read = {boxes[i]: i for i in trace.chosen if why[i] is None}
    records = []
    for digit in trace.reading.digits:
        if digit.box in read:
            i = read[digit.box]
            image, values = trace.images[i], trace.confidences[i].tolist()
        else:
            image, values = _of_line(trace, digit.box)
        records.append(_record(digit.box, digit.label, None, image, values, len(labels)))
    # The reading omits ink that it already covers otherwise; it lists rejections in the order of `trace.chosen`.
    listed = iter(trace.reading.rejected)
    awaited = next(listed, None)
    for i in trace.chosen:
        if awaited is not None and (boxes[i], why[i]) == (awaited.box, awaited.reason):
            label = labels[int(trace.confidences[i].argmax())]
            values = trace.confidences[i].tolist()
            records.append(_record(boxes[i], label, why[i], trace.images[i], values, len(labels)))
            awaited = next(listed, None)
    return records


def _of_line(trace: Trace, box: Box) -> tuple[Uint8, list[float]]:
    """Return the crop, uint8 (28, 28), and the confidences of a digit that the line network read."""
    for check in trace.checks:
        if check is not None and box in check.whole.boxes:
            k = check.whole.boxes.index(box)
            left, right = (round(column) for column in check.whole.columns[k])
            return normalize(np.ascontiguousarray(check.whole.strip[:, left : max(left + 1, right)])), (
                check.whole.confidences[k].tolist()
            )
    raise LookupError(f"{box} is not the box of a digit")


def _record(
    box: Box, label: str, reason: str | None, image: Uint8, values: list[float], classes: int
) -> dict[str, Any]:
    values = values + [max(0.0, 1.0 - sum(values))] * (classes - len(values))
    return {
        "box": list(box),
        "label": label,
        "reason": reason,
        "confidences": [round(value, 4) for value in values],
        "image": b64encode(image.tobytes()).decode(),
    }
