"""How fast is a digit, the first digit, a frame? Ratios within one run; compared calls take turns.

Everything runs in its own processes, several for each measurement, one after the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.common import frames, turns
from benchmarks.common.progress import progress
from benchmarks.common.turns import TurnsByName
from benchmarks.speed import energy, starts, whole_frame
from benchmarks.speed.energy import Energy
from convert.recipes import CONVERSIONS
from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure
from edge_runtime.inference import model_file
from edge_runtime.pages import timing
from edge_runtime.system.atomic_files import write_whole

BUILD = Path("build/standard")
NETWORK = "digits.keras"
Tick = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """The size of a run: processes, and the turns in each; `hard` is the number of hard frames in turns."""

    processes: int
    digit_turns: int
    batch_turns: int
    load_turns: int
    keras_processes: int
    keras_turns: int
    frame_processes: int
    frame_turns: int
    negatives: bool
    hard: int
    starts: int
    peaks: int
    energy_blocks: int
    energy_seconds: float


WHOLE = Effort(
    processes=5, digit_turns=30, batch_turns=20, load_turns=20, keras_processes=4, keras_turns=20,
    frame_processes=4, frame_turns=30, negatives=True, hard=5, starts=15, peaks=3, energy_blocks=5, energy_seconds=3.0,
)  # fmt: skip
FAST = Effort(
    processes=2, digit_turns=12, batch_turns=6, load_turns=10, keras_processes=2, keras_turns=6,
    frame_processes=2, frame_turns=8, negatives=False, hard=2, starts=3, peaks=1, energy_blocks=3, energy_seconds=1.0,
)  # fmt: skip


class Files(NamedTuple):
    """The inputs: small models by recipe, the full network, and lines on missing files."""

    models: dict[str, Path]
    network: Path | None
    lacking: list[str]

    @property
    def built(self) -> dict[str, Path]:
        """The models of the build folder."""
        return {name: path for name, path in self.models.items() if path != model_file.SHIPPED}


class Measured(NamedTuple):
    """The measurements."""

    in_turns: TurnsByName  # in turns with all others of their group
    alone: TurnsByName
    memory: dict[str, list[int]]
    energy: Energy | None
    looked: dict[str, float]  # the least milliseconds of every hard frame


class Timed(NamedTuple):
    """The results: the measures by name, and the energy of frames."""

    measures: dict[str, Measure]
    energy: Energy | None


def run(files: Files, out: Path, *, fast: bool) -> Timed:
    """Measure everything in `files`, and write latency.json and pyperf.json to `out`."""
    effort = FAST if fast else WHOLE
    measured = measure(files, effort)
    measures = {each.name: each for each in to_measures(measured)}
    settings = {"fast": fast, "models": {name: path.name for name, path in files.models.items()}, **asdict(effort)}
    result.write(
        out / "latency.json", "latency", list(measures.values()), settings=settings, details=details(measured),
        model=files.models["int8"],
    )  # fmt: skip
    every = turns.suite({**measured.in_turns, **measured.alone})
    write_whole(out / "pyperf.json", lambda place: every.dump(str(place), replace=True))
    return Timed(measures, measured.energy)


def find(folder: Path | None) -> Files:
    """Return the models in a build folder, by default build/standard, and a line on the missing ones."""
    folder = BUILD if folder is None else folder
    models = {
        name: folder / conversion.file_name
        for name, conversion in CONVERSIONS.items()
        if (folder / conversion.file_name).exists()
    }
    network = folder / NETWORK if (folder / NETWORK).exists() else None
    lacking = [name for name in CONVERSIONS if name not in models]
    if "int8" not in models:
        models["int8"] = model_file.SHIPPED
        lacking.remove("int8")
    if network is None:
        lacking.append("the full Keras network")
    lines = [f"left out, since {folder} does not contain them: {', '.join(lacking)}; make tflite builds them"]
    return Files(models, network, lines if lacking else [])


def measure(files: Files, effort: Effort) -> Measured:
    """Measure everything in `files`."""
    built = [f"{name}={path.resolve()}" for name, path in files.built.items()]
    models = [f"{name}={path.resolve()}" for name, path in files.models.items()]
    in_turns: TurnsByName = {}
    alone: TurnsByName = {}
    with progress("digits", 4 * effort.processes) as tick:
        for what, count in (
            ("one", effort.digit_turns), ("batches", effort.batch_turns), ("threads", effort.batch_turns),
            ("loads", effort.load_turns),
        ):  # fmt: skip
            in_turns |= _processes(tick, effort.processes, "speed.single_digit", what, str(count), *models)
    if files.network is not None:
        network = str(files.network.resolve())
        with progress("digits, Keras", 2 * effort.keras_processes) as tick:
            some = tick, effort.keras_processes, "speed.full_turns"
            in_turns |= _processes(
                *some, "steady", str(effort.keras_turns), network, str(files.models["int8"].resolve())
            )
            alone |= _processes(*some, "loads", str(effort.keras_turns), network)
    with progress("frames", 1 + effort.frame_processes) as tick:
        which = [] if effort.negatives else ["half"]
        looked: dict[str, float] = turns.run_module("speed.whole_frame", "look", *which)
        tick()
        hard = sorted(looked, key=lambda name: -looked[name])[: effort.hard]
        options = [str(effort.frame_turns), *built, "--", *hard]
        in_turns |= _processes(tick, effort.frame_processes, "speed.whole_frame", "turns", *options)
    started = starts.commands(files.built, files.network)
    with progress("starts", starts.WARM_UPS + effort.starts + effort.peaks) as tick:
        in_turns |= {f"cold start/{name}": [each] for name, each in starts.starts(started, effort.starts, tick).items()}
        telling = starts.commands(files.built, files.network, print_line=True)
        memory = {f"peak memory/{name}": peaks for name, peaks in starts.peaks(telling, effort.peaks, tick).items()}
    with progress("energy", effort.energy_blocks) as tick:
        joules = _energy(effort, tick)
    return Measured(in_turns, alone, memory, joules, looked)


def to_measures(measured: Measured) -> list[Measure]:
    """Return the measures in the order of the table."""
    return [
        *(
            each
            for name, one in measured.in_turns.items()
            for each in turns.measures({name: one}, name.partition("/")[0])
        ),
        *turns.measures(measured.alone),
        *(
            Measure(name, "B", "lower", float(median(peaks)), [[float(peak) for peak in peaks]])
            for name, peaks in measured.memory.items()
        ),
        *(energy.measures(measured.energy, f"frame {whole_frame.PLAIN}") if measured.energy else []),
    ]


def details(measured: Measured) -> dict[str, Any]:
    """Return the calls in each turn, the warm-ups, and the other details."""
    every = {**measured.in_turns, **measured.alone}
    return {
        "loops": {name: [each.loops for each in one] for name, one in every.items()},
        "warm_ups": {name: [each.warm_ups for each in one] for name, one in every.items()},
        "looked_ms": measured.looked,
        "energy": measured.energy._asdict() if measured.energy else None,
    }


def ratio(model: Path, beside: Path) -> float:
    """Return the ratio of the time of a digit through bare LiteRT with one model file to that with another.

    Several processes are needed: the memory layout of a process accounts for a fifth.
    """
    if model.samefile(beside):
        return 1.0
    named = [f"{name}={path.resolve()}" for name, path in (("one", model), ("other", beside))]
    by_name = _processes(lambda: None, WHOLE.processes, "speed.single_digit", "bare", str(WHOLE.digit_turns), *named)
    return result.ratio(*turns.measures(by_name, "digit")).value


def _processes(tick: Tick, count: int, module: str, *arguments: str) -> TurnsByName:
    """Run a module repeatedly, and return its Turns."""

    def run_each() -> Iterator[dict[str, Any]]:
        for _ in range(count):
            yield turns.run_module(module, *arguments)
            tick()

    return turns.gather(run_each())


def _energy(effort: Effort, tick: Tick) -> Energy | None:
    pages = cycle([timing.page(frames.SIZE, seed) for seed in range(timing.PAGES)])
    with DigitReader() as reader:
        return energy.measure(
            lambda: len(reader.read(next(pages)).digits), effort.energy_seconds, effort.energy_blocks, tick
        )
