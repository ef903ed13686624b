import json
import tomllib
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.speed import cost, cost_model, cost_work
from benchmarks.speed.cost_model import Costs, Machine, Range
from benchmarks.speed.cost_work import FrameWork, Network, Work
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, timed
from edge_runtime.errors import EdgeError
from edge_runtime.inference import interpreter
from edge_runtime.pages import timing
from edge_runtime.reader import DigitReader
from tests.commands import Call

MILLION = Network(1_000_000, 1_000_000)
# One GHz, a product a cycle at least and four at most; a GB a second; half and a quarter of COSTS' score.
BOARD = Machine(("Board",), "core", 1e9, Range(25, 50), Range(1e9, 2e9), Range(1, 4), 0)
COSTS = Costs(
    100, 4e9, dict.fromkeys(cost_work.STAGES, (10.0, 0.5)), around=1000.0, digit=(5000.0, 7000.0)
)  # fmt: skip
WORK = FrameWork(100, 3, {stage: Work(2, 40) for stage in cost_work.STAGES}, rows=16, passes=1)


TEXT = {**dict.fromkeys(result.FIELDS), "name": "x", "value": "fast"}


@pytest.fixture(scope="module")
def work() -> dict[str, FrameWork]:
    return cost_work.frames()


def test_the_network_that_ships_is_counted_exactly() -> None:
    layers = [(784, 512), (512, 448), (448, 448), (448, 11)]
    products = sum(inputs * outputs for inputs, outputs in layers)
    assert cost_work.network() == Network(products, products + 4 * (512 + 448 + 448 + 11)) == Network(836_416, 842_092)


def test_frames_are_counted_exactly(work: dict[str, FrameWork]) -> None:
    assert {name: one.pixels for name, one in work.items()} == {
        "320x240": 76_800, "640x480": 307_200, "1280x720": 921_600, "12 megapixels": 12_000_000,
    }  # fmt: skip
    for one in work.values():
        # Ten digits on two planes and more, in pieces and joins; the regions go through the network before the rest.
        assert 20 <= one.crops <= 200
        assert one.crops <= one.rows < one.crops + 2 * interpreter.BATCH
        assert one.rows / interpreter.BATCH <= one.passes <= one.rows / interpreter.BATCH + 2 * interpreter.FEW
        assert one.stages["classify"] == Work(0, 0)
        # Passes over a picture of three bytes a pixel, or over what it is reduced or enlarged to, in six channels.
        assert 6 < one.stages["ink"].bytes / max(one.pixels, 640 * 480) < 80
        assert one.stages["ink"].bytes > one.stages["locate"].bytes > one.stages["normalize"].bytes > 0
    assert work == cost_work.frames()  # again


def test_bytes_are_those_of_all_arrays_that_go_in_and_come_out() -> None:
    counter = cost_work._Counter()
    page = timing.page((64, 48), 0)
    gray = counter.cvtColor(page, counter.COLOR_BGR2GRAY)
    assert (counter.calls, counter.bytes) == (1, page.nbytes + gray.nbytes)
    counter.subtract(gray, gray, gray)  # one array, whatever it is there for
    assert (counter.calls, counter.bytes) == (2, page.nbytes + 2 * gray.nbytes)


def test_counting_leaves_everything_as_it_was() -> None:
    import cv2

    from edge_runtime import stopwatch
    from edge_runtime.vision import planes

    with DigitReader() as counted:
        before = counted.read(timing.page((320, 240), 1))
        cost_work.of_frames(counted, [timing.page((320, 240), 1)])
        assert vars(planes)["cv2"] is cv2
        assert vars(stopwatch)["perf_counter_ns"] is perf_counter_ns
        assert "confidences" not in vars(counted.classifier)
        assert counted.read(timing.page((320, 240), 1)).digits == before.digits


