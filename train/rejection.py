"""Fit the weights by which the runtime distinguishes digits from non-digits, on drawn pages.

python -m train.rejection                    fit them for the model that ships, and print them
python -m train.rejection --model FILE       for another one
python -m train.rejection --write            and write them into the model's card

The model is a logistic regression over the features that `edge_runtime.vision.rejection` names. The log odds of a
glyph's prior, from the page around it, have a fixed weight of 1; the model's current weights give the prior and the
page model.
"""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from edge_runtime.reader import DigitReader
from edge_runtime.records import Box
from edge_runtime.trace import Trace
from edge_runtime.vision import rejection
from edge_runtime.vision.glyphs import Float64, Glyphs, log_odds
from edge_runtime.vision.page_model import evidence, priors
from edge_runtime.vision.weights import Weights
from train import command, crops, fitting, matches
from train.page_pool import of_pages

SEED = 20_261_204
FEATURES = tuple(name for name in Weights._fields if name != "bias")
# These weights set the evidence required for a digit, for a 1, for a piece of a grid and for a page of one digit. They
# keep the values chosen on photographs: nearly all single strokes on drawn pages are digits, hardly any in a street.
OPERATING_POINT = "bias", "stroke", "attached", "stroke_attached", "alone"
# Penalty on squared weights, added to the mean cost of glyphs: no weight diverges where few glyphs have its feature.
RIDGE = 1e-4
# The fit ignores pages where the page model's digit height is off by more than this factor: no weight corrects that,
# and on other pages hardly any digit has another size.
MISTAKEN = 2.0


class Sample(NamedTuple):
    """N glyphs: `features` float64 (N, FEATURES), `prior` float64 (N,) as log odds, `digit` bool (N,)."""

    features: Float64
    prior: Float64
    digit: NDArray[np.bool_]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@fitting.options(pages=900)
@click.option("--all", "everything", is_flag=True, help=f"Take the fitted {' and '.join(OPERATING_POINT)} as well.")
def fit_rejection(pages: int, model: Path, write: bool, everything: bool) -> None:
    """Fit the weights of the logistic model that separates digits from non-digits by glyph and page features."""
    with DigitReader(model) as reader:
        before = reader.weights
    sample = gather(model, before, pages)
    fitting.check_both(sample.digit, pages, "digit", "other thing")
    fitted = fit(sample)
    kept = {} if everything else {name: getattr(before, name) for name in OPERATING_POINT}
    others = np.count_nonzero(~sample.digit)
    print(f"{len(sample.digit) - others:,} digits and {others:,} other things on {pages:,} pages; "
          f"cost {cost(sample, before):.4f} before, {cost(sample, fitted):.4f} fitted")  # fmt: skip
    print(table(before, fitted))
    for name, value in kept.items():
        print(f"{name} stays at {value:g}: it was chosen on photographs (--all takes the fitted one)")
    if write:
        fitting.write(model, "rejection", fitted._replace(**kept))


def gather(model: Path, before: Weights, pages: int) -> Sample:
    """Return the glyphs that the runtime chooses on `pages` drawn pages, without those in doubt."""
    return of_pages(partial(_of_page, model, before), pages)


def _of_page(model: Path, before: Weights, number: int) -> Sample:
    page = crops.draw("train", np.random.default_rng([SEED, number]))
    trace = _reader(model).trace(page.pixels)
    return labeled(trace, trace.glyphs, before, [digit.box for digit in page.digits])


@cache
def _reader(model: Path) -> DigitReader:
    return DigitReader(model, turn=0, check="never")  # its glyphs have the orientation of the truth


def labeled(trace: Trace, glyphs: Glyphs, before: Weights, truth: Sequence[Box]) -> Sample:
    """Return the chosen glyphs of a trace as a sample; `truth` are the boxes of the page's digits."""
    height = float(np.median([box.height for box in truth])) if truth else trace.page.height
    if not len(glyphs) or not 1 / MISTAKEN <= trace.page.height / height <= MISTAKEN:
        return Sample(np.zeros((0, len(FEATURES))), np.zeros(0), np.zeros(0, np.bool_))
    which = [matches.judge(Box(*np.rint(box).astype(int).tolist()), list(truth)) for box in glyphs.boxes]
    clear = [i for i, each in enumerate(which) if each is not None]
    features = rejection.features(glyphs, trace.page)
    return Sample(
        np.column_stack([features[name] for name in FEATURES])[clear],
        log_odds(priors(glyphs, evidence(glyphs, before)))[clear],
        np.array([(which[i] or 0) >= 0 for i in clear], np.bool_),
    )


def fit(sample: Sample) -> Weights:
    """Return the weights that maximize the likelihood of which glyphs are digits, with equal class weights."""
    count = fitting.balance(sample.digit)
    values = fitting.regression(sample.features, sample.digit, RIDGE, count=count, offset=sample.prior)
    return Weights(bias=values[-1], **dict(zip(FEATURES, values, strict=False)))


def cost(sample: Sample, chosen: Weights) -> float:
    """Return the mean surprise at the class of each glyph, in nats, with equal class weights."""
    odds = sample.features @ [getattr(chosen, name) for name in FEATURES] + chosen.bias + sample.prior
    return float(fitting.balance(sample.digit) @ np.logaddexp(0, np.where(sample.digit, -odds, odds)))


def table(before: Weights, fitted: Weights) -> str:
    """Return the weights side by side, one per line."""
    rows = [f"{name:<14}{getattr(before, name):10.3f}{getattr(fitted, name):10.3f}" for name in Weights._fields]
    return "\n".join([f"{'feature':<14}{'before':>10}{'fitted':>10}", *rows])


def main() -> None:
    """Run the command."""
    command.run(fit_rejection)


if __name__ == "__main__":
    main()
