"""Digits through the full Keras network and the Classifier, in turns; `benchmarks.speed.latency` starts this.

python -m benchmarks.speed.full_turns loads TURNS NETWORK
    load time of the network, and its first digit by each of three calls
python -m benchmarks.speed.full_turns steady TURNS NETWORK INT8
    1 and 256 digits, one thread, all three calls

Prints a JSON object: the Turns of each, by name.
"""

import json
import sys
from functools import partial
from pathlib import Path
from time import perf_counter_ns

from benchmarks.common import full
from benchmarks.common.turns import LEAST, Call, Turns, take
from benchmarks.speed.single_digit import FEW, MANY, SCORES, beside_keras, pictures
from edge_runtime.inference.classifier import Classifier

FIRST_LOADS = 1


def main() -> None:
    """Measure and print."""
    full.use_threads(1)
    match sys.argv[1:]:
        case ["loads", turns, network]:
            results = loads(Path(network), int(turns))
        case ["steady", turns, network, model]:
            results = take(in_turns(Path(network), Path(model)), int(turns), least=LEAST)
        case other:
            raise SystemExit(f"loads or steady, not {other}")
    print(json.dumps(results))


def in_turns(network: Path, model: Path) -> dict[str, Call]:
    """Return the calls of the full network, and the Classifier with a small model."""
    loaded, classifier = full.load(network), Classifier(model)
    calls: dict[str, Call] = {}
    for count in (FEW, MANY):
        group = beside_keras(count)
        images = pictures(count)
        calls[f"{group}/int8 {SCORES}"] = partial(classifier.scores, images)
        calls |= {f"{group}/Keras {way}": call for way, call in full.calls(loaded, images).items()}
    return calls


def loads(network: Path, turns: int) -> dict[str, Turns]:
    """Load the network for each kind of call, the given number of times, and time the first digit."""
    results: dict[str, Turns] = {}
    for turn in range(-FIRST_LOADS, turns):
        for way in (full.MODEL, full.FUNCTION, full.PREDICT):
            started = perf_counter_ns()
            loaded = full.load(network)
            spent = {"load/Keras": perf_counter_ns() - started}
            call = full.calls(loaded, pictures(FEW))[way]
            started = perf_counter_ns()
            call()
            spent[f"first inference/Keras {way}"] = perf_counter_ns() - started
            for name, nanoseconds in spent.items():
                results.setdefault(name, Turns(1, [], [])).add(turn, nanoseconds)
    return results


if __name__ == "__main__":
    main()
