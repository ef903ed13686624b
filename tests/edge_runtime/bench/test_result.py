import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, Ratio
from edge_runtime.errors import EdgeError, OutputError

SCHEMA = Path(result.__file__).parent.parent / "schemas" / "result.schema.json"
SAMPLES = [[100.0, 110.0, 90.0], [101.0, 99.0]]


def some() -> list[Measure]:
    return [
        result.timed("one digit/scores", SAMPLES, paired="one digit"),
        result.share("read/int8", 9946, 10_000),
        result.figure("memory/peak", 72_000_000, "B", better="lower"),
    ]


def test_the_file_is_as_its_schema_says(tmp_path: Path) -> None:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    path = tmp_path / "new" / "latency.json"
    written = result.write(path, "latency", some(), settings={"fast": True}, details={"turns": 3})
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(written)
    assert result.read(path) == written == json.loads(path.read_text())
    assert list(result.measures(written).values()) == some()
    assert [path.name for path in path.parent.iterdir()] == ["latency.json"]
    assert written["settings"] == {"fast": True}
    assert written["details"] == {"turns": 3}
    assert written["environment"]["model"] == "cf827e7f8116"


def test_figures_of_each_kind() -> None:
    times, read, memory = some()
    assert (times.value, times.unit, times.better) == (100, "ns", "lower")
    assert (read.value, read.unit, read.better) == (99.46, "%", "higher")
    assert (memory.value, memory.better) == (72_000_000, "lower")
    assert result.statistics(read) is None
    assert result.statistics(times) == {
        "p50": 100, "p90": pytest.approx(106.4), "p95": pytest.approx(108.2), "p99": pytest.approx(109.64), "mean": 100,
        "deviation": pytest.approx(np.std([100, 110, 90, 101, 99])),
    }  # fmt: skip


def test_empty_shares_and_units_are_errors() -> None:
    with pytest.raises(ValueError, match="read: a share needs a count above 0"):
        result.share("read", 0, 0)
    with pytest.raises(ValueError, match="age: unknown unit: ms"):
        result.figure("age", 1, "ms")


@pytest.mark.parametrize(
    ("samples", "unstable"),
    [
        ([[100.0, 101.0, 99.0]], False),
        ([[100.0, 101.0, 200.0]], True),
        ([[100.0] * 9, [104.0] * 9], False),
        ([[100.0] * 9, [115.0] * 9], True),  # steady, each in itself
    ],
)
def test_what_scatters_is_unstable(samples: list[list[float]], unstable: bool) -> None:
    measure = result.timed("one digit/scores", samples)
    assert result.is_unstable(measure) is unstable
    made = result.record("latency", [measure], settings={})
    assert made["measures"][0]["unstable"] is unstable
    warning = "one digit/scores is unstable: measure again on an idle machine"
    assert made["warnings"] == [warning] * unstable


def test_a_paired_ratio_ignores_what_slows_both() -> None:
    rng = np.random.default_rng(5)
    loads = rng.uniform(1, 9, (3, 40))
    one = result.timed("one", 300 * loads, paired="turns")
    other = result.timed("other", 100 * loads, paired="turns")
    assert result.ratio(one, other) == pytest.approx((3, 3, 3))
    alone = result.ratio(one, result.timed("other", 100 * loads))
    assert alone.low < 2.9 < alone.value < 3.1 < alone.high  # not paired: the noise is in the interval


def test_the_interval_holds_what_differs_between_processes() -> None:
    steady = result.timed("a", [[100.0, 101.0, 99.0]] * 5)
    scattered = result.timed("b", [[value] * 3 for value in (80.0, 90.0, 100.0, 110.0, 120.0)])
    value, low, high = result.ratio(scattered, steady)
    assert (value, low < 0.95, high > 1.05) == (1, True, True)
    assert result.ratio(scattered, steady) == (value, low, high)  # the same seed draws the same


def test_ratios_of_shares_and_single_figures() -> None:
    ratio = result.ratio(result.share("read", 990, 1000), result.share("read", 985, 1000))
    assert ratio.value == pytest.approx(990 / 985)
    assert 0.99 < ratio.low < 1 < ratio.high < 1.03
    bytes_ = [result.figure("size", value, "B") for value in (150, 100, 0)]
    assert result.ratio(bytes_[0], bytes_[1]) == Ratio(1.5, 1.5, 1.5)
    assert result.ratio(bytes_[2], bytes_[2]) == Ratio(1, 1, 1)
    assert all(np.isnan(result.ratio(bytes_[0], bytes_[2])))


@settings(max_examples=20)  # each looks at the whole environment
@given(st.lists(st.lists(st.floats(1, 1e9), min_size=1, max_size=5), min_size=1, max_size=4))
def test_any_samples_survive_the_file(samples: list[list[float]]) -> None:
    measure = result.timed("any", samples)
    made = json.loads(json.dumps(result.record("latency", [measure], settings={})))
    assert result.measures(made) == {"any": measure}
    value, low, high = result.ratio(measure, measure)
    assert low <= value * (1 + 1e-9)
    assert value <= high * (1 + 1e-9)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a benchmark result: Expecting value"),
        ("[]", "is not a benchmark result: required fields are missing"),
        ('{"passed": true}', "is not a benchmark result: required fields are missing"),
        ('{"format": 2, "benchmark": "x", "environment": {}, "measures": []}',
         "has format 2, expected format 1: measure again"),
        ('{"format": 1, "benchmark": "x", "environment": {}, "measures": [{"name": "a"}]}',
         r"is not a benchmark result: a measure is malformed \('unit'\)"),
        ('{"format": 1, "benchmark": "x", "environment": {}, "measures": 3}', "a measure is malformed"),
        ('{"format": 1, "benchmark": "x", "environment": {}, "measures": ["a"]}', "a measure is malformed"),
    ],
)  # fmt: skip
def test_what_is_no_result_is_refused_with_reason(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(EdgeError, match=f"^{path} .*{why}") as caught:
        result.read(path)
    assert "\n" not in str(caught.value)


def test_missing_and_unwritable_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match=r"cannot read .*none.json: No such file"):
        result.read(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=f"^cannot write {tmp_path}/file/result.json: "):
        result.write(tmp_path / "file" / "result.json", "latency", [], settings={})


def test_a_failed_write_leaves_the_last_file(tmp_path: Path) -> None:
    path = tmp_path / "latency.json"
    kept = result.write(path, "latency", some(), settings={})
    no_json: dict[str, Any] = {"classifier": object()}
    with pytest.raises(TypeError):
        result.write(path, "latency", some(), settings=no_json)
    assert result.read(path) == kept
