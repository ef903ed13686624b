import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import edge_runtime
from edge_runtime import Classifier
from edge_runtime.bench import measure, process, result, table
from edge_runtime.bench.process import Asked
from edge_runtime.cli.main import main
from edge_runtime.errors import EdgeError, OutputError
from edge_runtime.inference import model_file
from edge_runtime.pages import timing
from tests.commands import Call

PACKAGE = Path(edge_runtime.__file__).parent
SCHEMA = json.loads((PACKAGE / "schemas" / "result.schema.json").read_text())
CALM = {"throttled": [], "load_average": [0.0, 0.0, 0.0], "temperature_celsius": 40.0}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str], str]:
    """Return the record of a short run, its lines on standard error, and what --json printed."""
    path = tmp_path_factory.mktemp("bench") / "new" / "bench.json"
    command = [sys.executable, "-m", "edge_runtime", "bench", "--fast", "--json", "--out", str(path)]
    ran = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    return result.read(path), ran.stderr.splitlines(), ran.stdout


def test_json_prints_the_record_of_the_schema(done: tuple[dict[str, Any], list[str], str]) -> None:
    record, _, printed = done
    Draft202012Validator(SCHEMA).validate(record)
    assert json.loads(printed) == record
    assert printed.count("\n") == 1
    assert record["benchmark"] == "bench"
    assert record["settings"] == {"fast": True, "threads": 1, "opencv_threads": 1}
    assert record["environment"]["model"] == model_file.read(model_file.SHIPPED).id
    assert record["details"]["golden_vectors"]["vectors"] == 34


def test_everything_is_measured(done: tuple[dict[str, Any], list[str], str]) -> None:
    measures = result.measures(done[0])
    stages = [
        f"stages {size}/{stage}" for size in [*timing.SIZES, timing.PHOTO] for stage in process.STAGES
    ]  # fmt: skip
    threads = [f"threads/{n}, {many}" for n in process.usable_threads() for many in ("1 digit", "64 digits")]
    wanted = {
        "golden vectors/same label", "golden vectors/units that a score is off", "model/load", "model/first inference",
        "one digit/bare LiteRT", "one digit/Classifier.scores", "one digit/Classifier.confidences",
        "batches/1", "batches/8", "batches/64", *threads, *stages, "frames/decode 12 megapixels",
        "machine/copy", "machine/loop", "machine/chain", "command/import numpy, cv2", "command/edge-digits read PNG",
    }  # fmt: skip
    assert set(measures) - {"memory/edge-digits read PNG, peak"} == wanted
    if sys.platform == "linux":
        assert 30e6 < measures["memory/edge-digits read PNG, peak"].value < 300e6
    digit = measures["one digit/Classifier.scores"]
    assert digit.samples is not None
    assert [len(block) for block in digit.samples] == [process.TURNS_FAST] * measure.PROCESSES_FAST
    assert digit.paired == measures["one digit/bare LiteRT"].paired == "one digit"
    assert 1e3 < digit.value < 1e7  # nanoseconds
    for size in timing.SIZES:
        parts = [measures[f"stages {size}/{stage}"].samples for stage in process.STAGES]
        # A process whose time is up has fewer turns than another.
        *named, total = (np.concatenate(blocks or []) for blocks in parts)
        np.testing.assert_allclose(np.sum(named, axis=0), total)


def test_progress_without_terminal_is_lines(
    done: tuple[dict[str, Any], list[str], str],
) -> None:
    record, err, _ = done
    names = ["one digit", "batches", "threads", "whole frames", "the machine", "start of the command", "peak memory"]
    assert err[: len(names)] == [f"edge-digits: measuring {name}" for name in names]
    assert err[len(names) :] == [f"edge-digits: warning: {warning}" for warning in measure.worth_a_word(record)]
    assert list(dict.fromkeys(measure.steps(measure.Settings()))) == names
    assert len(measure.steps(measure.Settings())) == 5 * measure.PROCESSES + 2


def test_the_table_shows_all_within_line_width(done: tuple[dict[str, Any], list[str], str]) -> None:
    lines = list(table.lines(done[0]))
    text = "\n".join(lines)
    assert max(map(len, lines)) <= 120
    assert "Golden vectors: 34 of 34 have the expected label; scores differ by up to" in text
    for part in ("bare LiteRT", "64 at once", "12 megapixels", "edge-digits read PNG", "copy of 32 MiB"):
        assert any(line.startswith(f"  {part}") for line in lines), part
    assert "nan" not in text


