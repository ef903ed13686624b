"""The latency benchmark runs and its figures hang together; how large they are is not for a test to say."""

import dataclasses
import json
import re
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pyperf
import pytest

from benchmarks.__main__ import main
from benchmarks.common.limits import LimitMissed
from benchmarks.common.turns import Turns
from benchmarks.speed import latency, latency_table, single_digit, starts
from benchmarks.speed.latency_table import WAYS
from convert import calibration, package, quantize
from convert.fold import fold
from convert.layers import Dense
from convert.recipes import CONVERSIONS
from edge_runtime.bench import result
from edge_runtime.bench.process import STAGES
from edge_runtime.bench.result import Measure, timed
from edge_runtime.inference.classifier import Classifier
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.system.native_logs import stderr_silenced
from tests.commands import Call

# The least that still holds everything.
LITTLE = dataclasses.replace(
    latency.FAST, processes=2, digit_turns=3, batch_turns=2, load_turns=2, keras_processes=1, keras_turns=2,
    frame_processes=2, frame_turns=2, hard=1, starts=1, peaks=1, energy_blocks=1, energy_seconds=0.05,
)  # fmt: skip
SLOWED = 40
RECIPES = ("float32", "float16", "dynamic", "int8")


def names(models: tuple[str, ...], hard: str, keras: bool = False) -> list[str]:
    """Return the names of all measures, in their order; of energy there are none on most machines."""
    ways = (single_digit.BARE, single_digit.SCORES, single_digit.CONFIDENCES)
    built = models if keras else ()
    reads = [starts.READ, *(f"{starts.READ} --model {model}" for model in built), *(["Keras"] if keras else [])]
    beside = [
        f"{group}/{way}"
        for group in ("one digit beside Keras", "256 digits beside Keras")
        for way in (f"int8 {single_digit.SCORES}", *WAYS)
    ]
    return [
        *(f"one digit/{model} {way}" for model in models for way in ways),
        *(f"batches/{model} {2**power}" for model in models for power in range(9)),
        *(f"threads/{model} {size} with {count}" for model in models for count in (1, 2, 4) for size in (1, 256)),
        *(f"{what}/{model}" for model in models for what in ("load", "first inference")),
        *(beside if keras else []),
        *(
            f"stages {size}/{stage}"
            for size in ("320x240", "640x480", "1280x720", "12 megapixels")
            for stage in ("ink", "locate", "normalize", "classify", "rest", "total")
        ),
        *(f"frame 640x480/{name}" for name in ("plain chain", "model that ships", *built)),
        "decode/12 megapixels",
        *(f"hard frame {hard}/{stage}" for stage in STAGES),
        *(f"cold start/{name}" for name in ("import numpy, cv2", *reads)),
        *(["load/Keras", *(f"first inference/{way}" for way in WAYS)] if keras else []),
        *(f"peak memory/{name}" for name in reads),
    ]


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "FAST", LITTLE)


