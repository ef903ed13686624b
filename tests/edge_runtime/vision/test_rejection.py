from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_runtime.vision import rejection
from edge_runtime.vision.boxes import overlap
from edge_runtime.vision.glyphs import Glyphs
from edge_runtime.vision.page_model import estimate
from tests.edge_runtime.vision.made import SIZE, Corners, glyphs, row, shipped

WEIGHTS = shipped()
SURE, NONE = 0.999, 0.001
COUNT = 8  # sure digits that stand around what is judged
LEAST = 0.5


def verdict(page: Glyphs, *, least: float = LEAST, regions: int = 20) -> rejection.Verdict:
    return rejection.judge(page, estimate(page, 4, WEIGHTS, SIZE), WEIGHTS, least, regions)


def judged(page: Glyphs, *, least: float = LEAST, regions: int = 20) -> list[str | None]:
    return verdict(page, least=least, regions=regions).reasons


def one_more(box: Corners, **overrides: Any) -> Glyphs:
    """Return a row of digits and one glyph more, last; `overrides` is what it is like, where that is not like them."""
    usual = {
        "digit": SURE,
        "darkness": 200.0,
        "stroke_width": 6.0,
        "stroke": False,
        "piece": False,
        "plane": 0,
        "attached": False,
    }
    columns: dict[str, Any] = {name: [*[value] * COUNT, overrides.get(name, value)] for name, value in usual.items()}
    return glyphs([*row(COUNT), box], **columns)


def beside(width: float = 24, height: float = 40) -> Corners:
    return 30.0 * COUNT, 100, width, height


def doubtful(digit: float) -> Glyphs:
    """Return two digits of which it is only sure that they are digits."""
    page = glyphs(row(2))
    page.confidences[:] = digit / 10
    return page


def test_an_empty_page_has_no_reasons() -> None:
    reasons, _odds, confidences, finest = verdict(glyphs([]))
    assert (reasons, confidences.shape, finest) == ([], (0, 10), [])


@pytest.mark.parametrize("count", [1, COUNT])
def test_sure_digits_have_no_reason(count: int) -> None:
    assert judged(glyphs(row(count))) == [None] * count


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (one_more(beside(4, 6)), rejection.TOO_SMALL),
        (one_more(beside(150, 260)), rejection.TOO_LARGE),
        (one_more(beside(4, 40), stroke=True, stroke_width=1.2), rejection.LINE),
        (one_more(beside(8, 40), digit=0.9, stroke=True, attached=True), rejection.LINE),
        (one_more(beside(), darkness=6), rejection.LOW_CONTRAST),
        (one_more(beside(), digit=NONE), rejection.NOT_A_DIGIT),
        (glyphs([*row(COUNT), beside()], [*[NONE] * COUNT, 0.9]), rejection.PART_OF_WORD),
        (doubtful(SURE), rejection.LOW_CONFIDENCE),
    ],
)
def test_every_reason_comes_out(page: Glyphs, reason: str) -> None:
    assert judged(page)[-1] == reason


def test_what_chance_may_have_made_is_clutter() -> None:
    page = glyphs(row(1), 0.98)
    assert judged(page, regions=1) == [None]
    assert judged(page, regions=10**9) == [rejection.CLUTTER]
    assert judged(glyphs(row(12)), regions=300) == [None] * 12


@pytest.mark.parametrize("digit", [NONE, 0.5, SURE])
def test_any_confidence_may_be_enough(digit: float) -> None:
    odd = [one_more(beside(4, 6), digit=digit), one_more(beside(), darkness=6), glyphs(row(5), digit)]
    for page in odd:
        assert judged(page, least=0, regions=10**9) == [None] * len(page)


def test_the_limit_itself_is_enough() -> None:
    page = one_more(beside(), digit=0.9)
    assert judged(page, least=0.9)[-1] is None
    assert judged(page, least=0.9 + 1e-9)[-1] == rejection.LOW_CONFIDENCE
    assert judged(glyphs(row(3), 1.0), least=1) == [None] * 3


def test_the_same_doubt_counts_more_among_letters() -> None:
    among_digits = glyphs([*row(COUNT), beside()], [*[SURE] * COUNT, 0.9])
    among_letters = glyphs([*row(COUNT), beside()], [*[0.02] * COUNT, 0.9])
    assert judged(among_digits)[-1] is None
    assert judged(among_letters)[-1] is not None


def test_strokes_alone_are_hardly_digits() -> None:
    assert judged(glyphs(row(4, width=6), 0.9, stroke=True)) != [None] * 4
    among = glyphs([*row(COUNT), beside(6)], stroke=[*[False] * COUNT, True])
    assert judged(among)[-1] is None


def test_a_piece_is_less_likely_a_digit() -> None:
    parts = [rejection.contributions(page, estimate(page, 1, WEIGHTS, SIZE), WEIGHTS) for page in (
        one_more(beside()), one_more(beside(), piece=True)
    )]  # fmt: skip
    whole, piece = (sum(values[-1] for values in part.values()) for part in parts)
    assert piece < whole


def test_contributions_are_named_by_reasons() -> None:
    page = one_more(beside())
    parts = rejection.contributions(page, estimate(page, 1, WEIGHTS, SIZE), WEIGHTS)
    assert set(parts) < set(rejection.REASONS)
    assert all(values.shape == (len(page),) for values in parts.values())
    assert len(set(rejection.REASONS)) == len(rejection.REASONS)
    assert rejection.READ_ELSEWHERE not in rejection.REASONS


