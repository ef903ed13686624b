"""One digit through every runtime, in turns; `benchmarks.peers.engines` starts this several times.

    python -m benchmarks.peers.turns BUILD NETWORKS TURNS

BUILD is the folder of the model files, NETWORKS that of their copies for other runtimes. Prints a JSON object: Turns
of each runtime and roofline measure, by name, and the bytes a second from memory. The environment must contain
ONE_THREAD.
"""

import json
import sys
from functools import partial
from pathlib import Path

from benchmarks.common import full, turns
from benchmarks.peers import calls as peer_calls
from benchmarks.peers import networks, roofline
from convert.recipes import CONVERSIONS
from edge_runtime.pages import timing
from train import int8_file

KERAS = {way: f"Keras {way}" for way in (full.MODEL, full.FUNCTION, full.PREDICT)}
NAMES = (*peer_calls.SMALL, *KERAS.values())


def main() -> None:
    """Measure and print."""
    build, folder, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    full.use_threads(1)
    image = timing.samples()[0][:1]
    calls: dict[str, turns.Call] = {
        name: partial(call, image) for name, call in peer_calls.opened(build, networks.Networks(folder)).items()
    }
    network = full.load(build / "digits.keras")
    calls |= {KERAS[way]: call for way, call in full.calls(network, image).items()}
    layers = int8_file.read(build / CONVERSIONS["int8"].file_name)
    calls |= roofline.calls(roofline.weight_bytes(layers))
    print(json.dumps({"turns": turns.take(calls, count), "memory": roofline.memory()}))


if __name__ == "__main__":
    main()
