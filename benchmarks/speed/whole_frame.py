"""Whole frames through DigitReader, one thread; `benchmarks.speed.latency` starts this. Prints a JSON object.

python -m benchmarks.speed.whole_frame look [half]     each hard frame (half: without the negatives) a few times:
                                                 the minimum milliseconds of each, by name
python -m benchmarks.speed.whole_frame turns N [MODEL=FILE ...] -- [HARD FRAME ...]
    N turns; the Turns of each, by name:
    "stages SIZE/STAGE"     each of STAGES, in generated pages of each size
    "hard frame NAME/STAGE" the same in the named hard frames
    "frame 640x480/..."     the same page read with the shipped model and the named ones, and through the
                            plain chain, cv2.cvtColor and cv2.adaptiveThreshold
    "decode/12 megapixels"  decoding the JPEG of a photo, which no stage contains
"""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter_ns

import cv2

from benchmarks.common import frames
from benchmarks.common.turns import Turns
from edge_runtime import DigitReader
from edge_runtime.bench.process import STAGES, chain, of_stages
from edge_runtime.pages import timing
from edge_runtime.records import Uint8
from edge_runtime.sources import pictures

PLAIN = "640x480"
CHAIN, SHIPPED = "plain chain", "model that ships"
NEGATIVE = ", inverted"
WARM_UPS = 2
PASSES, LONG = 3, 30.0  # most readings of a hard frame; no further one after this many milliseconds
SHARE = 500e6  # nanoseconds after which a hard frame takes no further turns


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    with ExitStack() as stack:
        reader = stack.enter_context(DigitReader(threads=1))
        match sys.argv[1:]:
            case ["look", *half]:
                named = frames.frames().items()
                results: object = look(reader, {k: frame for k, frame in named if not (half and k.endswith(NEGATIVE))})
            case ["turns", turns, *rest]:
                models = [each.partition("=") for each in rest[: rest.index("--")]]
                readers = {name: stack.enter_context(DigitReader(Path(path))) for name, _, path in models}
                results = take_turns(reader, readers, int(turns), rest[rest.index("--") + 1 :])
            case other:
                raise SystemExit(f"look or turns, not {other}")
    print(json.dumps(results))


def look(reader: DigitReader, hard: dict[str, Uint8]) -> dict[str, float]:
    """Read each frame up to PASSES times, and return the minimum milliseconds of each."""
    for seed in range(timing.PAGES):
        reader.read(timing.page(timing.SIZES[PLAIN], seed))
    least = {}
    for name, frame in hard.items():
        totals: list[float] = []
        while len(totals) < PASSES and sum(totals) < LONG:
            totals.append(reader.read(frame).ms.total)
        least[name] = min(totals)
    return least


def take_turns(
    reader: DigitReader, readers: dict[str, DigitReader], turns: int, names: Sequence[str]
) -> dict[str, Turns]:
    """Return the output of `turns`; each turn covers every kind, and warm-ups use generated pages only."""
    pages = timing.every()
    jpeg = cv2.imencode(".jpg", pages[timing.PHOTO][0])[1].tobytes()
    hard = frames.frames() if names else {}
    results: dict[str, Turns] = {}

    def keep(name: str, nanoseconds: float) -> None:
        results.setdefault(name, Turns(1, [], [])).add(turn, nanoseconds)

    for turn in range(-WARM_UPS, turns):
        for name, drawn in pages.items():
            for page in drawn:
                for stage, spent in zip(STAGES, of_stages(reader.read(page)), strict=True):
                    keep(f"stages {name}/{stage}", spent)
        for name in names if turn >= 0 else ():
            total = results.get(f"hard frame {name}/{STAGES[-1]}")
            if total is None or sum(total.values) < SHARE:
                for stage, spent in zip(STAGES, of_stages(reader.read(hard[name])), strict=True):
                    keep(f"hard frame {name}/{stage}", spent)
        page = pages[PLAIN][turn % timing.PAGES]
        keep(f"frame {PLAIN}/{CHAIN}", spent_on(partial(chain, page)))
        for name, of_model in {SHIPPED: reader, **readers}.items():
            keep(f"frame {PLAIN}/{name}", spent_on(partial(of_model.read, page)))
        keep(f"decode/{timing.PHOTO}", spent_on(partial(pictures.decode, jpeg, timing.PHOTO)))
    return results


def spent_on(call: Callable[[], object]) -> int:
    """Return the nanoseconds of a call."""
    started = perf_counter_ns()
    call()
    return perf_counter_ns() - started


if __name__ == "__main__":
    main()
