"""One digit through bare LiteRT and through the Classifier, in turns of some 20 ms; `benchmarks.latency` starts it.

    python -m benchmarks.single_digit                the shipped model, three ways
    python -m benchmarks.single_digit ONE OTHER      two model files through bare LiteRT

Prints a JSON object: for each of them, the seconds per call of every turn, warm-ups first. Turns are so short that
whatever else the machine does slows all alike, and their ratios hold.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from edge_runtime.classifier import Classifier

BARE, SCORES, CONFIDENCES = "bare LiteRT", "Classifier.scores", "Classifier.confidences"
LOOPS = 2000  # calls in one turn
WARM_UPS = 3
TURNS = 30


def main() -> None:
    """Time set_tensor + invoke + get_tensor as LiteRT has them, and the two calls of the Classifier."""
    calls: dict[str, Callable[[], object]]
    if sys.argv[1:]:
        calls = {name: bare_litert(Classifier(name)) for name in sys.argv[1:]}
    else:
        classifier = Classifier()
        image = classifier.model.golden()["inputs"][:1]
        calls = {
            BARE: bare_litert(classifier),
            SCORES: partial(classifier.scores, image),
            CONFIDENCES: partial(classifier.confidences, image),
        }
    turns: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(WARM_UPS + TURNS):
        for name, call in calls.items():
            started = time.perf_counter()
            for _ in range(LOOPS):
                call()
            turns[name].append((time.perf_counter() - started) / LOOPS)
    print(json.dumps(turns))


def bare_litert(classifier: Classifier) -> Callable[[], Any]:
    """Return a call that runs the classifier's model, without the classifier, on the first of its golden pictures."""
    image = classifier.model.golden()["inputs"][:1]
    interpreter = Interpreter(model_content=classifier.model.flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    answered = interpreter.get_output_details()[0]["index"]

    def call() -> Any:
        interpreter.set_tensor(given, image)
        interpreter.invoke()
        return interpreter.get_tensor(answered)

    return call


if __name__ == "__main__":
    main()
