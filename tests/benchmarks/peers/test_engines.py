"""`python -m benchmarks peers`: the verdict, the table and the file; how large a figure is is not for a test to say."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from benchmarks.__main__ import main
from benchmarks.common.limits import read_limits
from benchmarks.peers import calls as peer_calls
from benchmarks.peers import engines, limits, roofline
from benchmarks.peers.calls import NUMPY, ONNX_DYNAMIC, ONNX_RUN, ONNX_STATIC, OPENCV
from benchmarks.peers.limits import GROUP, LIMITED, judge
from benchmarks.peers.turns import KERAS, NAMES
from benchmarks.speed.single_digit import BARE, CONFIDENCES, SCORES
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure, share, timed
from edge_runtime.records import Uint8
from tests.benchmarks import tiny_build
from tests.commands import Call
from train.dataset import Digits

LIMITS = read_limits()["peers"]
SCHEMA = Path(result.__file__).parent.parent / "schemas" / "result.schema.json"
# Nanoseconds that meet every limit.
GOOD = {SCORES: 10.2e3, CONFIDENCES: 12e3, BARE: 10e3, ONNX_STATIC: 25e3, ONNX_RUN: 30e3, ONNX_DYNAMIC: 28e3,
        OPENCV: 60e3, NUMPY: 70e3, **dict.fromkeys(KERAS.values(), 50e6)}  # fmt: skip


def turns(spread: float = 0.01, **other: float) -> list[Measure]:
    """Return times of all names in turns: `other` replaces what is in GOOD, and scatters by `spread`."""
    rng = np.random.default_rng(1)
    measures = []
    for name in NAMES:
        middle = {**GOOD, **other}.get(name, 20e3)
        scattered = middle * np.exp(spread * rng.normal(size=(4, 20)))
        measures.append(timed(f"{GROUP}/{name}", scattered.tolist(), paired=GROUP))
    return measures


def test_every_limit_has_its_ratio() -> None:
    assert LIMITS.keys() == LIMITED.keys()
    with pytest.raises(KeyError, match="tensorrt_at_most"):
        judge(turns(), {"tensorrt_at_most": 1})


def test_met_limits_are_reported_with_their_interval() -> None:
    verdicts = judge(turns(), LIMITS)
    assert all(verdict.met for verdict in verdicts.values())
    verdict = verdicts["confidences_at_most"]
    assert (verdict.name, verdict.limit) == (CONFIDENCES, LIMITS["confidences_at_most"])
    assert verdict.ratio.low < verdict.ratio.value < verdict.ratio.high
    assert verdict.ratio.value == pytest.approx(1.2, rel=0.02)


def test_the_upper_end_of_the_interval_counts() -> None:
    limit = {"scores_at_most": LIMITS["scores_at_most"]}
    certain = judge(turns(0.001, **{SCORES: 10.4e3}), limit)["scores_at_most"]
    assert certain.met, certain
    doubtful = judge(turns(0.3, **{SCORES: 10.4e3}), limit)["scores_at_most"]
    assert doubtful.ratio.low < doubtful.limit < doubtful.ratio.high
    assert not doubtful.met
    assert judge(turns(0.3, **{SCORES: 5e3}), limit)["scores_at_most"].met


def test_a_missed_limit_is_said_in_its_line() -> None:
    verdicts = judge(turns(**{SCORES: 11e3}), LIMITS)
    assert verdicts["scores_at_most"].missed.startswith(f"{SCORES} takes 1.")
    assert verdicts["scores_at_most"].missed.endswith(f" times as long as {BARE}, not at most 1.05")
    lines = limits.table(verdicts)
    assert len(lines) == 1 + len(LIMITS)
    assert [line.split()[0] for line in lines if line.endswith("at most 1.05, MISSED")] == [SCORES]
    assert lines[2].endswith("at most 1.3")


def test_accuracy_is_of_the_calls_that_are_timed(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits[0][:40], digits[1][:40]
    reference = np.eye(11)[labels]  # reads everything right
    reference[3] = np.eye(11)[(labels[3] + 1) % 10]

    def right(image: Uint8) -> Uint8:
        (at,) = np.flatnonzero((images == image).all(axis=(1, 2)))[:1]
        answer = np.zeros((1, 11), np.uint8)
        answer[0, [labels[at], 10]] = 7, 9  # the eleventh is no digit
        return answer

    def zero(image: Uint8) -> Uint8:
        return np.zeros((1, 11), np.uint8)

    ticks: list[None] = []
    calls = {"right": right, "zero": zero}
    measures = engines.judged(calls, reference, Digits(images, labels), lambda: ticks.append(None))
    counts = {each.name: (each.count, each.of) for each in measures}
    zeros = int((labels == 0).sum())
    assert counts["right/accuracy"] == (40, 40)
    assert counts["right/agreement"] == (39, 40)
    assert counts["zero/accuracy"] == (zeros, 40)
    assert {counts[f"{name}/accuracy"] for name in KERAS.values()} == {(39, 40)}
    assert {counts[f"{name}/agreement"] for name in KERAS.values()} == {(40, 40)}
    assert len(ticks) == 2


def test_the_table_sets_accuracy_beside_speed() -> None:
    measures = [
        *turns(0),
        *[share(f"{name}/{what}", 995, 1000) for name in NAMES for what in ("accuracy", "agreement")],
        *[figure(f"{name}/limit", 12.34, "%") for name in NAMES],
    ]
    head, *lines = engines.table(measures)
    assert len(lines) == len(NAMES)
    assert len({len(line) for line in (head, *lines)}) == 1  # columns end where their heads do
    cells = {line[2:33].strip(): line[33:].split() for line in lines}
    assert cells[SCORES] == ["10.20", "us", "1.00", "99.50", "%", "99.50", "%", "12.3", "%"]
    assert cells[NUMPY] == ["70.00", "us", "6.86", "(6.86-6.86)", "99.50", "%", "99.50", "%", "12.3", "%"]
    assert cells["Keras model(x)"][:4] == ["50,000.00", "us", "4,902", "(4,902-4,902)"]


@pytest.mark.slow
def test_the_command_measures_everything_in_turns(
    tmp_path: Path, digits: tuple[Uint8, Uint8], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PROCESSES_FAST", 1)
    monkeypatch.setattr(engines, "TURNS_FAST", 2)
    build = tiny_build.write(tmp_path / "build", digits[0])
    done = call(main, "peers", build, "--fast", "--out", tmp_path / "out")
    assert done.code == (5 if "MISSED" in done.out else 0), done.err  # so small a network is another matter
    assert ("error: beyond its limit: " in done.err) == (done.code == 5)
    assert done.out.startswith("no footprint of LiteRT, ONNX Runtime, OpenCV dnn, numpy, Keras: --footprint creates")

    written = json.loads((tmp_path / "out" / "peers.json").read_text())
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(written)
    assert written["settings"] == {"build": "build", "processes": 1, "turns": 2, "threads": 1, "digits": 10_000}
    measures = result.measures(written)
    of_limit = ("reading", "products", "weight bytes", "multiply-adds", "bytes from the cache a second",
                "bytes from memory a second", "int8 multiply-adds a second")  # fmt: skip
    raw = {*roofline.READERS, roofline.PRODUCTS}
    assert measures.keys() == {
        *(f"one digit/{name}" for name in NAMES),
        *(f"{name}/{what}" for name in NAMES for what in ("accuracy", "agreement", "file", "limit")),
        *(f"limit/{what}" for what in of_limit),
        *raw,
    }
    assert written["details"]["loops"].keys() == {*NAMES, *raw}
    for name in (*(f"one digit/{name}" for name in NAMES), "limit/reading", "limit/products"):
        assert measures[name].paired == "one digit"
        assert [len(block) for block in measures[name].samples or ()] == [2]
    assert measures[f"{peer_calls.FLOAT32}/file"].value == (build / "digits-float32.tflite").stat().st_size
    assert measures[f"{ONNX_STATIC}/file"].value == (tmp_path / "out/networks/int8-static.onnx").stat().st_size
    # The same weights: float32 reads as the full network does everywhere.
    for name in (peer_calls.FLOAT32, peer_calls.ONNX_FLOAT32, OPENCV, NUMPY):
        assert measures[f"{name}/agreement"].count in (9999, 10_000), name
    # And int8 of both runtimes reads alike, up to digits where two scores are one step apart.
    ours, theirs = (measures[f"{name}/accuracy"].count or 0 for name in (SCORES, ONNX_STATIC))
    assert abs(ours - theirs) <= 50
    assert measures["limit/multiply-adds"].value == 784 * 24 + 24 * 16 + 16 * 10


def test_without_the_extra_the_error_names_it(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['onnx'] = None\nfrom benchmarks.__main__ import main\n"
        f"sys.argv = ['benchmarks', 'peers', {str(tmp_path)!r}]\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(": pip install 'edge-digits[bench]'\n")
    assert done.stderr.count("\n") == 1


def test_a_folder_without_models_is_told(tmp_path: Path, call: Call) -> None:
    done = call(main, "peers", tmp_path, "--out", tmp_path / "out")
    assert done.code == 4
    assert done.err.startswith(f"error: cannot load {tmp_path / 'digits.keras'}: ")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
