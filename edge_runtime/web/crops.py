"""What the network saw of a page, for programs: its 28x28 crops, and how sure it was of each class."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from edge_runtime.reader import Trace
from edge_runtime.vision.lines import order


def crops(trace: Trace, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return a JSON-ready dict for each mark that was read, in reading order, then for each that was rejected.

    `image` is 28x28 bytes in Base64, row by row, ink bright on 0; `confidences` has one for each label, `reason` is
    None for what was read. Boxes are those of the reading. `labels` are the model's, what is no digit among them.
    """
    why = dict(zip(trace.chosen, trace.reasons, strict=True))
    read = [i for i in trace.chosen if why[i] is None]
    lines = order([trace.located.candidates[i].box for i in read])
    read = [read[k] for line in lines for word in line for k in word]
    rejected = [i for i in trace.chosen if why[i] is not None]
    # A mark's rejection has a confidence where the network saw it; these come in the order in which they were chosen.
    seen = [rejection.box for rejection in trace.reading.rejected if rejection.confidence is not None]
    boxes = [digit.box for digit in trace.reading.digits] + seen
    found = []
    for i, box in zip(read + rejected, boxes, strict=True):
        values = trace.confidences[i].tolist()
        values += [max(0.0, 1.0 - sum(values))] * (len(labels) - len(values))
        best = max(range(trace.confidences.shape[1]), key=values.__getitem__)
        found.append({
            "box": list(box),
            "label": labels[best],
            "reason": why[i],
            "confidences": [round(value, 4) for value in values],
            "image": b64encode(trace.images[i].tobytes()).decode(),
        })  # fmt: skip
    return found