@pytest.mark.parametrize("images", [0, 1, 2, 6, 7, 15, 16, 17, 22, 23, 32, 64, 80])
def test_rows_and_passes_are_those_of_the_graph(images: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    gather = interpreter.Graph._gather

    def noted(self: interpreter.Graph, litert: Any, inputs: Any, size: int) -> Any:
        passes = -(-len(inputs) // size)
        seen.append((passes * size, passes))
        return gather(self, litert, inputs, size)

    monkeypatch.setattr(interpreter.Graph, "_gather", noted)
    with DigitReader() as counted:
        counted.classifier.scores(timing.samples()[0][:images])
    expected = (
        tuple(map(sum, zip(*seen, strict=True))) if seen else (1, 1)
    )  # a single one goes straight to the interpreter
    assert cost_work.rows_and_passes(images) == expected


def test_a_made_up_machine_is_scaled_exactly() -> None:
    python, pixels = cost_model.ratios(COSTS, BOARD)
    assert python == Range(2, 8)  # 100 / 50, and twice 100 / 25
    assert pixels == Range(2, 8)  # copies are 2 to 4 times as slow, which is within that
    assert cost_model.passes(MILLION, 16, 1, BOARD) == Range(4e6, 16e6)  # products
    assert cost_model.passes(MILLION, 1, 1, BOARD) == Range(250e3, 1e6)  # reading: at 4 GB and at 1 GB a second
    slow = BOARD._replace(copy=Range(0.1e9, 0.2e9))
    assert cost_model.passes(MILLION, 1, 1, slow) == Range(2.5e6, 10e6)
    assert cost_model.passes(MILLION, 1, 1, slow._replace(cache=1_000_000)) == Range(250e3, 10e6)
    assert cost_model.ratios(COSTS, slow)[1] == Range(2, 40)
    times = cost_model.frame(WORK, MILLION, COSTS, BOARD)
    assert times["ink"] == times["locate"] == times["normalize"] == times["rest"] == Range(80, 320)
    assert times["classify"] == Range(4e6 + 2000, 16e6 + 8000)
    assert times["total"] == Range(4 * 80 + 4e6 + 2000, 4 * 320 + 16e6 + 8000)
    assert cost_model.digit(MILLION, COSTS, BOARD) == Range(250e3 + 2 * 2000, 1e6 + 8 * 7000)


@pytest.mark.parametrize("field", ["score", "copy", "multiply_adds", "hertz"])
def test_a_faster_machine_never_takes_longer(field: str) -> None:
    for name, machine in {**cost_model.machines(), "made up": BOARD}.items():
        value = getattr(machine, field)
        more: dict[str, Any] = {field: value.times(1.5) if isinstance(value, Range) else 1.5 * value}
        faster = machine._replace(**more)
        before, after = (cost_model.frame(WORK, MILLION, COSTS, each)["total"] for each in (machine, faster))
        assert after.low <= before.low, name
        assert after.high <= before.high, name
        assert before.low <= before.high


def test_more_work_takes_longer(work: dict[str, FrameWork]) -> None:
    record = cost.read(cost.RECORD)
    costs = cost_model.calibrate(result.measures(record), work, record["environment"]["machine"]["processor"])
    for machine in cost_model.machines().values():
        # All but the smallest, which are enlarged to VGA.
        totals = [cost_model.frame(work[size], cost_work.network(), costs, machine)["total"] for size in cost.SIZES[1:]]
        assert totals == sorted(totals)


def measured(**changed: float) -> dict[str, Measure]:
    """Return what a bench of a machine found whose stages take 10 ns a call and half one a byte."""
    values = dict.fromkeys(cost_model._needed(), 1000.0) | changed
    return {name: timed(name, [[value]]) for name, value in values.items()}


def test_calibrating_finds_what_a_call_and_a_byte_cost() -> None:
    frames = {
        size: FrameWork(1, 1, {stage: Work(20, 1000.0 * size_at**2) for stage in cost_work.STAGES}, 16, 1)
        for size_at, size in enumerate(cost_model.FITTED, 1)
    }
    times = {
        f"stages {size}/ink": 20 * 10 + 0.5 * frames[size].stages["ink"].bytes for size in cost_model.FITTED
    }  # fmt: skip
    reverse = {
        f"stages {size}/locate": 5000.0 - 0.1 * frames[size].stages["locate"].bytes for size in cost_model.FITTED
    }  # fmt: skip
    classify = {f"stages {size}/classify": 900.0 for size in cost_model.FITTED}
    costs = cost_model.calibrate(
        measured(**times, **reverse, **classify, **{"batches/64": 2000.0, "machine/loop": 5.5e6}), frames, "another"
    )
    assert list(costs.stages["ink"]) == pytest.approx([10, 0.5])
    assert costs.stages["locate"][1] == 0  # a time that falls with the size says nothing of bytes
    assert costs.around == pytest.approx(400)  # a batch of 16 takes 500
    assert costs.score == pytest.approx(2800)  # half as fast in Python as the reference
    assert costs.copy == pytest.approx(2**25 / 1000 * 1e9)
    reference = tomllib.loads(cost_model.MACHINES.read_text())["reference"]["processor"]
    assert cost_model.calibrate(measured(**{"machine/loop": 5.5e6}), frames, reference).score == 5600


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), 1e15])
def test_times_that_cannot_be_are_refused(value: float, work: dict[str, FrameWork]) -> None:
    with pytest.raises(EdgeError, match="a time that cannot be: machine/copy of"):
        cost_model.calibrate(measured(**{"machine/copy": value}), work, "another")