def both_planes(digit: float, other: float, *, shift: float = 1, label: int = 3, plane: int = 2) -> Glyphs:
    """Return the same digits on plane 0 and another; `label` is what they look like there."""
    moved = [(x + shift, y, width, height) for x, y, width, height in row(3)]
    page = glyphs([*row(3), *moved], [*[digit] * 3, *[other] * 3], plane=[*[0] * 3, *[plane] * 3])
    page.confidences[3:] = glyphs(moved, other, label=label).confidences
    return page


@pytest.mark.parametrize("plane", [1, 2])
@pytest.mark.parametrize("least", [0.0, LEAST])
def test_ink_of_two_planes_is_read_once(least: float, plane: int) -> None:
    once = [*[None] * 3, *[rejection.READ_ELSEWHERE] * 3]
    assert judged(both_planes(SURE, 0.95, plane=plane), least=least) == once
    assert judged(both_planes(0.95, SURE, plane=plane), least=least) == once[::-1]


def test_ink_of_two_planes_is_rejected_once() -> None:
    none = both_planes(NONE, NONE / 2)
    assert judged(none) == [*[rejection.NOT_A_DIGIT] * 3, *[rejection.READ_ELSEWHERE] * 3]


def test_other_ink_on_another_plane_is_read() -> None:
    page = both_planes(SURE, SURE, shift=200)
    assert judged(page) == [None] * 6


@pytest.mark.parametrize("digit", [(0.9, 0.6), (0.6, 0.9)])
def test_planes_that_agree_are_averaged(digit: tuple[float, float]) -> None:
    _, _, confidences, finest = verdict(both_planes(*digit))
    assert np.array_equal(confidences[:3], confidences[3:])
    assert min(digit) < confidences[0, 3] < max(digit)
    assert confidences[0].argmax() == 3
    assert confidences.sum(axis=1) == pytest.approx(np.mean(digit))
    assert finest == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(glyphs(row(3), 0.8), id="one plane"),
        pytest.param(both_planes(0.8, 0.9, shift=200), id="other ink"),
        pytest.param(both_planes(0.8, 0.9, shift=12), id="half of the ink"),
        pytest.param(both_planes(0.8, 0.1), id="a plane where it is none"),
        pytest.param(both_planes(0.8, 0.9, plane=1), id="ink of the other polarity"),
    ],
)
def test_what_no_other_plane_shows_stays(page: Glyphs) -> None:
    _, _, confidences, finest = verdict(page)
    assert np.array_equal(confidences[:3], page.confidences[:3])
    assert finest[:3] == [0, 1, 2]


def test_planes_that_disagree_leave_their_own() -> None:
    page = both_planes(0.9, 0.8, label=5)
    _, _, confidences, _ = verdict(page)
    assert np.array_equal(confidences, page.confidences)


def test_attached_digits_among_attached_ones_have_no_reason() -> None:
    page = glyphs(row(COUNT), [*[SURE] * (COUNT - 1), 0.9], attached=True)
    assert judged(page) == [None] * COUNT


def test_only_a_lone_stroke_is_a_one() -> None:
    lone = glyphs([beside(10)], 0.98, stroke=True)
    assert judged(lone, regions=8) == [None]
    two = glyphs([beside(10), (900, 500, 10, 40)], 0.98, stroke=True)
    assert judged(two, regions=8) == [rejection.NOT_A_DIGIT] * 2


GLYPHS = st.lists(
    st.tuples(
        *[st.integers(0, 300)] * 2, *[st.integers(1, 60)] * 2, st.floats(0, 1), st.integers(0, 1),
        st.integers(20, 255), st.integers(0, 30), st.booleans(), st.booleans(), st.booleans(),
    ),
    max_size=12,
)  # fmt: skip


@example([(0, 0, 1, 1, 1.0, 0, 20, 0, False, False, False)], 0.0, 1)  # a pen of no width divides by nothing
@given(GLYPHS, st.floats(0, 1), st.integers(1, 1000))
def test_any_glyphs_have_known_reasons(rows: list[tuple[Any, ...]], least: float, regions: int) -> None:
    boxes = [row[:4] for row in rows]
    names = "digit", "plane", "darkness", "stroke_width", "stroke", "piece", "attached"
    columns: dict[str, Any] = {name: [row[k] for row in rows] for k, name in enumerate(names, 4)}
    page = glyphs(boxes, **columns)
    reasons, odds, confidences, finest = verdict(page, least=least, regions=max(regions, len(rows)))
    assert len(reasons) == len(finest) == len(odds) == len(rows)
    assert set(reasons) <= {None, rejection.READ_ELSEWHERE, *rejection.REASONS}
    kept = [i for i, reason in enumerate(reasons) if reason is None]
    assert confidences.shape == (len(rows), 10)
    assert confidences.min(initial=0) >= 0
    assert confidences.sum(axis=1).max(initial=0) <= 1 + 1e-9
    assert all(confidences[i].max() >= least for i in kept)
    assert all(page.plane[k] <= page.plane[i] for i, k in enumerate(finest))
    shared = overlap(page.boxes[kept], page.boxes[kept], np.minimum)
    assert not (shared > 0.9)[page.plane[kept] != page.plane[kept][:, None]].any()
