"""What would a frame cost on a Raspberry Pi? Counted work, times measured elsewhere, and published figures.

docs/cost-model.md explains it, and shows the tables that this prints for the committed result.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed import cost_model, cost_work
from benchmarks.speed.cost_model import Costs, Machine, Range
from benchmarks.speed.cost_work import STAGES, FrameWork, Network
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure
from edge_runtime.errors import EdgeError
from edge_runtime.pages import timing
from edge_runtime.system.atomic_files import write_text

RECORD = Path(__file__).with_name("cost_record.json")  # of `edge-digits bench`, on the reference
PAGE = Path(__file__).parents[2] / "docs" / "cost-model.md"
BEGIN, END = "<!-- from here on made by: python -m benchmarks cost --update -->\n", "<!-- to here -->\n"
LIVE = "640x480"
BUDGET = 1e9 / 30 / 3  # nanoseconds of a frame, at 30 a second on a third of a core
SIZES = [*timing.SIZES, timing.PHOTO]


def run(bench: Path | None, update: bool) -> None:
    """Print the estimate by a result of `edge-digits bench`, or what a board measured beside the estimate of it.

    With `update`, the page's tables are made anew. Raises EdgeError where `bench` is not such a result.
    """
    record = read(bench or RECORD)
    board = cost_model.named(record["environment"])
    work, network = cost_work.frames(), cost_work.network()
    if board is not None:
        print("\n".join(beside(board, record, work, network)))
        return
    lines = tables(record, work, network)
    if update:
        write_text(PAGE, updated(PAGE.read_text(encoding="utf-8"), lines))
    print("\n".join(lines))


def read(path: Path) -> dict[str, Any]:
    """Return a result of `edge-digits bench`. Raises EdgeError where it is none."""
    record = result.read(path)
    if record["benchmark"] != "bench":
        raise EdgeError(f"{path} is a result of {record['benchmark']}, not of `edge-digits bench`")
    try:
        environment = record["environment"]
        known = isinstance(environment["machine"]["processor"], str)
        board, hertz = environment["machine"]["board"], environment["state"]["frequency_hz"]
        known = known and isinstance(board, str | None) and isinstance(hertz, int | None)
    except (KeyError, TypeError) as error:
        raise EdgeError(f"{path} does not say what machine it is of ({error})") from error
    if not known:
        raise EdgeError(f"{path} does not say what machine it is of")
    for name, measure in result.measures(record).items():
        if not isinstance(measure.value, int | float):
            raise EdgeError(f"{path}: {name} is no number")
    return record


def updated(page: str, lines: Sequence[str]) -> str:
    """Return the page with these lines between its two marks. Raises EdgeError where it has not both."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise EdgeError(f"{PAGE} lacks the marks between which the tables are")
    return before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after


def tables(record: Mapping[str, Any], work: Mapping[str, FrameWork], network: Network) -> list[str]:
    """Return all tables of the page, as Markdown."""
    measured = result.measures(dict(record))
    costs = cost_model.calibrate(measured, work, record["environment"]["machine"]["processor"])
    boards = cost_model.machines()
    return [
        *_counted(work, network),
        "",
        *_published(boards, costs),
        "",
        *_estimated(boards, measured, work, network, costs),
        "",
        *_stages(boards, measured, work, network, costs),
    ]


def beside(board: str, record: Mapping[str, Any], work: Mapping[str, FrameWork], network: Network) -> list[str]:
    """Return what a board measured beside what was estimated of it, by the committed result, as Markdown."""
    reference = read(RECORD)
    costs = cost_model.calibrate(result.measures(reference), work, reference["environment"]["machine"]["processor"])
    machine, measured = cost_model.machines()[board], result.measures(dict(record))
    expected = {"one digit/Classifier.scores": cost_model.digit(network, costs, machine)}
    for size in SIZES:
        estimates = cost_model.frame(work[size], network, costs, machine)
        expected.update({f"stages {size}/{stage}": of_stage for stage, of_stage in estimates.items()})
    lines = [f"Raspberry Pi {board}, ms", "", "| | estimated | measured | |", "| --- | ---: | ---: | --- |"]
    for name, estimate in expected.items():
        if name not in measured:
            raise EdgeError(f"the result lacks {name!r}: is it of `edge-digits bench`?")
        value = measured[name].value
        said = "as estimated" if estimate.low <= value <= estimate.high else "less" if value < estimate.low else "more"
        lines.append(f"| {name} | {_ms(estimate)} | {_short(value / 1e6)} | {said} |")
    return lines