def test_a_model_without_golden_vectors_is_measured(
    done: tuple[dict[str, Any], list[str], str], tmp_path: Path, classifier: Classifier
) -> None:
    path = tmp_path / "mine.tflite"
    path.write_bytes(classifier.model.flatbuffer)
    times, _ = process.digit(Asked("digit", str(path), None, 1, True))
    assert sorted(times) == ["Classifier.confidences", "Classifier.scores", "bare LiteRT", "first", "load"]
    assert all(min(values) > 0 for values in times.values())
    record = {**done[0], "details": {**done[0]["details"], "golden_vectors": None}}
    assert any(line.startswith("Golden vectors: this model has none") for line in table.lines(record))


def test_wrong_golden_vectors_end_it_with_5(call: Call, tmp_path: Path, classifier: Classifier) -> None:
    path, model = tmp_path / "model.tflite", classifier.model
    vectors = model.golden()
    vectors["outputs"] = np.roll(vectors["outputs"], 1, axis=1)
    assert model.card is not None
    model_file.write(path, model.flatbuffer, model.card, vectors)
    out = tmp_path / "bench.json"
    done = call(main, "bench", "--model", path, "--out", out)
    assert done.one_line(5).startswith(f"edge-digits: error: {path} gives wrong results on this machine: ")
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--model", "none.tflite"], 4, "cannot read the model none.tflite"),
        (["--threads", "0"], 2, "--threads"),
        (["--labels", "none.txt"], 2, "cannot read the labels none.txt"),
        (["--out", "/proc/none/bench.json"], 6, "cannot write /proc/none/bench.json"),
        (["--out", "."], 2, "--out"),
        (["page.png"], 2, "unexpected extra argument"),
    ],
)
def test_nonsense_is_one_line(arguments: list[str], code: int, message: str, call: Call) -> None:
    assert message in call(main, "bench", *arguments).one_line(code)


def test_a_part_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match=r"^one digit: not measured: .*cannot read the model") as caught:
        measure._measured("digit", measure.Settings(tmp_path / "none.tflite"))
    assert "\n" not in str(caught.value)


def test_a_read_only_folder_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        measure.check_folder(tmp_path / "file" / "bench.json")
    measure.check_folder(tmp_path / "new" / "bench.json")
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize(
    ("before", "after", "warmest", "parts"),
    [
        ({}, {}, 79.9, []),
        ({}, {}, None, []),
        ({"throttled": None, "load_average": None}, {"throttled": None}, None, []),
        ({"throttled": ["throttled since boot"]}, {"throttled": ["throttled since boot"]}, None, []),
        ({}, {"throttled": ["throttled since boot"]}, None, ["(throttled since boot)"]),
        ({"throttled": ["under-voltage now"]}, {}, None, ["(under-voltage now)"]),
        ({}, {}, 80.0, ["reached 80 degrees"]),
        ({"load_average": [1e6, 0.0, 0.0]}, {}, 85.0, ["reached 85 degrees", "a load average of 1000000.0"]),
    ],
)
def test_what_makes_figures_doubtful(
    before: dict[str, Any], after: dict[str, Any], warmest: float | None, parts: list[str]
) -> None:
    concerns = measure.concerns({**CALM, **before}, {**CALM, **after}, warmest)
    assert len(concerns) == len(parts)
    assert all(part in concern for part, concern in zip(parts, concerns, strict=True))


def test_warm_ups_are_kept_apart(done: tuple[dict[str, Any], list[str], str]) -> None:
    warm_ups, measures = done[0]["details"]["warm_up_ms"], result.measures(done[0])
    parts = ("one digit/", "batches/", "threads/", "stages ", "frames/", "machine/")
    assert list(warm_ups) == [name for name in measures if name.startswith(parts)]
    for name, of_processes in warm_ups.items():
        count = 1 if measures[name].paired == "frames" else process.WARM_UPS
        assert [len(values) for values in of_processes] == [count] * measure.PROCESSES_FAST, name
        assert min(map(min, of_processes)) > 0
    assert 0.1 < warm_ups["machine/loop"][0][0] < 10_000  # milliseconds of 100,000 rounds in Python


def test_turns_are_taken_in_turn() -> None:
    calls: list[str] = []
    times, warm_ups = process.in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, fast=True)
    assert {name: len(values) for name, values in times.items()} == dict.fromkeys("ab", process.TURNS_FAST)
    assert {name: len(values) for name, values in warm_ups.items()} == dict.fromkeys("ab", process.WARM_UPS)
    changes = sum(one != other for one, other in pairwise(calls))
    # Once from the trials of a to those of b, once to the first turn, and within and between turns.
    assert changes == 2 + 2 * (process.WARM_UPS + process.TURNS_FAST) - 1


def test_help_of_bench_loads_neither_numpy_nor_opencv() -> None:
    code = (
        "import sys; sys.argv = ['edge-digits', 'bench', '--help']; sys.modules['numpy'] = sys.modules['cv2'] = None\n"
        "from edge_runtime.cli.main import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert all(option in ran.stdout for option in ("--json", "--out FILE", "--fast", "--model FILE", "--threads N"))
