"""Fit the weights by which the runtime chooses among the possible texts of a line, on drawn lines.

python -m train.line_check                   fit them for the model that ships, and print them
python -m train.line_check --model FILE            for another one
python -m train.line_check --write                 and write them into the model's card

The weights of texts maximize the probability of the true text among all possible texts of a line: a conditional logit,
which is a conditional random field with one node per line (McFadden 1974; Lafferty et al. 2001). Two logistic
regressions then estimate the probability that the best text is right: see
`edge_runtime.vision.line_check.CheckWeights`.

Half of the pictures are lines of touching digits: MNIST's held-out digits, other forms, or a typeface that no network
here was trained on. With MNIST's digits alone, the classifier is so sure that its readings get too much weight, and
accuracy on real amounts drops. The others are pages in the conditions of `train.conditions` at severities 1 to 3. More
evidence never makes a text less likely.
"""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from edge_runtime.pages.draw import Page, Placed, draw_page
from edge_runtime.pages.style import PageStyle
from edge_runtime.reader import DigitReader
from edge_runtime.trace import Trace
from edge_runtime.vision import line_check
from edge_runtime.vision.glyphs import Float64
from edge_runtime.vision.line_check import CheckWeights, Text, comparison, evidence, shares
from train import command, fitting, matches, strings
from train.line_confidence import in_a_condition
from train.page_pool import of_pages

SEED = 20_261_129
MOST = 31  # texts of a line: at most three from each of ten views, and one from digit-by-digit reading
RIDGE = 1e-3  # penalty on squared weights, added to the mean surprise
# Added to the fitted `both_length`: drawn lines are harder than real ones. Where both readers agree on lines of
# photographs, photographed numbers and amounts, the log odds that they are right are 0.34, 0.61 and 0.52 higher than
# fitted; a digit alone is right less often. When it was chosen, 151 of the photographs' lines were sure with this value
# and 145 of these right; with 0, 132 and 128; with 0.4, 162 and 153.
REAL_LENGTH = 0.25  # log odds for each unit of the logarithm of the number of digits


class Sample(NamedTuple):
    """N lines, and the possible texts of each, MOST at most.

    `texts`, float64 (N, MOST, 5), are `line`, `log_line`, `digits`, number of labels and `alike` of each
    `line_check.Text`, zeros after the last; `size`, int64 (N,), is the number of texts, `strips`, int64 (N,), the
    number of strips read. `own`, float64 (N,), 0-1, is the probability that the text read digit by digit is right;
    `right`, int64 (N,), is the index of the right text, -1 where there is none.
    """

    texts: Float64
    size: NDArray[np.int64]
    strips: NDArray[np.int64]
    own: Float64
    right: NDArray[np.int64]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@fitting.options(pages=6000)
def fit_check(pages: int, model: Path, write: bool) -> None:
    """Fit the weights by which the runtime chooses among the possible texts of a line."""
    sample = of_pages(partial(_of_page, model), pages)
    fitting.check_both(sample.right < 0, pages, "line that is misread", "line that is not")
    fitting.check_both(_comparable(sample), pages, "line of several texts", "other line")
    fitted = fit(sample)
    first, _ = best_texts(sample, fitted)
    print(f"{len(first):,} lines on {pages:,} pages: of {(sample.right >= 0).mean():.1%} the true text is among those "
          f"that the line may have, of {(first == sample.right).mean():.1%} it is the best one")  # fmt: skip
    print("\n".join(f"{name:<14}{value:10.3f}" for name, value in fitted._asdict().items()))
    if write:
        fitting.write(model, "check", fitted)


def _of_page(model: Path, number: int) -> Sample:
    rng = np.random.default_rng([SEED, number])
    page = _joined(rng) if number % 2 else in_a_condition(rng)
    return _sample(_reader(model).trace(page.pixels), page.digits)


def _joined(rng: np.random.Generator) -> Page:
    """Draw touching digits of a random held-out hand: a line in a picture of its width, or a small page."""
    ways = strings.hands("held_out")
    hand = ways[0] if rng.random() < 0.5 else ways[rng.integers(1, len(ways))]
    count = int(rng.integers(3, 9))
    labels = rng.integers(0, 10, count)
    images = np.array([hand.digits[label][rng.integers(len(hand.digits[label]))] for label in labels])
    style = (
        PageStyle(size=(75 * (count + 2), 90), digit_height=(36, 48), touching=float(rng.uniform(0.3, 1)), noise=(0, 8))
        if rng.random() < 0.6
        else PageStyle(size=(400, 300), touching=1.0, blur=(0, 1.5))
    )
    return draw_page(images, labels.astype(np.uint8), rng, style)


