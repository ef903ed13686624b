"""Fit the weights by which the runtime chooses between two readings of a line, on drawn lines.

python -m train.line_check                   fit them for the model that ships, and print them
python -m train.line_check --model FILE            for another one
python -m train.line_check --write                 and write them into the model's card

Three logistic regressions, of the log odds that either reading has by itself: see
`edge_runtime.vision.line_check.CheckWeights`. A quarter of the pictures are pages in the conditions of
`edge_runtime.conditions` at severity 1, a quarter at 1 to 3, half are small ones of a single line; all are of held-out
digits. How likely two readings that agree are right is fitted on the first quarter alone: of harder pictures it is too
cautious for photographs (89 lines called sure in place of 97 of 262, 87 and 95 of them right). Pages as in training
are left out for the same reason: they hold more beside the digits than photographs do.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from edge_runtime.pages import Placed
from edge_runtime.reader import DigitReader
from edge_runtime.records import Box
from edge_runtime.trace import Trace
from edge_runtime.vision.glyphs import Float64, log_odds, logistic
from edge_runtime.vision.line_check import CheckWeights
from train import command, fitting, matches, strings
from train.line_confidence import HARDEST, in_a_condition
from train.page_pool import of_pages

SEED = 20_261_129
RIDGE = 1e-3  # what the squares of weights cost beside the mean surprise


class Sample(NamedTuple):
    """N lines: how likely either reading is right, float64 (N,), 0-1, and whether it is, bool (N,).

    `others` is how likely the digits one by one are by the network, `agree` bool (N,); `longer`, float64 (N,), 1 where
    the network reads more digits, -1 where it reads fewer, else 0. `clear`, bool (N,), are those at severity 1.
    """

    digits: Float64
    line: Float64
    others: Float64
    agree: NDArray[np.bool_]
    longer: Float64
    digits_right: NDArray[np.bool_]
    line_right: NDArray[np.bool_]
    clear: NDArray[np.bool_]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@fitting.options(pages=6000)
def fit_check(pages: int, model: Path, write: bool) -> None:
    """Fit the weights by which the runtime chooses between its two readings of a line."""
    sample = of_pages(partial(_of_page, model), pages)
    fitting.check_both(sample.agree[sample.clear], pages, "clear line that is read alike", "clear line that is not")
    fitted = fit(sample)
    apart = ~sample.agree
    print(f"{len(sample.agree):,} lines on {pages:,} pages: {sample.agree.mean():.1%} read alike, of these "
          f"{sample.line_right[sample.agree].mean():.1%} right; of the others {sample.digits_right[apart].mean():.1%} "
          f"by the digits, {sample.line_right[apart].mean():.1%} by the line network")  # fmt: skip
    print("\n".join(f"{name:<14}{value:10.3f}" for name, value in fitted._asdict().items()))
    if write:
        fitting.write(model, "check", fitted)


def _of_page(model: Path, number: int) -> Sample:
    rng = np.random.default_rng([SEED, number])
    if number % 2:
        pixels, digits = strings.picture(strings.hands("held_out"), rng)
        text = "".join(map(str, digits))
        return _sample(_reader(model).trace(pixels), lambda boxes: text, clear=False)
    clear = number % 4 == 0
    page = in_a_condition(rng, 1 if clear else HARDEST)
    return _sample(_reader(model).trace(page.pixels), partial(drawn, page.digits), clear)


@cache
def _reader(model: Path) -> DigitReader:
    return DigitReader(model, check="always")


def _sample(trace: Trace, truth: Callable[[list[Box]], str | None], clear: bool) -> Sample:
    """Return the lines of a trace that were read twice; `truth` tells what the line of some digits' boxes says."""
    rows = []
    for number, check in enumerate(trace.checks):
        if check is None or not check.whole.labels:
            continue
        said = "".join(str(label) for label in check.whole.labels)
        drawn = truth([digit.box for digit in trace.reading.digits if digit.line == number])
        whole = check.whole
        agree = said == check.text
        longer = float(np.sign(len(said) - len(check.text)))
        rows.append(
            (check.likely, whole.likely, whole.others, agree, longer, check.text == drawn, said == drawn, clear)
        )
    columns = list(zip(*rows, strict=True)) or [()] * len(Sample._fields)
    kinds = (np.float64, np.float64, np.float64, np.bool_, np.float64, np.bool_, np.bool_, np.bool_)
    return Sample(*(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)))


def drawn(digits: Sequence[Placed], boxes: Sequence[Box]) -> str | None:
    """Return the digits of the one drawn line that these boxes are on; None where that is none, or several."""
    which = [matches.judge(box, [digit.box for digit in digits]) for box in boxes]
    lines = {digits[i].line for i in which if i is not None and i >= 0}
    return "".join(digit.label for digit in digits if digit.line in lines) if len(lines) == 1 else None


def fit(sample: Sample) -> CheckWeights:
    """Return the weights that make it likeliest which readings are right."""
    own, other, rival = (log_odds(likely) for likely in (sample.digits, sample.line, sample.others))
    apart = ~sample.agree
    alike = sample.agree & sample.clear
    both = _logistic(np.column_stack([own, other])[alike], sample.line_right[alike])
    features = np.column_stack([own, other, rival, sample.longer])[apart]
    return CheckWeights(
        *both, *_logistic(features, sample.digits_right[apart]), *_logistic(features, sample.line_right[apart])
    )


def _logistic(features: Float64, right: NDArray[np.bool_]) -> tuple[float, ...]:
    """Return the bias and the weights of a logistic regression."""
    x = np.column_stack([np.ones(len(features)), features])

    def loss(weights: Float64) -> tuple[float, Float64]:
        odds = x @ weights
        surprise = np.logaddexp(0, np.where(right, -odds, odds)).mean() + RIDGE / 2 * weights[1:] @ weights[1:]
        slopes = x.T @ (logistic(odds) - right) / len(x) + RIDGE * np.r_[0, weights[1:]]
        return float(surprise), slopes

    return tuple(minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x.tolist())


def main() -> None:
    """Run the command."""
    command.run(fit_check)


if __name__ == "__main__":
    main()
