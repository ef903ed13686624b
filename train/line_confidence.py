"""Fit the weights by which the runtime estimates the probability that a line is exactly right, on drawn scenes.

python -m train.line_confidence              fit them for the model that ships, and print them
python -m train.line_confidence --model FILE       for another one
python -m train.line_confidence --write            and write them into the model's card

The model is a logistic regression over the features that `edge_runtime.vision.line_confidence` names, times the
probability that no digit is misread. The pages show held-out digits: half of them in the training styles, with held-out
typefaces, and half in the conditions of `train.conditions`. A line is exactly right if its digits are all those of one
drawn line.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from edge_runtime.pages.draw import Page, Placed, draw_page
from edge_runtime.reader import DigitReader
from edge_runtime.records import Box, Reading
from edge_runtime.vision.glyphs import Float64, logistic
from edge_runtime.vision.line_confidence import DIGITS, LineWeights, probabilities
from train import command, crops, fitting, matches
from train.conditions import CONDITIONS, style
from train.conditions import digits as count
from train.page_pool import of_pages

SEED = 20_261_128
FEATURES = LineWeights._fields[1:]
HARDEST = 3  # severity of a condition; on harder pages a line is rarely right, and no camera points at them for long
# Allowed sign of a feature's weight: 1 for a line, -1 against it, 0 either way. The meaning of the features determines
# it: a weight of the other sign fits a trait of drawn pages that photographs do not share.
SIGNS = {
    "odds": 1, "doubt": -1, "rival": -1, "gap": -1, "uneven": -1, "sizes": -1, "planes": 1,
    "length": 0, "lone": 0, "only": 0, "edge": -1,
}  # fmt: skip
SINGLE = 0.3  # share of the pages in a condition with a single digit, as in many pictures
# Share of the pages in the training styles that are cut to a piece: half of the pieces surround a digit, as in datasets
# of digits, with margins AROUND in heights of the digit; half lie anywhere, with the same sizes.
CUT_OUT, AROUND = 0.3, (-0.03, 0.6)
RIDGE = 1e-3  # penalty on squared weights of standardized features, added to the mean surprise


class Sample(NamedTuple):
    """N lines: `features` float64 (N, FEATURES), `digits` and `right`.

    `digits`, float64 (N,), 0-1, is the probability that no digit is misread; `right`, bool (N,), whether the line is
    right.
    """

    features: Float64
    digits: Float64
    right: NDArray[np.bool_]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@fitting.options(pages=3000)
def fit_lines(pages: int, model: Path, write: bool) -> None:
    """Fit the weights of the logistic model of the probability that a line is exactly right."""
    sample = gather(model, pages)
    fitting.check_both(sample.right, pages, "line that is right", "line that is wrong")
    fitted = fit(sample)
    print(f"{len(sample.right):,} lines on {pages:,} pages, {sample.right.mean():.1%} right; mean surprise "
          f"{cost(sample, fitted):.4f} nats")  # fmt: skip
    print("\n".join(f"{name:<10}{value:10.3f}" for name, value in fitted._asdict().items()))
    if write:
        fitting.write(model, "lines", fitted)


def gather(model: Path, pages: int) -> Sample:
    """Return the lines that the runtime reads on `pages` drawn pages."""
    return of_pages(partial(_of_page, model), pages)


def _of_page(model: Path, number: int) -> Sample:
    rng = np.random.default_rng([SEED, number])
    page = in_a_condition(rng) if number % 2 else crops.draw("held_out", rng)
    if not number % 2 and page.digits and rng.random() < CUT_OUT:
        page = cut_out(page, rng)
    trace = _reader(model).trace(page.pixels)
    right = np.array(exact(trace.reading, page.digits), np.bool_)
    values = trace.line_features
    features = np.column_stack([values[name] for name in FEATURES]).reshape(-1, len(FEATURES))
    return Sample(features, values[DIGITS], right)


def in_a_condition(rng: np.random.Generator) -> Page:
    """Draw a page of held-out digits in a random condition and severity, up to HARDEST."""
    condition, severity = str(rng.choice(list(CONDITIONS))), int(rng.integers(1, HARDEST + 1))
    digits = crops.dataset_of("held_out")
    several = 1 if rng.random() < SINGLE else count(condition, severity)
    chosen = rng.choice(len(digits.images), several, replace=False)
    return draw_page(digits.images[chosen], digits.labels[chosen], rng, style(condition, severity))


def cut_out(page: Page, rng: np.random.Generator) -> Page:
    """Return a piece of a page, about as large as one of its digits, with the digits that lie in it whole."""
    height, width = page.pixels.shape[:2]
    box = page.digits[int(rng.integers(len(page.digits)))].box
    margins = [round(box.height * share) for share in rng.uniform(*AROUND, 4)]
    left, top, right, bottom = box.x - margins[0], box.y - margins[1], box.right + margins[2], box.bottom + margins[3]
    if rng.random() < 1 / 2:
        across, down = int(rng.integers(width)) - left, int(rng.integers(height)) - top
        left, top, right, bottom = left + across, top + down, right + across, bottom + down
    left, top = max(0, min(left, width - 2)), max(0, min(top, height - 2))
    right, bottom = max(left + 2, min(right, width)), max(top + 2, min(bottom, height))
    piece = Box(left, top, right - left, bottom - top)
    shown = [(digit, _within(digit.box, piece)) for digit in page.digits if digit.box.overlaps(piece)]
    whole = [
        replace(digit, box=box._replace(x=box.x - left, y=box.y - top))
        for digit, box in shown
        if matches.alike(digit.box, box) >= matches.WHOLE
    ]
    return Page(page.pixels[top:bottom, left:right], tuple(whole))


def _within(box: Box, piece: Box) -> Box:
    """Return the intersection of a box with a piece that it overlaps."""
    x, y = max(piece.x, box.x), max(piece.y, box.y)
    return Box(x, y, min(piece.right, box.right) - x, min(piece.bottom, box.bottom) - y)


@cache
def _reader(model: Path) -> DigitReader:
    return DigitReader(model, min_line_confidence=0.0, check="never")


def exact(reading: Reading, truth: Sequence[Placed]) -> list[bool]:
    """Return for each line of a reading whether it holds exactly the digits of one drawn line."""
    return [
        line.text.replace(" ", "") == matches.drawn_line([d.box for d in reading.digits if d.line == number], truth)
        for number, line in enumerate(reading.lines)
    ]


def fit(sample: Sample) -> LineWeights:
    """Return the weights, with signs that SIGNS allows, that maximize the likelihood of which lines are right."""
    middle, spread = sample.features.mean(axis=0), np.maximum(sample.features.std(axis=0), 1e-6)
    even = (sample.features - middle) / spread
    digits = np.minimum(sample.digits, 1 - 1e-9)

    def loss(values: Float64) -> tuple[float, Float64]:
        weights = values[:-1]
        rest = logistic(even @ weights + values[-1])
        likely = digits * rest
        slopes = np.where(sample.right, rest - 1, likely * (1 - rest) / (1 - likely)) / len(likely)
        ridge = RIDGE / 2 * float(weights @ weights)
        return surprise(likely, sample.right) + ridge, np.append(even.T @ slopes + RIDGE * weights, slopes.sum())

    bounds = [{1: (0, None), -1: (None, 0), 0: (None, None)}[SIGNS[name]] for name in FEATURES] + [(None, None)]
    least = minimize(loss, np.zeros(len(FEATURES) + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    slopes = least[:-1] / spread
    return LineWeights(float(least[-1] - slopes @ middle), *slopes.tolist())


def surprise(likely: Float64, right: NDArray[np.bool_]) -> float:
    """Return the mean negative log likelihood, in nats, of `right`, bool (N,), under `likely`, float64 (N,)."""
    return float(-np.log(np.maximum(np.where(right, likely, 1 - likely), 1e-300)).mean())


def cost(sample: Sample, chosen: LineWeights) -> float:
    """Return the mean surprise of the weights `chosen` at which lines are right, in nats."""
    values = dict(zip(FEATURES, sample.features.T, strict=True))
    return surprise(probabilities({DIGITS: sample.digits, **values}, chosen), sample.right)


def main() -> None:
    """Run the command."""
    command.run(fit_lines)


if __name__ == "__main__":
    main()
