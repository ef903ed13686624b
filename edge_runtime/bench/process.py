r"""One part of `edge-digits bench`, in a separate process; prints the results as a JSON object.

python -m edge_runtime.bench.process \
    '{"part": "digit", "model": null, "labels": null, "threads": 1, "fast": true}'

Every figure is a list of nanoseconds; those of warm-ups are apart. The speed of a process depends on where its memory
happens to lie, so `bench` starts several.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter, perf_counter_ns
from typing import Any, NamedTuple

import cv2
import numpy as np

from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.interpreter import interpreter
from edge_runtime.pages import timing
from edge_runtime.reader import DigitReader
from edge_runtime.records import Reading, Uint8
from edge_runtime.sources import pictures
from edge_runtime.system.board import usable_cores

Times = dict[str, list[float]]
TURN, TURN_FAST = 0.02, 0.006  # seconds: in turns this short, other load on the machine slows all calls alike
TURNS, TURNS_FAST = 30, 8
WARM_UPS = 2
BATCHES = (1, 8, 64)
THREADS = (1, 2, 4)  # up to the number of cores
STAGES = ("ink", "locate", "normalize", "classify", "rest", "total")
LONG, LEAST = 6.0, 3  # frames take no further turns after LONG seconds, but at least LEAST turns
COPIED = 32 << 20  # bytes
COUNTED = 100_000  # rounds of a loop
WINDOW, OFFSET = 31, 10  # parameters of cv2.adaptiveThreshold


class Taken(NamedTuple):
    """The times of a part, and those of its warm-ups, which come first and are longer; loads have none."""

    times: Times
    warm_ups: Times


class Asked(NamedTuple):
    """A request: a part to measure, with a model."""

    part: str
    model: str | None
    labels: str | None
    threads: int
    fast: bool

    def classifier(self, threads: int | None = None) -> Classifier:
        """Return the requested classifier."""
        return Classifier(self.model, labels=self.labels, threads=threads or self.threads)


def main() -> None:
    """Measure a part, and print the results."""
    cv2.setNumThreads(1)
    asked = Asked(**json.loads(sys.argv[1]))
    print(json.dumps(PARTS[asked.part](asked)._asdict()))


def digit(asked: Asked) -> Taken:
    """Time loading, the first inference, and one digit through bare LiteRT and through the classifier, in turns."""
    image = timing.samples()[0][:1]
    started = perf_counter_ns()
    classifier = asked.classifier()
    loaded = perf_counter_ns()
    classifier.scores(image)
    answered = perf_counter_ns()
    calls: dict[str, Callable[[], object]] = {
        "bare LiteRT": bare(classifier, image, asked.threads),
        "Classifier.scores": partial(classifier.scores, image),
        "Classifier.confidences": partial(classifier.confidences, image),
    }
    times, warm_ups = in_turns(calls, asked.fast)
    return Taken({"load": [loaded - started], "first": [answered - loaded], **times}, warm_ups)


def batches(asked: Asked) -> Taken:
    """Time Classifier.scores of several digits at once."""
    images, classifier = timing.samples()[0], asked.classifier()
    return in_turns({str(count): partial(classifier.scores, images[:count]) for count in BATCHES}, asked.fast)


def threads(asked: Asked) -> Taken:
    """Time Classifier.scores of one digit, and of many, with several threads for the network."""
    images = timing.samples()[0]
    calls: dict[str, Callable[[], object]] = {}
    for count in usable_threads():
        classifier = asked.classifier(count)
        for digits in (BATCHES[0], BATCHES[-1]):
            calls[f"{count}, {digits}"] = partial(classifier.scores, images[:digits])
    return in_turns(calls, asked.fast)


def frames(asked: Asked) -> Taken:
    """Time whole frames, stage by stage; in each turn, each size gives the mean over its pages."""
    pages = timing.every()
    jpeg = cv2.imencode(".jpg", pages[timing.PHOTO][0])[1].tobytes()
    taken = Taken({}, {})
    turns = TURNS_FAST if asked.fast else TURNS
    with DigitReader(asked.model, labels=asked.labels, threads=asked.threads) as reader:
        begun = perf_counter()
        for turn in range(-1, turns):
            if turn >= LEAST and perf_counter() - begun > LONG:
                break
            started = perf_counter_ns()
            pictures.decode(jpeg, timing.PHOTO)
            decoded = perf_counter_ns() - started
            spent = {
                name: np.mean([of_stages(reader.read(page)) for page in drawn], 0) for name, drawn in pages.items()
            }
            times = taken.warm_ups if turn < 0 else taken.times
            times.setdefault("decode", []).append(decoded)
            for name, mean in spent.items():
                for stage, nanoseconds in zip(STAGES, mean.tolist(), strict=True):
                    times.setdefault(f"{name}/{stage}", []).append(nanoseconds)
    return taken


def machine(asked: Asked) -> Taken:
    """Time operations that show the speed of the machine alone: docs/boards.md scales by them."""
    source, copy = np.ones(COPIED, np.uint8), np.empty(COPIED, np.uint8)
    frame = timing.page(timing.SIZES["640x480"], 0)
    calls: dict[str, Callable[[], object]] = {
        "copy": partial(np.copyto, copy, source), "loop": loop, "chain": partial(chain, frame),
    }  # fmt: skip
    return in_turns(calls, asked.fast)


PARTS: dict[str, Callable[[Asked], Taken]] = {
    part.__name__: part for part in (digit, batches, threads, frames, machine)
}


def in_turns(calls: dict[str, Callable[[], object]], fast: bool) -> Taken:
    """Return the nanoseconds per call in every turn, those of the first WARM_UPS turns apart.

    The calls alternate, each repeated as often as fills a turn.
    """
    turn, turns = (TURN_FAST, TURNS_FAST) if fast else (TURN, TURNS)
    loops = {name: calibrated(call, turn) for name, call in calls.items()}
    times: Times = {name: [] for name in calls}
    for _ in range(WARM_UPS + turns):
        for name, call in calls.items():
            times[name].append(timed(call, loops[name]) / loops[name])
    return Taken(
        {name: values[WARM_UPS:] for name, values in times.items()},
        {name: values[:WARM_UPS] for name, values in times.items()},
    )


def calibrated(call: Callable[[], object], seconds: float) -> int:
    """Return how many calls take this many seconds: at least 1, and a power of two."""
    loops = 1
    while timed(call, loops) < 1e9 * seconds / 2:
        loops *= 2
    return loops


def timed(call: Callable[[], object], loops: int) -> int:
    """Return the nanoseconds of this many calls."""
    rounds = range(loops)
    started = perf_counter_ns()
    for _ in rounds:
        call()
    return perf_counter_ns() - started


def bare(classifier: Classifier, image: Uint8, threads: int) -> Callable[[], Any]:
    """Return a call that runs the model on one picture, uint8 (1, 28, 28), without the classifier around it."""
    lite = interpreter(classifier.model.path, classifier.model.flatbuffer, threads)
    details, answered = lite.get_input_details()[0], lite.get_output_details()[0]["index"]
    taken, index = image.astype(details["dtype"]).reshape(details["shape"]), details["index"]

    def call() -> Any:
        lite.set_tensor(index, taken)
        lite.invoke()
        return lite.get_tensor(answered)

    return call


def loop() -> int:
    """Count in plain Python."""
    total = 0
    for number in range(COUNTED):
        total += number & 3
    return total


def chain(frame: Uint8) -> object:
    """Find the ink of a frame, uint8 (H, W, 3), with the simplest method."""
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, WINDOW, OFFSET)


def of_stages(reading: Reading) -> list[float]:
    """Return the nanoseconds of each of STAGES; `rest` is selection, rejection and lines."""
    ms = reading.ms
    named = [ms.ink, ms.locate, ms.normalize, ms.classify]
    return [1e6 * value for value in (*named, ms.total - sum(named), ms.total)]


def usable_threads() -> list[int]:
    """Return those of THREADS that this process has cores for; at least the first."""
    return [count for count in THREADS if count <= usable_cores()]


if __name__ == "__main__":
    main()
