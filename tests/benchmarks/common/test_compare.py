import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.common import compare
from edge_runtime.bench import environment, result
from edge_runtime.bench.result import Measure
from tests.commands import Call

TIMES = [[float(time) for time in range(base, base + 11)] for base in (1000, 1004, 998)]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, *measures: Measure, benchmark: str = "latency", **settings: Any) -> Path:
        path = tmp_path / f"{name}.json"
        result.write(path, benchmark, measures, settings=settings)
        return path

    return write


def times(factor: float = 1.0, name: str = "one digit/scores") -> Measure:
    return result.timed(name, [[factor * time for time in block] for block in TIMES])


def test_the_same_is_no_worse(write: Write, call: Call) -> None:
    measures = times(), result.share("read", 9946, 10_000), result.figure("size", 855_000, "B", better="lower")
    done = call(main, "compare", write("a", *measures), write("b", *measures))
    assert (done.code, done.err) == (0, "")
    assert done.out.count("1.000") >= 5
    assert "1.01 us" in done.out
    assert "99.46 %" in done.out
    assert "855.00 kB" in done.out
    assert "beyond" not in done.out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (times(), times(1.5)),
        (result.share("read", 9946, 10_000), result.share("read", 9900, 10_000)),
        (result.share("wrong", 3, 100, better="lower"), result.share("wrong", 4, 100, better="lower")),
        (result.figure("size", 100, "B", better="lower"), result.figure("size", 120, "B", better="lower")),
        (result.figure("rate", 100, "1/s", better="higher"), result.figure("rate", 70, "1/s", better="higher")),
        (result.figure("nll", 0.02, "1", better="lower"), result.figure("nll", 0.03, "1", better="lower")),
    ],
    ids=lambda measure: measure.name,
)
def test_worse_is_exit_code_5_better_is_0(before: Measure, after: Measure, write: Write, call: Call) -> None:
    a, b = write("a", before, times(name="other")), write("b", after, times(name="other"))
    done = call(main, "compare", a, b)
    assert (done.code, done.err) == (5, f"error: worse than it was: latency {before.name}\n")
    worst = done.out.splitlines()[2]
    assert worst.startswith(f"  {before.name}")
    assert worst.endswith("beyond its limit")
    assert call(main, "compare", b, a).code == 0


def test_noise_is_not_worse(write: Write, call: Call) -> None:
    scattered = result.timed("one digit/scores", [[900.0, 1000.0, 1100.0], [1500.0, 1400.0, 1600.0]])
    done = call(main, "compare", write("a", times()), write("b", scattered))
    assert done.code == 0, done.out


def test_the_worst_comes_first(write: Write, call: Call) -> None:
    before = write("a", times(name="x"), times(name="y"), times(name="z"))
    after = write("b", times(1.0, "x"), times(1.2, "y"), times(1.1, "z"))
    out = call(main, "compare", before, after).out
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["y", "z", "x"]


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = environment.machine() | {"board": "Raspberry Pi 4 Model B Rev 1.4", "cores": 4}
    monkeypatch.setattr(environment, "machine", lambda root: machine)


