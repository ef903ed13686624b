"""All measures of a digits model in one table: single characters, whole pictures, size and speed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.accuracy import characters, pages, score, truth
from benchmarks.accuracy.characters import Characters, Digits, Letters, Scaling
from benchmarks.accuracy.score import Summary
from benchmarks.common import full
from benchmarks.speed import latency
from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.bench.result import Measure, figure
from edge_runtime.inference import model_file
from edge_runtime.inference.classifier import Classifier
from train import dataset

Reader = Callable[[], AbstractContextManager[DigitReader]]


class Measured(NamedTuple):
    """The results of each model, facts on the file, and each unreadable picture with the reason."""

    models: dict[str, dict[str, Any]]
    about: dict[str, Any]
    unreadable: list[tuple[str, str]]


def run(folders: Sequence[Path], model: Path | None, keras: Path | None, beside: Path | None, out: Path) -> Measured:
    """Measure the model, and the full network if given, and write digits.json.

    A folder with a truth.jsonl holds pictures, any other folder .npz files of characters. `beside` is another model
    file to time a single digit against. Raises OptionError for other files.
    """
    test = dataset.load("test")
    sets = {"MNIST test": Characters(test.images, test.labels.astype(str))}
    pictures = [folder for folder in folders if (folder / truth.NAME).exists()]
    for folder in folders:
        if folder not in pictures:
            sets |= {path.stem: characters.load(path) for path in sorted(folder.glob("*.npz"))}
    results: dict[str, dict[str, Any]] = {}
    unreadable: list[tuple[str, str]] = []
    with Classifier(model) as classifier:
        card = classifier.model.card or {}
        threshold = float(card.get("thresholds", {}).get("min_confidence", 0.5))
        fitted = (card.get("training") or {}).get("calibration") or {}
        scaling = Scaling(float(fitted.get("temperature", 1.0)), float(fitted.get("offset", 0.0)))
        path = classifier.model.path
        results["int8"] = characters.measure(classifier.confidences, sets, threshold, scaling)
    readers: dict[str, Reader] = {"int8": lambda: DigitReader(model)}
    if keras is not None:
        network = full.load(keras)
        results["full"] = characters.measure(lambda x: full.probabilities(network, x), sets, threshold, scaling)
        readers["full"] = lambda: full.FullReader(network, model)
    for name, reader in readers.items():
        results[name]["pages"], failed = _pages(pictures, reader)
        unreadable += failed
    about: dict[str, Any] = {"bytes": path.stat().st_size, "threshold": threshold, **scaling._asdict()}
    if beside is not None:
        about["latency_ratio"] = latency.ratio(path, beside)
    result.write(
        out / "digits.json", "digits", _measures(results, about), settings={
            "characters": list(sets), "pictures": [folder.resolve().name for folder in pictures],
            "full": keras is not None, "beside": beside and model_file.read(beside).id,
        }, details=about | {"models": _plain(results)}, model=path,
    )  # fmt: skip
    return Measured(results, about, unreadable)


def _pages(folders: Sequence[Path], reader: Reader) -> tuple[dict[str, Summary], list[tuple[str, str]]]:
    """Return a summary for each tier or category of each folder, and the unreadable pictures."""
    summaries: dict[str, Summary] = {}
    unreadable: list[tuple[str, str]] = []
    for folder in folders:
        with reader() as opened:
            results = pages.measure(folder, truth.read(folder), opened)
        summaries |= {f"{folder.resolve().name}: {tier}": summary for tier, summary in pages.summaries(results).items()}
        unreadable += results.unreadable
    return summaries, unreadable


def _measures(results: dict[str, dict[str, Any]], about: dict[str, Any]) -> list[Measure]:
    measured = [figure("int8/file", about["bytes"], "B", better="lower")]
    if "latency_ratio" in about:
        measured.append(figure("int8/time beside the other", about["latency_ratio"], "1", better="lower"))
    for model, of_model in results.items():
        measured += characters.measures(model, of_model)
        for name, summary in of_model["pages"].items():
            measured += score.measures(f"{model} {name}", summary)
    return measured


def _plain(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        model: {
            kind: {name: asdict(row) for name, row in rows.items()}
            if kind == "pages"
            else [asdict(row) for row in rows]
            for kind, rows in of_model.items()
        }
        for model, of_model in results.items()
    }


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the results as lines of text: for each model its digits, letter rejection and pictures."""
    lines: list[str] = []
    for name, of_model in results.items():
        lines.append(f"{name:<16}{'count':>7}{'read':>10}{'accepted':>11}{'both':>10}{'NLL (before)':>17}"
                     f"{'Brier (before)':>18}{'ECE':>8}")  # fmt: skip
        lines += [_digits(row) for row in of_model["digits"]]
        lines += _rejected(of_model["letters"])
        lines += _pictures(of_model.get("pages", {}))
    return "\n".join(lines)


def _digits(row: Digits) -> str:
    nll = f"{row.nll:.4f} ({row.nll_uncalibrated:.4f})"
    brier = f"{row.brier:.4f} ({row.brier_uncalibrated:.4f})"
    return (f"  {row.name:<14}{row.count:>7,}{row.read:>8.2f} %{row.accepted:>9.2f} %{row.read_accepted:>8.2f} %"
            f"{nll:>17}{brier:>18}{row.ece:>6.2f} %")  # fmt: skip


def _rejected(letters: Sequence[Letters]) -> Iterator[str]:
    if letters:
        yield f"{'  letters rejected at the threshold that':<52}{'threshold':>10}{'clear':>10}{'look-alike':>13}"
    for row in letters:
        clear, alike = ("" if share is None else f"{share:.1f} %" for share in (row.clear, row.look_alike))
        yield f"  {row.where:<50}{row.threshold:>10.3f}{clear:>10}{alike:>13}".rstrip()


def _pictures(summaries: dict[str, Summary]) -> Iterator[str]:
    if summaries:
        yield f"{'  whole pictures, through the reader':<52}{'pictures':>10}{'error rate':>12}{'false/picture':>15}"
    for name, row in summaries.items():
        rate = "" if row.error_rate is None else f"{row.error_rate:.1f} %"
        false = "" if row.false_digits_a_page is None else f"{row.false_digits_a_page:.1f}"
        yield f"  {name:<50}{row.pages:>10}{rate:>12}{false:>15}".rstrip()