def verdict(total: Range) -> str:
    """Return whether a board keeps up with 30 frames a second on a third of a core."""
    if total.high <= BUDGET:
        return "yes"
    return "no" if total.low > BUDGET else "perhaps"


def _counted(work: Mapping[str, FrameWork], network: Network) -> Iterator[str]:
    yield (
        f"One digit: {network.multiply_adds:,} multiply-adds, {network.bytes:,} bytes of weights and biases. One "
        "frame, on average over those that are timed: calls of OpenCV, and bytes in and out of these for each pixel."
    )
    yield ""
    counted = STAGES[:3]
    yield "| frame | pixels | crops | passes of the network | " + " | ".join(counted) + " |"
    yield "| --- | ---: | ---: | ---: |" + " ---: |" * len(counted)
    for size in SIZES:
        one = work[size]
        stages = [f"{one.stages[stage].calls:.0f}, {one.stages[stage].bytes / one.pixels:.1f}" for stage in counted]
        passes = f"{one.passes:.1f} of {one.rows / one.passes:.0f} rows"
        yield f"| {size} | {one.pixels:,} | {one.crops:.1f} | {passes} | " + " | ".join(stages) + " |"


def _published(boards: Mapping[str, Machine], costs: Costs) -> Iterator[str]:
    yield (
        f"The machine that was measured has a score of {costs.score:.0f}, and copies {costs.copy / 1e9:.2f} GB a "
        "second; the last two columns are how many times as long things take, against it."
    )
    yield ""
    yield "| Raspberry Pi | core | GHz | score | copies, GB/s | multiply-adds a cycle | Python | pixels |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, machine in boards.items():
        python, pixels = cost_model.ratios(costs, machine)
        yield (
            f"| {name} | {machine.core} | {machine.hertz / 1e9:.1f} | {_range(machine.score)} | "
            f"{_range(machine.copy.times(1e-9))} | {_range(machine.multiply_adds)} | {_range(python)} | "
            f"{_range(pixels)} |"
        )


def _estimated(
    boards: Mapping[str, Machine], measured: Mapping[str, Measure], work: Mapping[str, FrameWork], network: Network,
    costs: Costs,
) -> Iterator[str]:  # fmt: skip
    yield f"Whole frames of ten digits, ms; how much of a core 30 of {LIVE} a second take: is it a third at most?"
    yield ""
    yield "| | one digit, us | " + " | ".join(SIZES) + " | times the reference | of a core | |"
    yield "| --- |" + " ---: |" * (len(SIZES) + 3) + " --- |"
    here = [_short(measured[f"stages {size}/total"].value / 1e6) for size in SIZES]
    live = measured[f"stages {LIVE}/total"].value
    yield (
        f"| **measured**, the reference | {_short(costs.digit[1] / 1e3)} | " + " | ".join(here)
        + f" | 1 | {live / BUDGET / 3:.0%} | {verdict(Range(live, live))} |"
    )  # fmt: skip
    for name, machine in boards.items():
        totals = {size: cost_model.frame(work[size], network, costs, machine)["total"] for size in SIZES}
        digit = cost_model.digit(network, costs, machine)
        share = totals[LIVE].times(1 / BUDGET / 3)
        yield (
            f"| estimated, {name} | {_range(digit.times(1e-3))} | " + " | ".join(_ms(totals[size]) for size in SIZES)
            + f" | {_range(totals[LIVE].times(1 / live))}"
            f" | {share.low:.0%}-{share.high:.0%} | {verdict(totals[LIVE])} |"
        )  # fmt: skip


def _stages(
    boards: Mapping[str, Machine], measured: Mapping[str, Measure], work: Mapping[str, FrameWork], network: Network,
    costs: Costs,
) -> Iterator[str]:  # fmt: skip
    yield f"A frame of {LIVE} by stages, ms."
    yield ""
    yield "| | " + " | ".join(STAGES) + " |"
    yield "| --- |" + " ---: |" * len(STAGES)
    here = [_short(measured[f"stages {LIVE}/{stage}"].value / 1e6) for stage in STAGES]
    yield "| **measured**, the reference | " + " | ".join(here) + " |"
    for name, machine in boards.items():
        estimates = cost_model.frame(work[LIVE], network, costs, machine)
        yield f"| estimated, {name} | " + " | ".join(_ms(estimates[stage]) for stage in STAGES) + " |"


def _ms(nanoseconds: Range) -> str:
    return _range(nanoseconds.times(1e-6))


def _range(estimate: Range) -> str:
    low, high = _short(estimate.low), _short(estimate.high)
    return low if low == high else f"{low}-{high}"


def _short(value: float) -> str:
    """Return a number to two or more significant digits."""
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"