@pytest.mark.slow
@pytest.mark.usefixtures("little")
def test_without_a_build_the_shipped_model_is_measured(tmp_path: Path, call: Call) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    done = call(main, "latency", folder, "--fast", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    first, *lines = done.out.splitlines()
    assert first == (
        f"left out, since {folder} does not contain them: float32, float16, dynamic, the full Keras network; "
        "make tflite builds them"
    )
    assert lines[-1] == f"no limit applies; {tmp_path / 'out' / 'latency.json'} holds every value"
    assert "measuring: frames\n" in done.err

    written = result.read(tmp_path / "out" / "latency.json")
    assert (written["benchmark"], written["settings"]["models"]) == ("latency", {"int8": SHIPPED.name})
    measures = result.measures(written)
    (hard,) = {name.split("/")[0].removeprefix("hard frame ") for name in measures if name.startswith("hard frame ")}
    expected = names(("int8",), hard)
    if sys.platform != "linux":
        expected = [name for name in expected if not name.startswith("peak memory/")]
    assert [name for name in measures if not name.startswith("energy/")] == expected
    _check(written, measures)

    # What pyperf reads of it is the same.
    suite = pyperf.BenchmarkSuite.load(str(tmp_path / "out" / "pyperf.json"))
    bare = suite.get_benchmark("one digit/int8 bare LiteRT")
    assert bare.get_nrun() == 2
    assert bare.median() * 1e9 == pytest.approx(measures["one digit/int8 bare LiteRT"].value)
    assert set(suite.get_benchmark_names()) == {name for name, each in measures.items() if each.unit == "ns"}


def _check(written: dict[str, object], measures: dict[str, Measure]) -> None:
    """Check how many values there are, and that what took turns can be paired."""
    assert len(measures["one digit/int8 bare LiteRT"].samples or []) == 2
    assert len(measures["cold start/edge-digits read"].samples or []) == 1
    shapes: dict[str, set[tuple[int, ...]]] = {}
    for measure in measures.values():
        assert measure.samples
        assert measure.unit in ("ns", "B", "J")
        assert measure.better == "lower"
        assert min(min(block) for block in measure.samples) > 0
        if measure.paired is not None:
            assert measure.name.startswith(f"{measure.paired}/")
            shapes.setdefault(measure.paired, set()).add(tuple(len(block) for block in measure.samples))
    assert {group: len(shape) for group, shape in shapes.items()} == dict.fromkeys(shapes, 1)
    assert shapes["one digit"] == {(3, 3)}
    assert shapes["batches"] == shapes["threads"] == shapes["frame 640x480"] == {(2, 2)}
    assert shapes["stages 640x480"] == {(10, 10)}
    details = written["details"]
    assert isinstance(details, dict)
    for name, measure in measures.items():
        if measure.unit == "ns":
            assert len(details["loops"][name]) == len(details["warm_ups"][name]) == len(measure.samples or [])
    # As in pyperf, loops are doubled until a turn is long enough; what comes before the values is kept apart.
    for loops, warm_ups in zip(details["loops"]["one digit/int8 bare LiteRT"],
                               details["warm_ups"]["one digit/int8 bare LiteRT"], strict=True):  # fmt: skip
        assert loops & (loops - 1) == 0
        assert [count for count, _ in warm_ups] == [
            1, 1, *(2**i for i in range(loops.bit_length())), loops, loops,
        ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("little")
def test_everything_is_measured_of_a_build(tmp_path: Path, smoke_build: Path, call: Call) -> None:
    done = call(main, "latency", smoke_build, "--fast", "--out", tmp_path)
    assert done.code in (0, LimitMissed.exit_code), done.err
    written = result.read(tmp_path / "latency.json")
    assert list(written["settings"]["models"]) == list(RECIPES)
    measures = result.measures(written)
    (hard,) = {name.split("/")[0].removeprefix("hard frame ") for name in measures if name.startswith("hard frame ")}
    assert [name for name in measures if not name.startswith("energy/")] == names(RECIPES, hard, keras=True)
    _check(written, measures)

    lines = done.out.splitlines()
    assert not any(line.startswith("left out") for line in lines)
    first = lines[: next(i for i, line in enumerate(lines) if line.startswith("Beside Keras"))]
    one = [line.split()[:2] for line in first if re.match(r"  \w+ +(bare|Classifier)", line)]
    calls = (single_digit.BARE, single_digit.SCORES, single_digit.CONFIDENCES)
    assert one == [[model, called.split()[0]] for model in RECIPES for called in calls]
    for way in WAYS:
        pattern = rf"  {re.escape(way)} +[\d,]+\.\d   [\d.,]+ \([\d.,]+-[\d.,]+\)"
        assert any(re.match(pattern, line) for line in lines), way
    assert any(re.match(r"  start, Keras to ours +[\d.]+ \([\d.]+-[\d.]+\) +at least 12$", line) for line in lines)
    assert any(re.match(r"  memory, Keras to ours +[\d.]+ \([\d.]+-[\d.]+\) +at least 8$", line) for line in lines)


def slowed(build: Path, folder: Path) -> Path:
    """Return a folder with the int8 model of a build, its first hidden layer SLOWED times as wide for nothing."""
    first, second, *rest = fold(keras.models.load_model(build / "digits.keras"))
    layers = [
        Dense(np.tile(first.kernel, SLOWED), np.tile(first.bias, SLOWED)),
        Dense(np.pad(second.kernel, ((0, (SLOWED - 1) * len(second.kernel)), (0, 0))), second.bias),
        *rest,
    ]
    digits = calibration.choose()
    with stderr_silenced():
        made = quantize.quantize(layers, CONVERSIONS["int8"], digits.images)
    folder.mkdir()
    run = json.loads((build / "run.json").read_text())
    package.package(folder / "digits-int8.tflite", made, package.card(CONVERSIONS["int8"], digits, run))
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("little")
def test_a_slowed_model_is_told_by_compare(tmp_path: Path, smoke_build: Path, call: Call) -> None:
    (tmp_path / "as it is").mkdir()
    shutil.copy(smoke_build / "digits-int8.tflite", tmp_path / "as it is")
    results = []
    for folder in (tmp_path / "as it is", slowed(smoke_build, tmp_path / "slowed")):
        done = call(main, "latency", folder, "--fast", "--out", folder)
        assert done.code == 0, done.err
        results.append(folder / "latency.json")
    images = single_digit.pictures(200)
    with (
        Classifier(tmp_path / "as it is" / "digits-int8.tflite") as one,
        Classifier(tmp_path / "slowed" / "digits-int8.tflite") as other,
    ):
        assert (one.scores(images).argmax(axis=1) == other.scores(images).argmax(axis=1)).mean() > 0.98
    before, after = (result.measures(result.read(path)) for path in results)
    worst = result.ratio(after["batches/int8 256"], before["batches/int8 256"])
    assert worst.low > 2
    done = call(main, "compare", *results)
    assert done.code == 5
    assert "latency batches/int8 256" in done.err
    assert call(main, "compare", results[0], results[0]).code == 0
    files = [tmp_path / name / "digits-int8.tflite" for name in ("slowed", "as it is")]
    assert latency.ratio(*files) > 1.5


def test_a_model_takes_as_long_as_itself() -> None:
    assert latency.ratio(SHIPPED, SHIPPED) == 1


def milliseconds(name: str, *values: float) -> Measure:
    return timed(name, [[1e6 * value for value in values]], paired=name.split("/")[0])


def memory(name: str, *megabytes: float) -> Measure:
    samples = [1e6 * value for value in megabytes]
    return Measure(name, "B", "lower", sorted(samples)[len(samples) // 2], [samples])


def test_what_is_limited_are_ratios_to_the_command() -> None:
    measures = [
        milliseconds("cold start/edge-digits read", 200, 220, 200),
        milliseconds("cold start/Keras", 2600, 2200, 2800),
        memory("peak memory/edge-digits read", 70, 75, 72),
        memory("peak memory/Keras", 648, 648, 720),
    ]
    ratios = latency_table.ratios({each.name: each for each in measures})
    assert list(ratios) == ["start_ratio", "memory_ratio"]
    assert [round(each.value, 9) for each in ratios.values()] == [13, 9]  # turn by turn; the medians of 648 and 72
    assert ratios["start_ratio"][1:] == (10, 14)
    assert latency_table.ratios({each.name: each for each in measures[:1]}) == {}


@pytest.mark.usefixtures("little")
def test_a_missed_limit_is_exit_code_5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    seen = latency.Measured({"cold start/Keras": [Turns(1, [], [2e9])]}, {}, {}, None, {})
    measures = [milliseconds("cold start/edge-digits read", 200), milliseconds("cold start/Keras", 2000),
                memory("peak memory/edge-digits read", 70), memory("peak memory/Keras", 700)]  # fmt: skip
    monkeypatch.setattr(latency, "measure", lambda files, effort: seen)
    monkeypatch.setattr(latency, "to_measures", lambda measured: measures)
    monkeypatch.setattr(latency_table, "table", lambda *_: [])
    done = call(main, "latency", "--fast", "--out", tmp_path)
    assert done.code == 5
    assert done.err == f"error: below its limit: start_ratio; {tmp_path / 'latency.json'} holds the figures\n"


def test_a_table_holds_median_percentile_and_maximum() -> None:
    stages = {"ink": milliseconds("x/ink", *range(1, 22)), "rest": milliseconds("x/rest", *[0.5] * 21)}
    median, high, worst = latency_table.stage_table("a frame", stages)
    assert median.split() == ["a", "frame", "median", "11.00", "0.50"]
    assert high.split() == ["95", "%", "20.00", "0.50"]
    assert worst.split() == ["worst", "21.00", "0.50"]
    assert len({len(line) for line in (median, high, worst)}) == 1


def test_a_warning_names_what_is_unstable() -> None:
    steady = milliseconds("steady/a", 10, 10.1, 9.9)
    wild = [milliseconds(f"wild/{i}", 1, 10) for i in range(8)]
    assert latency_table.warning({each.name: each for each in (steady, *wild)}) == (
        "warning: 8 of 9 measures are unstable, is the machine idle? wild/0, wild/1, wild/2, wild/3, wild/4, wild/5 "
        "and 2 more"
    )
    assert latency_table.warning({each.name: each for each in (steady, *wild[:1])}) == (
        "warning: 1 of 2 measures are unstable, is the machine idle? wild/0"
    )
    assert latency_table.warning({"steady/a": steady}) is None
