from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.records import Box
from edge_runtime.vision.candidates import Candidate
from edge_runtime.vision.glyphs import Glyphs, logistic
from edge_runtime.vision.line_confidence import DIGITS, LineWeights, features, probabilities
from edge_runtime.vision.rejection import NOT_A_DIGIT, READ_ELSEWHERE, Verdict
from tests.edge_runtime.vision.made import glyphs, row

ODDS = 4.0  # of every digit
SIZE = 640, 480


def of(
    page: Glyphs, lines: list[list[int]], *, reasons: list[str | None] | None = None,
    odds: dict[int, float] | None = None, parts: list[set[int]] | None = None,
    others: list[tuple[set[int], float]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the features of lines; `others` are candidates that were not chosen: of what, and how surely a digit."""
    count = len(page)
    of_odds = np.full(count, ODDS)
    for i, value in (odds or {}).items():
        of_odds[i] = value
    made = [*(parts or [{i} for i in range(count)]), *(part for part, _ in others or [])]
    candidates = [Candidate(Box(0, 0, 1, 1), np.zeros((1, 1), np.uint8), 0, frozenset(p), None, False) for p in made]
    confidences = np.zeros((len(made), 10))
    confidences[:count] = page.confidences
    confidences[count:, 5] = [sure for _, sure in others or []]
    verdict = Verdict(reasons or [None] * count, of_odds, page.confidences, list(range(count)))
    return features(lines, page, verdict, candidates, confidences, range(count), SIZE)


def test_every_weight_has_a_feature_but_the_bias() -> None:
    assert {*of(glyphs(row(3)), [[0, 1, 2]]), "bias"} == {*LineWeights._fields, DIGITS}


def test_an_even_row_of_sure_digits_is_sure() -> None:
    measured = of(glyphs(row(4, x=40)), [[0, 1, 2, 3]])
    assert {name: float(value[0]) for name, value in measured.items()} == pytest.approx(
        {
            DIGITS: 0.999**4, "odds": ODDS, "doubt": -9.21, "rival": -9.21, "gap": 6 / 40, "uneven": 0, "sizes": 0,
            "planes": 0, "length": np.log(4), "lone": 0, "only": 0, "edge": 0,
        },
        abs=1e-3,
    )  # fmt: skip


def test_every_digit_has_to_be_read_right() -> None:
    page = glyphs(row(3, x=40), [0.999, 0.8, 0.99])
    measured = of(page, [[0, 1, 2]], odds={2: 1.5})
    assert measured[DIGITS][0] == pytest.approx(0.999 * 0.8 * 0.99)
    assert measured["odds"][0] == 1.5


@pytest.mark.parametrize(
    ("x", "counts"),
    [(40 + 90, True), (40 + 110, True), (40 + 300, False)],
    ids=["in the middle", "beside it", "far away"],
)
def test_a_rejection_on_a_line_opposes_it(x: float, counts: bool) -> None:
    digits = [(40.0 + 30 * i, 100.0, 24.0, 40.0) for i in (0, 1, 2)]
    page = glyphs([*digits, (x, 100, 24, 40)])
    reasons = [None, None, None, NOT_A_DIGIT]
    measured = of(page, [[0, 1, 2]], reasons=reasons, odds={3: -1.0})
    assert measured["doubt"][0] == pytest.approx(-1.0 if counts else -9.21, abs=1e-3)
    # What was read on another plane is no doubt, and neither is what is small.
    elsewhere = [None, None, None, READ_ELSEWHERE]
    assert of(page, [[0, 1, 2]], reasons=elsewhere, odds={3: -1.0})["doubt"][0] == pytest.approx(-9.21, abs=1e-3)
    small = glyphs([*digits, (x, 120, 6, 10)])
    assert of(small, [[0, 1, 2]], reasons=reasons, odds={3: -1.0})["doubt"][0] == pytest.approx(-9.21, abs=1e-3)


def test_doubts_add_up() -> None:
    page = glyphs(row(5, x=40))
    measured = of(
        page, [[0, 4]], reasons=[None, NOT_A_DIGIT, NOT_A_DIGIT, NOT_A_DIGIT, None], odds={1: 0, 2: 0, 3: -40}
    )
    assert logistic(measured["doubt"])[0] == pytest.approx(0.75)


def test_another_sure_cut_is_a_rival() -> None:
    page = glyphs(row(2, x=40))
    parts = [{0}, {1, 2}]
    assert of(page, [[0, 1]], parts=parts, others=[({2}, 0.9), ({1}, 0.4)])["rival"][0] == pytest.approx(np.log(9))
    assert of(page, [[0, 1]], parts=parts, others=[({7}, 0.9)])["rival"][0] == pytest.approx(-9.21, abs=1e-3)
    assert of(page, [[0], [1]], parts=parts, others=[({2}, 0.9)])["rival"].tolist() == pytest.approx(
        [-9.21, 2.197], abs=1e-3
    )


def test_a_digit_that_is_missing_leaves_a_gap() -> None:
    boxes = [box for i, box in enumerate(row(5, x=40)) if i != 2]
    measured = of(glyphs(boxes), [[0, 1, 2, 3]])
    assert measured["gap"][0] == pytest.approx(36 / 40)
    assert measured["uneven"][0] == pytest.approx(np.log(2))


def test_sizes_are_those_of_the_line() -> None:
    measured = of(glyphs([(40, 100, 20, 40), (70, 100, 20, 40), (100, 100, 40, 80)]), [[0, 1, 2]])
    assert measured["sizes"][0] == pytest.approx(np.log(2))


def test_two_planes_that_agree_are_told() -> None:
    boxes = row(2, x=40)
    page = glyphs([*boxes, *boxes], plane=[0, 0, 1, 1])
    reasons = [None, None, READ_ELSEWHERE, READ_ELSEWHERE]
    assert of(page, [[0, 1]], reasons=reasons)["planes"][0] == 1
    assert of(glyphs([*boxes, boxes[0]], plane=[0, 0, 1]), [[0, 1]], reasons=reasons[:3])["planes"][0] == 0
    page.confidences[3] = np.roll(page.confidences[3], 1)
    assert of(page, [[0, 1]], reasons=reasons)["planes"][0] == 0


def test_a_lone_and_an_only_digit_are_marked() -> None:
    page = glyphs(row(3, x=40))
    measured = of(page, [[0, 1], [2]])
    assert (measured["lone"].tolist(), measured["only"].tolist()) == ([0, 1], [0, 0])
    measured = of(glyphs(row(1, x=40)), [[0]])
    assert (measured["lone"].tolist(), measured["only"].tolist()) == ([1], [1])


@pytest.mark.parametrize(
    ("box", "left_free"),
    [
        ((0, 100, 20, 48), 0.9),
        ((620, 100, 20, 48), 0.9),
        ((50, 0, 20, 120), 0.75),
        ((50, 440, 20, 40), 1 - 40 / 480),
        ((50, 0, 20, 480), 0),
        ((50, 90, 20, 40), 0),
    ],
)
def test_an_edge_digit_counts_by_free_height(box: tuple[float, float, float, float], left_free: float) -> None:
    assert of(glyphs([box]), [[0]])["edge"].tolist() == pytest.approx([left_free])


def test_a_page_without_lines_has_none() -> None:
    measured = of(glyphs([]), [])
    assert all(value.shape == (0,) for value in measured.values())
    assert probabilities(measured, LineWeights(*[1.0] * len(LineWeights._fields))).shape == (0,)


def test_features_are_weighed() -> None:
    weights = LineWeights(*[0.0] * len(LineWeights._fields))
    measured = of(glyphs(row(3, x=40), 1.0), [[0, 1], [2]])
    assert probabilities(measured, weights).tolist() == [0.5, 0.5]
    assert probabilities(measured, weights._replace(bias=1.0)) == pytest.approx(logistic(np.array([1.0, 1.0])))
    assert probabilities(measured, weights._replace(lone=-2.0)) == pytest.approx(logistic(np.array([0.0, -2.0])))
    doubtful = of(glyphs(row(3, x=40), [1.0, 0.8, 0.6]), [[0, 1], [2]])
    assert probabilities(doubtful, weights) == pytest.approx([0.4, 0.3])


BOXES = st.tuples(st.integers(0, 600), st.integers(0, 440), st.integers(1, 40), st.integers(1, 40))


@given(st.lists(BOXES, min_size=1, max_size=12), st.data())
def test_any_glyphs_have_finite_features(boxes: list[tuple[int, int, int, int]], data: st.DataObject) -> None:
    reasons = data.draw(
        st.lists(st.sampled_from([None, NOT_A_DIGIT, READ_ELSEWHERE]), min_size=len(boxes), max_size=len(boxes))
    )
    kept = [i for i, reason in enumerate(reasons) if reason is None]
    lines = [kept[:3], kept[3:]] if len(kept) > 3 else [kept] if kept else []
    digit = data.draw(st.lists(st.floats(0, 1), min_size=len(boxes), max_size=len(boxes)))
    measured = of(glyphs(boxes, digit), lines, reasons=reasons)
    assert all(value.shape == (len(lines),) and np.isfinite(value).all() for value in measured.values())
