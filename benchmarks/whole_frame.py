"""Whole frames through DigitReader, one thread; `benchmarks.latency` starts it, and it prints a JSON object.

python -m benchmarks.whole_frame look [half]     each hard frame (half: without the negatives) a few times:
                                                 the least milliseconds of each, by name
python -m benchmarks.whole_frame turns N NAME ...     N turns of pages and of the hard frames named:
    "stages": for each kind of frame, the milliseconds of each of STAGES in every reading
    "chain", "frame": the seconds of the plain chain, cv2.cvtColor and cv2.adaptiveThreshold, and of reading the same
        640x480 frame, of every turn, warm-ups first
    "decode": the milliseconds of decoding the JPEG of a 12-megapixel photo, which no stage contains
"""

import json
import sys
from collections.abc import Sequence
from time import perf_counter

import cv2

from benchmarks import frames
from edge_runtime import DigitReader
from edge_runtime.records import Reading, Uint8
from edge_runtime.sources import pictures

STAGES = ("ink", "locate", "normalize", "classify", "rest", "total")
SIZES = {"320x240": (320, 240), "640x480": (640, 480), "1280x720": (1280, 720)}
PLAIN, PHOTO = "640x480", "12 megapixels"
NEGATIVE = ", inverted"
WARM_UPS = 2
SEEDS = 5  # pages of each size
WINDOW, OFFSET = 31, 10  # of cv2.adaptiveThreshold
LOOKS, LONG = 3, 30.0  # a hard frame is looked at so often, but not again after so many milliseconds
SHARE = 500.0  # milliseconds after which a hard frame takes no further turns


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    with DigitReader(threads=1) as reader:
        match sys.argv[1:]:
            case ["look", *half]:
                named = frames.frames().items()
                found: object = look(reader, {k: frame for k, frame in named if not (half and k.endswith(NEGATIVE))})
            case ["turns", turns, *names]:
                found = take_turns(reader, int(turns), names)
            case other:
                raise SystemExit(f"look or turns, not {other}")
    print(json.dumps(found))


def look(reader: DigitReader, hard: dict[str, Uint8]) -> dict[str, float]:
    """Read each frame up to LOOKS times, and return the least milliseconds of each."""
    for seed in range(SEEDS):
        reader.read(frames.page(SIZES[PLAIN], seed))
    found = {}
    for name, frame in hard.items():
        totals: list[float] = []
        while len(totals) < LOOKS and sum(totals) < LONG:
            totals.append(reader.read(frame).ms.total)
        found[name] = min(totals)
    return found


def take_turns(reader: DigitReader, turns: int, names: Sequence[str]) -> dict[str, object]:
    """Return what `turns` prints; of a turn, every kind takes its part, and warm-ups are of pages alone."""
    pages = {name: [frames.page(size, seed) for seed in range(SEEDS)] for name, size in SIZES.items()}
    pages[PHOTO] = [frames.photo(0)]
    jpeg = cv2.imencode(".jpg", pages[PHOTO][0])[1].tobytes()
    every = frames.frames() if names else {}
    hard = {name: every[name] for name in names}
    stages: dict[str, list[list[float]]] = {name: [] for name in (*pages, *hard)}
    chain, frame, decode = [], [], []
    for turn in range(-WARM_UPS, turns):
        for name, drawn in pages.items():
            of_turn = [of_stages(reader.read(page)) for page in drawn]
            stages[name] += of_turn if turn >= 0 else []
        for name, picture in hard.items():
            if turn >= 0 and sum(of_reading[-1] for of_reading in stages[name]) < SHARE:
                stages[name].append(of_stages(reader.read(picture)))
        reference = pages[PLAIN][turn % SEEDS]
        chain.append(seconds_of_chain(reference))
        frame.append(reader.read(reference).ms.total / 1000)
        started = perf_counter()
        pictures.decode(jpeg, PHOTO)
        decode.append((perf_counter() - started) * 1000)
    return {"stages": stages, "chain": chain, "frame": frame, "decode": decode[WARM_UPS:]}


def of_stages(reading: Reading) -> list[float]:
    """Return the milliseconds of each of STAGES; `rest` is what the reader does after them: choose, reject, order."""
    ms = reading.ms
    named = [ms.ink, ms.locate, ms.normalize, ms.classify]
    return [*named, ms.total - sum(named), ms.total]


def seconds_of_chain(frame: Uint8) -> float:
    """Return the seconds that the plainest way to ink takes on a frame, uint8 (H, W, 3)."""
    started = perf_counter()
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, WINDOW, OFFSET)
    return perf_counter() - started


if __name__ == "__main__":
    main()