def test_different_machines_are_not_compared_unasked(write: Write, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    size = result.figure("size", 100, "B", better="lower")
    here = write("a", times(), size)
    elsewhere(monkeypatch)
    there = write("b", times(9.0), size)
    larger = write("c", times(9.0), result.figure("size", 150, "B", better="lower"))
    done = call(main, "compare", here, there)
    assert (done.code, done.out) == (2, "")
    assert "latency: results of different machines, " in done.err
    assert "Raspberry Pi 4 Model B Rev 1.4 with 4 cores: --across compares them anyway" in done.err
    assert call(main, "compare", "--across", here, there).code == 0
    assert call(main, "compare", "--across", here, larger).code == 5


def test_other_settings_are_not_compared(write: Write, call: Call) -> None:
    done = call(main, "compare", write("a", times(), fast=True), write("b", times(), fast=False))
    assert done.code == 2
    assert "latency: measured with different settings, {'fast': True} and {'fast': False}: measure again" in done.err


def test_folders_are_compared_benchmark_by_benchmark(tmp_path: Path, write: Write, call: Call) -> None:
    for folder, slow in (("old", 1.0), ("new", 2.0)):
        write(f"{folder}/latency", times())
        write(f"{folder}/deep/peers", times(slow), benchmark="peers")
        (tmp_path / folder / "other.json").write_text('{"passed": true}')
    write("new/soak", times(), benchmark="soak")  # has nothing to be compared with
    done = call(main, "compare", tmp_path / "old", tmp_path / "new")
    assert done.code == 5
    assert done.err == "error: worse than it was: peers one digit/scores\n"
    assert [line.split(":")[0] for line in done.out.splitlines() if not line.startswith(" ")] == ["peers", "latency"]
    write("new/again/latency", times())
    done = call(main, "compare", tmp_path / "old", tmp_path / "new")
    assert (done.code, done.out) == (2, "")
    assert "new holds more than one result of latency: name one of them" in done.err


def test_an_open_interval_is_shown_as_such(write: Write, call: Call) -> None:
    few = result.share("read", 1, 2)
    done = call(main, "compare", write("a", few), write("b", few))
    assert done.code == 0
    assert re.search(r" 1\.000 +0\.000-over 1000$", done.out, re.MULTILINE)


def test_the_baseline_of_this_machine_is_found(
    tmp_path: Path, write: Write, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "BASELINES", tmp_path / "baselines")
    slow = write("slow", times(2.0))
    done = call(main, "compare", slow)
    assert done.code == 2
    assert "there is no baseline of " in done.err
    write("baselines/here/latency", times())
    (tmp_path / "baselines" / "README.md").write_text("What is here.")
    with monkeypatch.context() as patch:
        elsewhere(patch)
        write("baselines/pi/latency", times(9.0))
    assert call(main, "compare", slow).code == 5
    assert call(main, "compare", write("well", times())).code == 0


def test_committed_baselines_each_name_their_machine() -> None:
    folders: Sequence[Path] = [path for path in compare.BASELINES.iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        results = [result.read(path) for path in folder.glob("*.json")]
        assert results
        assert all(each["environment"]["machine"] == results[0]["environment"]["machine"] for each in results)
        assert all(each["environment"]["commit"] for each in results)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "is not a benchmark result"),
        ("\0", "is not a benchmark result"),
        ('{"format": 9}', "is not a benchmark result"),
    ],
)
def test_what_is_no_result_is_one_line(text: str, why: str, tmp_path: Path, write: Write, call: Call) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(text)
    assert why in call(main, "compare", bad, write("a", times())).one_line(1)


def test_nothing_in_common(tmp_path: Path, write: Write, call: Call) -> None:
    done = call(main, "compare", write("a", times()), write("b", times(), benchmark="soak"))
    assert (done.code, done.err) == (2, "error: nothing to compare: latency with soak\n")
    (tmp_path / "empty").mkdir()
    done = call(main, "compare", tmp_path / "empty", tmp_path / "empty")
    assert (done.code, done.err) == (2, "error: nothing to compare: no result with no result\n")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1_234_567, "ns", "1.23 ms"), (9_700, "ns", "9.70 us"), (2_500_000_000, "ns", "2.50 s"), (12, "ns", "12.00 ns"),
        (0, "ns", "0.00 ns"), (1_048_576, "B", "1.05 MB"), (587_000_000_000, "B", "587,000 MB"),
        (99.46, "%", "99.46 %"), (0.02, "J", "20.00 mJ"), (0.0213, "1", "0.0213"), (-5.0, "1", "-5"),
    ],
)  # fmt: skip
def test_values_are_shown_as_people_read_them(value: float, unit: str, text: str) -> None:
    assert compare.shown(value, unit) == text
