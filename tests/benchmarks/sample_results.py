"""Result files like those that the benchmarks write, small, and always the same: what a report is tested with."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure, share, timed

MACHINE = {"board": None, "processor": "Test Processor 3000", "architecture": "x86_64", "cores": 2,
           "memory_bytes": 8 * 1024**3}  # fmt: skip
ENVIRONMENT: dict[str, Any] = {
    "machine": MACHINE,
    "system": {"os": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12", "python": "3.11.7"},
    "versions": {"edge-digits": "0.1.0", "numpy": "2.4.6", "opencv": "5.0.0", "pillow": "13.0.0", "litert": "2.3.0"},
    "state": {"governor": None, "frequency_hz": 2_600_000_000, "temperature_celsius": 51.5, "throttled": [],
              "load_average": [0.25, 0.5, 0.75]},
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "model": "cf827e7f8116",
}  # fmt: skip
RECIPES = {"float32": (9951, 465_000, 21e3), "float16": (9951, 241_000, 22e3), "dynamic": (9950, 131_000, 17e3),
           "int8": (9949, 133_000, 14e3)}  # fmt: skip
FULL = 9951
STAGES = {"ink": 0.42, "locate": 0.23, "normalize": 0.1, "classify": 0.17, "rest": 0.08}
FRAMES = {"stages 320x240": 0.6e6, "stages 640x480": 1.5e6, "stages 1280x720": 3.1e6, "stages 12 megapixels": 13e6,
          "hard frame salt, inverted": 7e6, "hard frame thirty lines": 12e6}  # fmt: skip


def times(name: str, middle: float, *, spread: float = 0.03, paired: str | None = None, processes: int = 3) -> Measure:
    """Return a measure of 20 times for each process, about `middle` nanoseconds, with a tail to the right."""
    rng = np.random.default_rng(sum(name.encode()))
    blocks = middle * np.exp(spread * np.abs(rng.normal(size=(processes, 20))))
    return timed(name, blocks.tolist(), paired=paired)


def write(path: Path, benchmark: str, measures: Sequence[Measure], details: dict[str, Any] | None = None,
          *, change: Callable[[dict[str, Any]], object] = lambda record: None) -> Path:  # fmt: skip
    """Write a result of the machine above; `change` is given the record, to spoil it."""
    record = result.record(benchmark, measures, settings={"fast": True, "pages": 8}, details=details)
    record |= {"measured_at": "2026-11-25T10:00:00.000Z", "environment": json.loads(json.dumps(ENVIRONMENT))}
    change(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    return path


def write_all(folder: Path) -> None:
    """Write one result of each benchmark to where it belongs."""
    for name, make in MAKERS.items():
        make(folder / {"parity": "standard", "pages": "pages/samples"}.get(name, name) / f"{name}.json")


def parity(path: Path, **options: Any) -> Path:
    measures = [share("full/accuracy", FULL, 10_000)]
    models = {}
    for name, (right, size, _) in RECIPES.items():
        flipped = [] if name == "float32" else [115, 582] if name == "float16" else [115, 582, 2597]
        measures += [
            share(f"{name}/accuracy", right, 10_000), share(f"{name}/agreement", 10_000 - len(flipped), 10_000),
            figure(f"{name}/drop", (FULL - right) / 100, "%"), figure(f"{name}/file", size, "B", better="lower"),
        ]  # fmt: skip
        models[name] = {
            "accuracy": right / 100, "full_accuracy": FULL / 100, "drop": (FULL - right) / 100, "bytes": size,
            "agreement": 100 - len(flipped) / 100, "only_full_right": len(flipped), "only_small_right": 0,
            "mcnemar_p": 0.625, "nll_rise": 0.00021, "rejection_agreement": 99.73, "flipped": flipped,
        }  # fmt: skip
    return write(path, "parity", measures, {"passed": True, "missed": [], "models": models}, **options)


def latency(path: Path, **options: Any) -> Path:
    measures = []
    for name, (_, _, middle) in RECIPES.items():
        for call, slower in (("bare LiteRT", 1.0), ("Classifier.scores", 1.1), ("Classifier.confidences", 1.4)):
            measures.append(times(f"one digit/{name} {call}", slower * middle, paired="one digit"))
        measures += [times(f"load/{name}", 40 * middle), times(f"first inference/{name}", 3 * middle)]
        measures += [times(f"batches/{name} {2**k}", middle * (0.3 * 2**k + 0.7)) for k in range(9)]
        measures += [times(f"threads/{name} {size} with {count}", middle * size / count**0.5)
                     for size in (1, 256) for count in (1, 2, 4)]  # fmt: skip
    beside = {
        "int8 Classifier.scores": 16e3,
        "Keras model(x)": 2.9e6,
        "Keras tf.function": 4.1e5,
        "Keras predict": 5.7e7,
    }
    measures += [times(f"one digit beside Keras/{name}", middle, paired="one digit beside Keras",
                       spread=0.2 if "predict" in name else 0.03)
                 for name, middle in beside.items()]  # fmt: skip
    started = {"import numpy, cv2": 1e8, "edge-digits read": 1.9e8, "Keras": 3.1e9}
    measures += [times(f"cold start/{name}", middle) for name, middle in started.items()]
    measures += [Measure(f"peak memory/{name}", "B", "lower", held, [[held]])
                 for name, held in (("edge-digits read", 72e6), ("Keras", 648e6))]  # fmt: skip
    for name, total in FRAMES.items():
        measures += [times(f"{name}/{stage}", part * total) for stage, part in STAGES.items()]
        measures.append(times(f"{name}/total", total))
    return write(path, "latency", measures, **options)


# Microseconds of one digit, test digits read right, and bytes of the file.
PEERS = {
    "Classifier.scores": (15.0, 9949, 133_000), "Classifier.confidences": (19.0, 9949, 133_000),
    "bare LiteRT": (13.8, 9949, 133_000), "LiteRT float32": (21.0, 9951, 465_000),
    "LiteRT float16": (22.0, 9951, 241_000), "LiteRT dynamic int8": (17.0, 9950, 131_000),
    "ONNX Runtime float32": (61.0, 9951, 461_000), "ONNX Runtime static int8": (36.0, 9948, 120_000),
    "ONNX Runtime static int8, run()": (41.0, 9948, 120_000), "ONNX Runtime dynamic int8": (33.0, 9950, 119_000),
    "OpenCV dnn": (55.0, 9951, 461_000), "numpy": (70.0, 9951, 462_000), "Keras model(x)": (2.9e3, 9951, 1_400_000),
    "Keras tf.function": (410.0, 9951, 1_400_000), "Keras predict": (5.7e4, 9951, 1_400_000),
}  # fmt: skip
# Bytes on disk, milliseconds of the imports, and bytes of memory.
RUNTIMES = {"LiteRT": (95e6, 120.0, 60e6), "ONNX Runtime": (140e6, 190.0, 81e6), "Keras": (2.1e9, 2700.0, 590e6)}


def peers(path: Path, **options: Any) -> Path:
    group = "one digit"
    reading, products = times("limit/reading", 4e3, paired=group), times("limit/products", 1.2e3, paired=group)
    measures = [reading, products, figure("limit/weight bytes", 118_000, "B"),
                figure("limit/multiply-adds", 115_000, "1"), figure("limit/bytes from the cache a second", 30e9, "1/s"),
                figure("limit/bytes from memory a second", 9e9, "1/s"),
                figure("limit/int8 multiply-adds a second", 96e9, "1/s")]  # fmt: skip
    for name, (micros, right, size) in PEERS.items():
        measures += [
            times(f"{group}/{name}", 1e3 * micros, paired=group), share(f"{name}/accuracy", right, 10_000),
            share(f"{name}/agreement", 9990 if "int8" in name else 10_000, 10_000),
            figure(f"{name}/file", size, "B", better="lower"),
            figure(f"{name}/limit", 100 * 4 / micros, "%", better="higher"),
        ]  # fmt: skip
    for name, (disk, imports, memory) in RUNTIMES.items():
        measures += [
            figure(f"footprint/{name} size", disk, "B", better="lower"),
            times(f"footprint/{name} import", 1e6 * imports, processes=1),
            figure(f"footprint/{name} memory", memory, "B", better="lower"),
        ]  # fmt: skip
    return write(path, "peers", measures, {"footprint": {}}, **options)


def readers(path: Path, **options: Any) -> Path:
    measures, of_readers = [], {}
    for name, edits, ms in (("edge-digits", 2, 12.0), ("RapidOCR", 5, 900.0), ("OpenCV sample", 31, 1.5)):
        of_one = f"photos/{name}"
        measures += [
            times(f"{of_one}/a picture", 1e6 * ms, processes=1),
            times(f"{of_one}/processor time", 9e5 * ms, processes=1),
            figure(f"{of_one}/memory", 80e6, "B", better="lower"), figure(f"size/{name}", 3e6, "B", better="lower"),
        ]  # fmt: skip
        summary = {"pages": 5, "exact_pages": 3, "digits": 50, "edits": edits, "lines": 9, "exact_lines": 8,
                   "pages_without_digits": 1, "false_digits": 2, "median_ms": None, "worst_ms": None}  # fmt: skip
        of_readers[name] = {"summary": summary, "read": [["12"]] * 6}
    of_set = {"name": "photos", "kind": "page", "pictures": [["a.jpg", ["12"], "core"]] * 6, "readers": of_readers}
    missing = {"Tesseract": "not installed: apt install tesseract-ocr"}
    return write(path, "readers", measures, {"missing": missing, "sets": [of_set]}, **options)


def robustness(path: Path, **options: Any) -> Path:
    cells = [
        {"condition": condition, "severity": severity, "pages": 30, "digits": 300, "reported": 300 - 2 * k * severity,
         "matched": 300 - 3 * k * severity, "right": 299 - 3 * k * severity, "clean": 299, "edits": 3 * k * severity,
         "lines": 90, "exact_lines": 90 - k, "ms": 2.5, "located": 100 - k * severity}
        for k, condition in enumerate(("blur", "noise", "small", "shadow", "tilt", "touching"))
        for severity in range(1, 6)
    ]  # fmt: skip
    missed = ["touching 3: located 85.0 %, 12.0 below the limit of 97.0 %"]
    measures = [share("blur 1/located", 299, 300)]
    return write(path, "robustness", measures, {"passed": False, "missed": missed, "cells": cells}, **options)


def digits(path: Path, **options: Any) -> Path:
    bins = [[0.5 + 0.5 * k / 14, min(1.0, 0.48 + 0.52 * k / 14), 666] for k in range(15)]
    row = {"name": "MNIST test", "count": 10_000, "read": 99.49, "accepted": 99.1, "read_accepted": 98.9, "nll": 0.0171,
           "nll_uncalibrated": 0.019, "brier": 0.0079, "brier_uncalibrated": 0.008, "ece": 0.12, "reliability": bins,
           "reliability_uncalibrated": [[mean, min(1.0, right + 0.02), count] for mean, right, count in bins],
           }  # fmt: skip
    details = {"models": {"int8": {"digits": [row], "letters": [], "pages": {}}}}
    return write(path, "digits", [share("int8 MNIST test/read", 9949, 10_000)], details, **options)


def pages(path: Path, **options: Any) -> Path:
    summary = {"pages": 5, "exact_pages": 4, "digits": 50, "edits": 1, "lines": 9, "exact_lines": 8,
               "pages_without_digits": 1, "false_digits": 0, "median_ms": 3.4, "worst_ms": 9.9, "error_rate": 2.0,
               "false_digits_a_page": 0.0}  # fmt: skip
    return write(
        path, "pages", [share("all/exact pages", 4, 5)], {"folder": "samples", "summary": {"all": summary}}, **options
    )


def soak(path: Path, **options: Any) -> Path:
    seconds = [
        {"at": float(k), "memory": 90_000_000 + 1000 * k, "threads": 6, "files": 12, "processor": 0.14 * k,
         "true": [4.0 + k % 3, 9.0], "claimed": [4.0, 8.0], "dropped": 0, "digits": 20, "events": 0, "unstamped": 0}
        for k in range(1, 31)
    ]  # fmt: skip
    summary = {"minutes": 0.5, "frames": 900, "dropped": 0, "age_p99_ms": 9.0, "claim_off_p99_ms": 1.0,
               "memory_growth_mb": 0.01, "threads_spread": 0, "files_spread": 0, "core_percent": 14.0,
               "unstamped": 0}  # fmt: skip
    return write(
        path, "soak", [figure("frames/age p99", 9e6, "ns", better="lower")], {**summary, "seconds": seconds}, **options
    )


def updates(path: Path, **options: Any) -> Path:
    lines = [[k / 30, "00000000000a" if k < 60 else "00000000000b"] for k in range(120)]
    details = {"changes": 1, "readings": 120, "gap_ms": 33.3, "gap_p99_ms": 33.3, "gap_p50_ms": 33.3,
               "elsewhere_ms": 33.3, "astray": 0, "lines": lines,
               "changed": [{"began": 1.0, "read": 2.0, "model": "00000000000b"}]}  # fmt: skip
    return write(path, "updates", [figure("changes/gap p50", 3.33e7, "ns", better="lower")], details, **options)


def serve(path: Path, **options: Any) -> Path:
    def answers(ms: float, rate: int) -> dict[str, Any]:
        quantiles = {"p50_ms": ms, "p90_ms": 1.2 * ms, "p99_ms": 1.5 * ms, "p100_ms": 4 * ms}
        errors = {"connect": 0, "read": 0, "write": 0, "timeout": 0}
        return {"seconds": 3.0, "statuses": {"200": 3 * rate}, "times": quantiles, "errors": errors, "silent": 0.01}

    read = [
        {"picture": picture, "connections": count, "patient": False, "answers": answers(ms * count, 700),
         "empty": answers(0.2 * count, 6000)}
        for picture, ms in (("28x28 PNG", 1.3), ("640x480 JPEG", 5.0))
        for count in (1, 8, 64)
    ]  # fmt: skip
    stays = [
        {"viewers": count, "since": 0.0, "until": 6.0, "claimed": [3.0, 3.2, 4.0],
         "true": [3.5, 3.8, 4.4 + count / 100], "dropped": 0, "got": None if count == 0 else 3.0}
        for count in (0, 4, 16) * 2
    ]  # fmt: skip
    long = {"answers": answers(258.0, 60), "seconds": [{"memory": 10**8, "threads": 5, "files": 60}] * 12}
    figures = {"messages": 0, "failures": 0, "memory_growth_mb": 0.1, "age_ratio_low": 0.98, "missed_percent": 0.0}
    details = {"figures": figures, "messages": [], "read": read, "viewers": stays, "ratios": [], "long": long}
    return write(path, "serve", [figure("all/failures", 0, "1", better="lower")], details, **options)


def videos(path: Path, **options: Any) -> Path:
    measures = [share("all/exact", 17, 20), figure("steady/wrong reports", 0.01, "1/s", better="lower")]
    return write(path, "videos", measures, {"videos": []}, **options)


MAKERS: dict[str, Callable[..., Path]] = {
    "parity": parity, "latency": latency, "peers": peers, "readers": readers, "robustness": robustness,
    "digits": digits, "pages": pages,
    "soak": soak, "updates": updates, "serve": serve, "videos": videos,
}  # fmt: skip
