"""The result files under build/: which exist, whether they may share a page, and their machines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import edge_runtime
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, Ratio
from edge_runtime.errors import EdgeError, OptionError

SCHEMA = Path(edge_runtime.__file__).with_name("schemas") / "result.schema.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
RECIPES = ("float32", "float16", "dynamic", "int8")
# The output file of each benchmark; a star allows several.
FILES = {
    "parity": "*/parity.json",
    "latency": "latency/latency.json",
    "peers": "peers/peers.json",
    "readers": "readers/readers.json",
    "robustness": "robustness/robustness.json",
    "pages": "pages/*/pages.json",
    "digits": "digits/digits.json",
    "soak": "soak/soak.json",
    "updates": "updates/updates.json",
    "serve": "serve/serve.json",
    "videos": "videos/videos.json",
}


class MixedMachines(EdgeError):
    """The results are of several machines, and mixing was not requested."""


class Absent(LookupError):
    """A result exists, but lacks what a section shows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """The content and path of a result file."""

    path: Path
    record: dict[str, Any]

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """The measures, by name."""
        return result.measures(self.record)

    @property
    def details(self) -> dict[str, Any]:
        """The details specific to this benchmark."""
        return dict(self.record["details"])

    @property
    def machine(self) -> str:
        """The machine as a line of text; equal lines mean the same machine."""
        return machine(self.record["environment"]["machine"])

    def group(self, *prefixes: str) -> dict[str, Measure]:
        """Return the measures whose names start with a prefix, by the rest of the name."""
        return {
            name.removeprefix(prefix): measure
            for prefix in prefixes
            for name, measure in self.measures.items()
            if name.startswith(prefix)
        }

    @cache  # noqa: B019 - there are few results, and they live as long as the command
    def ratio(self, name: str, to: str) -> Ratio:
        """Return the ratio of a measure to another one; cached, because it is slow."""
        return result.ratio(self.measures[name], self.measures[to])


@dataclass(frozen=True, kw_only=True)
class Results:
    """The available results by benchmark, and a line for each unusable file."""

    by_benchmark: Mapping[str, Result] = field(default_factory=dict)
    pages: tuple[Result, ...] = ()  # of every picture folder read
    damaged: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Result]:
        return iter([*self.by_benchmark.values(), *self.pages])

    def of(self, names: Sequence[str]) -> list[Result]:
        """Return the available results of these benchmarks."""
        return [each for each in self if each.record["benchmark"] in names]

    @property
    def machines(self) -> dict[str, list[str]]:
        """The names of the benchmarks by machine, the machine with most of them first."""
        names: dict[str, list[str]] = {}
        for each in self:
            names.setdefault(each.machine, []).append(each.record["benchmark"])
        return dict(sorted(names.items(), key=lambda item: -len(item[1])))


def collect(folder: Path, recipe: str | None = None, *, mixed: bool = False) -> Results:
    """Read the result files in `folder`; of parity the one of `recipe`, by default the newest.

    Raises OptionError if the recipe was not measured, and MixedMachines for results of several machines, unless
    `mixed`. A file that is no result, or of another format, is left out and named in `damaged`.
    """
    by_benchmark: dict[str, Result] = {}
    damaged: dict[str, str] = {}
    every: dict[str, list[Result]] = {}
    for name, pattern in FILES.items():
        for path in sorted(folder.glob(pattern)):
            try:
                read = _read(path, name)
            except EdgeError as error:
                damaged[name] = f"{damaged[name]}; {error}" if name in damaged else str(error)
            else:
                every.setdefault(name, []).append(read)
    parities = every.pop("parity", [])
    if recipe is not None:
        parities = [each for each in parities if each.path.parent.name == recipe]
        if not parities:
            raise OptionError(f"{folder / recipe / 'parity.json'} is not a result: python -m benchmarks parity "
                              f"{folder / recipe} measures it")  # fmt: skip
        damaged.pop("parity", None)
    if parities:
        by_benchmark["parity"] = max(parities, key=lambda each: str(each.record["measured_at"]))
    pages = tuple(every.pop("pages", []))
    by_benchmark |= {name: results[-1] for name, results in every.items()}
    results = Results(by_benchmark=by_benchmark, pages=pages, damaged=damaged)
    machines = results.machines
    if len(machines) > 1 and not mixed:
        each = "; ".join(f"{', '.join(dict.fromkeys(names))} of {name}" for name, names in machines.items())
        raise MixedMachines(f"the results in {folder} are of {len(machines)} machines: {each}. "
                            "Measure again, remove some, or show them on one page anyway: --mixed")  # fmt: skip
    return results


def machine(record: Mapping[str, Any]) -> str:
    """Return a line of text for a machine from a result's environment."""
    memory = record.get("memory_bytes")
    parts = [record.get("board"), record.get("processor"), record.get("architecture"), f"{record.get('cores')} cores",
             f"{memory / 1024**3:.1f} GiB" if isinstance(memory, int) else None]  # fmt: skip
    return ", ".join(str(part) for part in parts if part)


def _read(path: Path, name: str) -> Result:
    """Return the content of a file; raises EdgeError if it is no result of this benchmark."""
    record = result.read(path)
    # Checking each value takes seconds; computations with them detect non-numbers.
    sparse = {**record, "measures": [{**each, "samples": None} for each in record["measures"]]}
    wrong = next(VALIDATOR.iter_errors(sparse), None)
    if wrong is not None:
        raise EdgeError(f"{path} does not match the schema of results: {wrong.json_path}: {wrong.message[:200]}")
    if record["benchmark"] != name:
        raise EdgeError(f"{path} is a result of {json.dumps(record['benchmark'])}, not of {name}")
    return Result(path=path, record=record)