@cache
def _reader(model: Path) -> DigitReader:
    return DigitReader(model, min_line_confidence=0.0, check="always")


def _sample(trace: Trace, digits: Sequence[Placed]) -> Sample:
    """Return the lines of a trace that the line check read again, on a page that shows `digits`."""
    lines = []
    for number, check in enumerate(trace.checks):
        if check is None or not check.whole.texts:
            continue
        truth = matches.drawn_line([digit.box for digit in trace.reading.digits if digit.line == number], digits)
        texts = check.whole.texts
        values = np.zeros((MOST, 5))
        values[: len(texts)] = [(text.line, text.log_line, text.digits, len(text.labels), text.alike) for text in texts]
        true = ["".join(map(str, text.labels)) == truth for text in texts]
        lines.append((values, len(texts), check.whole.strips, check.likely, true.index(True) if True in true else -1))
    columns = list(zip(*lines, strict=True)) or [()] * len(Sample._fields)
    shapes = (-1, MOST, 5), -1, -1, -1, -1
    kinds = np.float64, np.int64, np.int64, np.float64, np.int64
    return Sample(*(np.array(column, kind).reshape(shape)
                    for column, kind, shape in zip(columns, kinds, shapes, strict=True)))  # fmt: skip


def fit(sample: Sample) -> CheckWeights:
    """Return the weights that maximize the likelihood of which texts are right."""
    texts = dict(zip(CheckWeights._fields, _conditional(sample), strict=False))
    fitted = evidence_weights(sample, line_check.UNFITTED._replace(**texts))
    return fitted._replace(both_length=fitted.both_length + REAL_LENGTH)


def evidence_weights(sample: Sample, weights: CheckWeights) -> CheckWeights:
    """Return the first four weights, with the others fitted to whether the best texts by these four are right."""
    first, alike = best_texts(sample, weights)
    features = np.array([_evidence(sample, number, weights) for number in range(len(first))])
    right = first == sample.right
    both, one = _logistic(features[alike], right[alike]), _logistic(features[~alike, 1:], right[~alike])
    return CheckWeights(*weights[:4], *both, *one)


def best_texts(sample: Sample, weights: CheckWeights) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the index of each line's best text by these weights, and whether reading digit by digit gave it too."""
    first = [int(shares(_texts(sample, number), weights).argmax()) for number in range(len(sample.size))]
    return np.array(first), sample.texts[range(len(first)), first, 4] > 0


def _texts(sample: Sample, number: int) -> list[Text]:
    rows = sample.texts[number, : sample.size[number]].tolist()
    return [Text((0,) * int(length), line, log, digits, bool(alike)) for line, log, digits, length, alike in rows]


def _evidence(sample: Sample, number: int, weights: CheckWeights) -> Float64:
    texts = _texts(sample, number)
    share = shares(texts, weights)
    first = int(share.argmax())
    return evidence(texts[first], float(sample.own[number]), float(share[first]), int(sample.strips[number]))


def _comparable(sample: Sample) -> NDArray[np.bool_]:
    """Return which lines have several texts, one of them the true one."""
    return (sample.right >= 0) & (sample.size > 1)


def _conditional(sample: Sample) -> tuple[float, ...]:
    """Return the weights that maximize the likelihood of the true texts among all texts of their lines."""
    rows = np.flatnonzero(_comparable(sample))
    x = np.array([np.pad(comparison(_texts(sample, int(i))), ((0, MOST - int(sample.size[i])), (0, 0))) for i in rows])
    missing = np.arange(MOST) >= sample.size[rows, None]
    true = x[range(len(rows)), sample.right[rows]]

    def loss(weights: Float64) -> tuple[float, Float64]:
        scores = np.where(missing, -np.inf, x @ weights)
        total = np.logaddexp.reduce(scores, axis=1)
        share = np.exp(scores - total[:, None])
        surprise = (total - true @ weights).mean() + RIDGE / 2 * weights @ weights
        slopes = ((share[:, :, None] * x).sum(axis=1) - true).mean(axis=0) + RIDGE * weights
        return float(surprise), slopes

    return tuple(minimize(loss, np.zeros(x.shape[2]), jac=True, method="L-BFGS-B").x.tolist())


def _logistic(features: Float64, right: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return the bias and the nonnegative weights of a logistic regression."""
    *weights, bias = fitting.regression(features, right, RIDGE, least=0.0)
    return bias, *weights


def main() -> None:
    """Run the command."""
    command.run(fit_check)


if __name__ == "__main__":
    main()
