"""What the network saw of a page, for programs: its 28x28 crops, and how sure it was of each class."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from edge_runtime.trace import Trace


def crops(trace: Trace, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return a JSON-ready dict for each mark that was read, in reading order, then for each that was rejected.

    `image` is 28x28 bytes in Base64, row by row, ink bright on 0; `confidences` has one for each label, `reason` is
    None for what was read. Boxes and the labels of what was read are those of the reading; confidences are of the crop
    alone, where a digit's are the mean of all planes that show it. `labels` are the model's, what is no digit included.
    """
    why = dict(zip(trace.chosen, trace.reasons, strict=True))
    boxes = dict(zip(trace.chosen, trace.boxes, strict=True))
    read = {boxes[i]: i for i in trace.chosen if why[i] is None}
    seen = [read[digit.box] for digit in trace.reading.digits]
    # The reading leaves out ink that it holds in another way; what it lists is in the order in which it was chosen.
    listed = iter(trace.reading.rejected)
    awaited = next(listed, None)
    for i in trace.chosen:
        if awaited is not None and (boxes[i], why[i]) == (awaited.box, awaited.reason):
            seen.append(i)
            awaited = next(listed, None)
    read_as = dict(zip(seen, (digit.label for digit in trace.reading.digits), strict=False))
    records = []
    for i in seen:
        values = trace.confidences[i].tolist()
        values += [max(0.0, 1.0 - sum(values))] * (len(labels) - len(values))
        best = max(range(trace.confidences.shape[1]), key=values.__getitem__)
        records.append({
            "box": list(boxes[i]),
            "label": read_as.get(i, labels[best]),
            "reason": why[i],
            "confidences": [round(value, 4) for value in values],
            "image": b64encode(trace.images[i].tobytes()).decode(),
        })  # fmt: skip
    return records