def changed(path: Path, **parts: Any) -> Path:
    record = json.loads(cost.RECORD.read_text())
    path.write_text(json.dumps({**record, **parts}))
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        ("", "is no result of a benchmark"),
        ("[]", "is no result of a benchmark"),
        ('{"format": 1}', "is no result of a benchmark"),
        ({"format": 2}, "has format 2"),
        ({"benchmark": "latency"}, "is a result of latency, not of `edge-digits bench`"),
        ({"measures": []}, "the result lacks 'stages 320x240/ink'"),
        ({"measures": [1]}, "is no result of a benchmark"),
        ({"measures": [TEXT]}, "x is no number"),
        ({"environment": {}}, "does not say what machine it is of"),
        ({"environment": None}, "does not say what machine it is of"),
        ({"environment": {"machine": {"processor": 1, "board": None}, "state": {"frequency_hz": 1}}}, "does not say"),
        ({"environment": {"machine": {"processor": "", "board": 7}, "state": {"frequency_hz": 1}}}, "does not say"),
    ],
)
def test_hostile_files_are_refused_with_one_line(content: Any, message: str, tmp_path: Path, call: Call) -> None:
    path = tmp_path / "bench.json"
    if isinstance(content, dict):
        changed(path, **content)
    elif content is not None:
        path.write_text(content)
    done = call(main, "cost", "--bench", path)
    assert done.out == ""
    assert done.code != 0
    assert done.err.startswith("error: ")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_what_a_board_measured_is_held_against_the_estimate(tmp_path: Path, call: Call) -> None:
    environment = json.loads(cost.RECORD.read_text())["environment"]
    environment["machine"]["board"] = "Raspberry Pi 4 Model B Rev 1.4"
    environment["state"]["frequency_hz"] = 1_800_000_000
    done = call(main, "cost", "--bench", changed(tmp_path / "bench.json", environment=environment))
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Raspberry Pi 4, 1.8 GHz, ms"
    assert len(lines) == 4 + 1 + 6 * len(cost.SIZES)
    # As fast as the reference: less than was estimated.
    assert all(line.endswith("| less |") for line in lines[4:] if "stages 640x480" in line)


@pytest.mark.parametrize(
    ("board", "hertz", "name"),
    [
        ("Raspberry Pi Zero 2 W Rev 1.0", 1_000_000_000, "Zero 2 W"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", None, "3 B+"),
        ("Raspberry Pi 3 Model B Rev 1.2", 1_200_000_000, None),
        ("Raspberry Pi 4 Model B Rev 1.1", 1_500_000_000, "4, 1.5 GHz"),
        ("Raspberry Pi 4 Model B Rev 1.5", 1_800_000_000, "4, 1.8 GHz"),
        ("Raspberry Pi 400 Rev 1.0", 1_800_000_000, "4, 1.8 GHz"),
        ("Raspberry Pi 5 Model B Rev 1.0", 2_400_000_000, "5"),
        ("Raspberry Pi 2 Model B Rev 1.1", None, None),
        (None, 2_600_000_000, None),
    ],
)
def test_boards_are_known_by_what_they_tell(board: str | None, hertz: int | None, name: str | None) -> None:
    assert cost_model.named({"machine": {"board": board}, "state": {"frequency_hz": hertz}}) == name


def test_the_page_shows_what_comes_out_of_the_committed_result(work: dict[str, FrameWork]) -> None:
    page = cost.PAGE.read_text(encoding="utf-8")
    lines = cost.tables(cost.read(cost.RECORD), work, cost_work.network())
    # Where this fails, frames have become other work or the result was taken anew: python -m benchmarks cost --update
    assert cost.updated(page, lines) == page
    rows = {line.split(" | ")[0].strip("| "): line for line in lines if "times the reference" in line or "%" in line}
    # What the text above the tables says in words.
    assert all(row.endswith("| no |") for name, row in rows.items() if name.startswith("estimated"))


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(EdgeError, match="lacks the marks"):
        cost.updated("# No tables\n", ["a line"])
    assert cost.updated(f"a\n{cost.BEGIN}old\n{cost.END}b\n", ["new"]) == f"a\n{cost.BEGIN}\nnew\n\n{cost.END}b\n"
