"""Fit the weights by which the runtime tells digits from letters, and numbers from words, on drawn pages.

python -m train.numbers                    fit them for the model that ships, and print them
python -m train.numbers --model FILE       for another one
python -m train.numbers --write            and write them into the model's card

Half of the pages hold mostly words, half mostly digits, in held-out typefaces and words: the line network has seen the
others. The models are two logistic regressions over the features that `edge_runtime.lines.numbers` names.
"""

from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from edge_runtime.lines import numbers
from edge_runtime.lines.numbers import Evidence, NumberWeights
from edge_runtime.reader import DigitReader
from edge_runtime.records import Box
from edge_runtime.vision.glyphs import Float64
from train import command, crops, fitting, matches, word_pages
from train.page_pool import of_pages

SEED = 20_261_207
RIDGE = 1e-3  # penalty on squared weights, added to the mean surprise
MOST_LINES = 1000  # of a page: the next page's numbers of lines begin there
# Weights that pass every glyph and line, for a model whose card has none.
NONE = NumberWeights(0.0, 1.0, 0.0, 0.0, 99.0, 0.0, 0.0)


class Sample(NamedTuple):
    """The evidence for N glyphs on lines, whose numbers no two pages share, and whether each is a digit, bool (N,)."""

    line: NDArray[np.int64]
    odds: Float64
    presence: Float64
    kept: NDArray[np.bool_]
    digit: NDArray[np.bool_]

    def known(self) -> Evidence:
        """Return the sample as the evidence of a single page, with its lines numbered without gaps."""
        lines = np.unique(self.line, return_inverse=True)[1]
        return Evidence(np.arange(len(self.line)), lines.astype(np.int64), self.odds, self.presence, self.kept)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@fitting.options(pages=800)
def fit_numbers(pages: int, model: Path, write: bool) -> None:
    """Fit the two logistic models that separate digits from letters, and numbers from words."""
    sample = gather(model, pages)
    fitting.check_both(sample.digit, pages, "digit on a line", "letter that was taken for a digit")
    fitted = fit(sample)
    odds = numbers.glyph_odds(sample.known(), fitted)
    print(f"{sample.digit.sum():,} digits and {(~sample.digit).sum():,} other things on {pages:,} pages; "
          f"{np.mean(odds[sample.digit] < 0):.2%} of the digits are lost, {np.mean(odds[~sample.digit] > 0):.2%} of the others stay")  # fmt: skip  # noqa: E501
    print("\n".join(f"{name:<16}{value:10.3f}" for name, value in fitted._asdict().items()))
    if write:
        fitting.write(model, "numbers", fitted)


def gather(model: Path, pages: int) -> Sample:
    """Return the glyphs on the lines that the runtime finds on `pages` drawn pages, without those in doubt."""
    return of_pages(partial(_of_page, model), pages)


def _of_page(model: Path, number: int) -> Sample:
    rng = np.random.default_rng([SEED, number])
    page = word_pages.draw("held_out", rng) if number % 2 else crops.draw("held_out", rng)
    trace = _reader(model).trace(page.pixels)
    known = trace.known
    assert known is not None
    boxes = [Box(*np.rint(trace.glyphs.boxes[row]).astype(int).tolist()) for row in known.rows]
    truth = [digit.box for digit in page.digits]
    which = [matches.judge(box, truth) for box in boxes]
    clear = np.array([each is not None for each in which], np.bool_)
    digit = np.array([(each if each is not None else -1) >= 0 for each in which], np.bool_)
    return Sample(
        MOST_LINES * number + known.line[clear],
        known.odds[clear],
        known.presence[clear],
        known.kept[clear],
        digit[clear],
    )


@cache
def _reader(model: Path) -> DigitReader:
    reader = DigitReader(model, turn=0, min_line_confidence=0.0)
    reader.number_weights = reader.number_weights or NONE
    return reader


def fit(sample: Sample) -> NumberWeights:
    """Return the weights that maximize the likelihood of which glyphs are digits, and which lines are numbers.

    A line is a number if most of the glyphs that stay on it are digits.
    """
    known = sample.known()
    glyph = _fitted(numbers.glyph_features(known), sample.digit)
    weights = NONE._replace(glyph=glyph[-1], glyph_odds=glyph[0], glyph_presence=glyph[1], glyph_line=glyph[2])
    stay = numbers.glyph_odds(known, weights) > 0
    left = Sample(
        sample.line[stay], sample.odds[stay], sample.presence[stay], np.ones(stay.sum(), np.bool_), sample.digit[stay]
    )
    known = left.known()
    share = np.bincount(known.line, left.digit) / np.bincount(known.line)
    line = _fitted(numbers.line_features(known), share > 1 / 2)
    return weights._replace(line=line[-1], line_odds=line[0], line_presence=line[1])


def _fitted(features: Float64, target: NDArray[np.bool_]) -> list[float]:
    return fitting.regression(features, target, RIDGE, count=fitting.balance(target))


def main() -> None:
    """Run the command."""
    command.run(fit_numbers)


if __name__ == "__main__":
    main()
