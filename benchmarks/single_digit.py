"""A pyperf script: one digit through bare LiteRT and through the Classifier. `benchmarks.latency` runs it in rounds."""

import numpy as np
import pyperf
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from edge_runtime.classifier import Classifier

BARE, SCORES, CONFIDENCES = "bare LiteRT", "Classifier.scores", "Classifier.confidences"


def main() -> None:
    """Time set_tensor + invoke + get_tensor as LiteRT has them, then the two calls of the Classifier."""
    runner = pyperf.Runner()
    classifier = Classifier()
    image = classifier.model.golden()["inputs"][:1]
    interpreter = Interpreter(model_content=classifier.model.flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    answered = interpreter.get_output_details()[0]["index"]

    def bare_litert() -> NDArray[np.int8]:
        interpreter.set_tensor(given, image)
        interpreter.invoke()
        return interpreter.get_tensor(answered)  # type: ignore[no-any-return]

    runner.bench_func(BARE, bare_litert)
    runner.bench_func(SCORES, classifier.scores, image)
    runner.bench_func(CONFIDENCES, classifier.confidences, image)


if __name__ == "__main__":
    main()
