import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.vision.glyphs import Float64, Glyphs
from edge_runtime.vision.page_model import estimate, evidence, priors, standing, without_duplicates
from tests.edge_runtime.vision.made import SIZE, Corners, glyphs, row, shipped

WEIGHTS = shipped()
SURE, DOUBTFUL, NONE = 0.999, 0.7, 0.001


def stands(digit: list[float], parents: list[int]) -> list[int]:
    return standing(glyphs(row(len(digit)), digit), parents)


@pytest.mark.parametrize(
    ("digit", "parents", "expected"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([SURE, NONE, DOUBTFUL], [-1, -1, -1], [0, 1, 2], id="no parts"),
        pytest.param([SURE, SURE], [-1, 0], [0], id="a digit and its body"),
        pytest.param([NONE, SURE, SURE], [-1, 0, 0], [1, 2], id="two digits in a box"),
        pytest.param([NONE, SURE, NONE], [-1, 0, 0], [1, 2], id="a digit and a spot in a box"),
        pytest.param([NONE, NONE, NONE], [-1, 0, 0], [0], id="a letter and its parts"),
        pytest.param([0.55, SURE], [-1, 0], [1], id="a part that is far likelier"),
        pytest.param([DOUBTFUL, 0.8], [-1, 0], [0], id="a part that is hardly likelier"),
        pytest.param([NONE, NONE, SURE], [-1, 0, 1], [2], id="a digit in a box in a box"),
        pytest.param([NONE, SURE, SURE, NONE], [-1, 0, 1, -1], [1, 3], id="a digit in a box has a body"),
    ],
)
def test_a_whole_or_its_parts_stand(digit: list[float], parents: list[int], expected: list[int]) -> None:
    assert stands(digit, parents) == expected


@st.composite
def trees(draw: st.DrawFn) -> list[int]:
    return [draw(st.integers(-1, i - 1)) for i in range(draw(st.integers(0, 12)))]


@given(trees(), st.data())
def test_none_that_stands_is_part_of_another(parents: list[int], data: st.DataObject) -> None:
    digit = data.draw(st.lists(st.floats(0, 1), min_size=len(parents), max_size=len(parents)))
    standing = stands(digit, parents)
    assert standing == sorted(set(standing))
    covered = set(standing)
    for i, parent in enumerate(parents):
        if parent in covered:
            assert i not in standing
            covered.add(i)
    above = [i for i in range(len(parents)) if any(is_part(k, i, parents) for k in standing)]
    assert sorted([*covered, *above]) == [*range(len(parents))]


def is_part(i: int, whole: int, parents: list[int]) -> bool:
    while (i := parents[i]) >= 0:
        if i == whole:
            return True
    return False


def priors_of(page: Glyphs) -> Float64:
    """Return the priors of glyphs by the weights that ship."""
    return priors(page, evidence(page, WEIGHTS))


def prior(*others: float, **columns: object) -> float:
    """Return the prior of a doubtful glyph beside others, in a row with it."""
    return float(priors_of(glyphs(row(1 + len(others)), [DOUBTFUL, *others], **columns))[0])  # type: ignore[arg-type]


def test_priors_rise_among_digits() -> None:
    assert prior() < prior(SURE, SURE) < prior(*[SURE] * 5)


def test_priors_fall_among_others() -> None:
    assert prior() > prior(NONE, NONE) > prior(*[NONE] * 5)


def test_digits_of_another_plane_tell_nothing() -> None:
    assert prior(NONE, NONE, plane=[0, 1, 1]) == pytest.approx(prior(), abs=1e-3)


def test_print_that_is_far_paler_tells_nothing() -> None:
    assert prior(NONE, NONE, darkness=[200, 40, 40]) == pytest.approx(prior(), abs=1e-3)
    assert prior(NONE, NONE, darkness=[200, 190, 190]) < prior() - 0.05


def test_glyphs_of_another_size_tell_nothing() -> None:
    specks = glyphs([*row(1), *row(5, x=60, width=2, height=4)], [DOUBTFUL, *[NONE] * 5])
    assert priors_of(specks)[0] == pytest.approx(prior(), abs=1e-3)


def test_neighbors_tell_more_than_what_is_far() -> None:
    page = glyphs(
        [*row(6), *row(6, y=900), *row(1, x=300), *row(1, x=300, y=900)], [*[SURE] * 6, *[NONE] * 6, 0.7, 0.7]
    )
    near_digits, near_others = priors_of(page)[-2:]
    assert near_digits > near_others + 0.2


def test_neighbors_on_the_line_tell_more() -> None:
    def prior_of(digits: float, letters: float) -> float:
        rows = [*row(1, y=100), *row(5, x=60, y=digits), *row(5, x=60, y=letters)]
        return float(priors_of(glyphs(rows, [DOUBTFUL, *[SURE] * 5, *[NONE] * 5]))[0])

    assert prior_of(100, 240) > prior_of(240, 100) + 0.2


def test_strokes_tell_less_of_their_company() -> None:
    assert prior(*[NONE] * 5, stroke=[False, *[True] * 5]) > prior(*[NONE] * 5)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400), st.floats(0, 1), st.booleans()), max_size=15))
def test_priors_are_probabilities_in_any_order(rows: list[tuple[int, int, float, bool]]) -> None:
    page = glyphs([(x, y, 24, 40) for x, y, _, _ in rows], [row[2] for row in rows], stroke=[row[3] for row in rows])
    values = priors_of(page)
    assert values.shape == (len(rows),)
    assert ((values > 0) & (values < 1)).all()
    turned = page.take([*range(len(rows))][::-1])
    assert priors_of(turned)[::-1] == pytest.approx(values)


def test_an_empty_page_has_no_digits() -> None:
    page = estimate(glyphs([]), 4, WEIGHTS, SIZE)
    assert (page.plane, page.stroke_width) == (None, None)
    assert page.scores.tolist() == [0] * 4
    assert np.isnan(page.darkness).tolist() == [True] * 4


@pytest.mark.parametrize("height", [10, 40, 150])
def test_height_is_that_of_digits(height: float) -> None:
    digits = row(6, width=0.6 * height, height=height)
    dust = row(30, y=500, width=3, height=4)
    page = estimate(glyphs([*digits, *dust], [*[SURE] * 6, *[NONE] * 30]), 2, WEIGHTS, SIZE)
    assert page.height == pytest.approx(height, rel=0.1)
    assert page.plane == 0


def test_the_plane_is_that_of_digits() -> None:
    page = glyphs([*row(5), *row(8)], [*[SURE] * 5, *[NONE] * 8], plane=[*[2] * 5, *[1] * 8])
    model = estimate(page, 4, WEIGHTS, SIZE)
    assert model.plane == 2
    assert model.scores.shape == (4,)
    assert model.scores[[0, 3]].tolist() == [0, 0]
    assert model.scores[2] > 10 * model.scores[1]


def test_darkness_and_pen_are_those_of_digits() -> None:
    page = glyphs(
        [*row(5), *row(8, y=300)], [*[SURE] * 5, *[NONE] * 8],
        darkness=[*[150, 160, 170, 180, 190], *[40] * 8], stroke_width=[*[5, 6, 7, 8, 9], *[30] * 8],
    )  # fmt: skip
    model = estimate(page, 1, WEIGHTS, SIZE)
    assert model.darkness.tolist() == [pytest.approx(170, abs=10)]
    assert model.stroke_width == pytest.approx(7, abs=1)


@pytest.mark.parametrize(("x", "y", "plane"), [(0, 0, 0), (0, 20, 2), (60, 0, 2)], ids=["corner", "left", "top"])
def test_cut_off_corners_tell_little(x: float, y: float, plane: int) -> None:
    digits, sheet = row(2, x=100), (x, y, 500, 440)
    page = glyphs([*digits, sheet], plane=[0, 0, 2])
    assert estimate(page, 3, WEIGHTS, (640, 480)).plane == plane


@pytest.mark.parametrize(
    ("part", "likely", "little"),
    [
        pytest.param((110, 130, 15, 40), SURE, True, id="in a digit as likely"),
        pytest.param((110, 130, 15, 41), SURE, False, id="more than half as high"),
        pytest.param((110, 130, 15, 40), 0.9991, False, id="likelier than what it is in"),
        pytest.param((130, 130, 20, 40), SURE, False, id="half of it outside"),
        pytest.param((129, 130, 20, 40), SURE, True, id="more than half of it inside"),
    ],
)
@pytest.mark.parametrize("polarity", [0, 1])
def test_parts_of_a_digit_tell_little(part: Corners, likely: float, little: bool, polarity: int) -> None:
    beside, within = [
        estimate(glyphs([(x, 100, 40, 80), part], [SURE, likely], plane=[4, polarity]), 6, WEIGHTS, SIZE).scores
        for x in (1000, 100)
    ]
    assert within[4] == beside[4]
    assert (within[polarity] < beside[polarity]) == little


def test_each_plane_has_its_own_darkness() -> None:
    page = glyphs([*row(5), *row(6, y=300)], plane=[*[0] * 5, *[2] * 6], darkness=[*[90] * 5, *[200] * 6])
    model = estimate(page, 3, WEIGHTS, SIZE)
    assert model.darkness.tolist() == [90, pytest.approx(np.nan, nan_ok=True), 200]


@pytest.mark.parametrize("page", [glyphs(row(5), NONE), glyphs(row(5), stroke=True)], ids=["letters", "strokes"])
def test_where_nothing_is_sure_no_pen_is_known(page: Glyphs) -> None:
    model = estimate(page, 1, WEIGHTS, SIZE)
    assert np.isnan(model.darkness).all()
    assert model.stroke_width is None


@given(st.integers(1, 8), st.floats(0.25, 4))
def test_a_larger_page_is_the_same_page(count: int, times: float) -> None:
    page = estimate(glyphs(row(count)), 1, WEIGHTS, SIZE)
    digits = np.multiply(row(count), times).tolist()
    larger = estimate(glyphs(digits, stroke_width=6 * times), 1, WEIGHTS, SIZE)
    assert larger.height == pytest.approx(times * page.height)
    assert larger.stroke_width == pytest.approx(times * 6)
    assert np.array_equal(larger.darkness, page.darkness)


WHOLE, PART, BESIDE = (100.0, 100.0, 30.0, 50.0), (102.0, 120.0, 20.0, 28.0), (160.0, 100.0, 30.0, 50.0)


@pytest.mark.parametrize(
    ("boxes", "digit", "plane", "kept"),
    [
        pytest.param([BESIDE, WHOLE], [SURE, 0.9], [0, 0], [0, 1], id="nothing else is there"),
        pytest.param([BESIDE, WHOLE], [SURE, 0.4], [0, 0], [0], id="no digit"),
        pytest.param([PART, WHOLE], [0.8, 0.9], [0, 0], [1], id="likelier than its part"),
        pytest.param([PART, WHOLE], [0.9, 0.9], [0, 0], [0], id="as likely as its part"),
        pytest.param([PART, WHOLE], [0.95, 0.9], [0, 0], [0], id="its part is likelier"),
        pytest.param([PART, WHOLE], [0.95, 0.9], [2, 0], [0, 1], id="the part is on another plane"),
        pytest.param([WHOLE, WHOLE], [0.6, 0.9], [2, 0], [0], id="a digit covers it on another plane"),
        pytest.param([WHOLE, WHOLE], [0.4, 0.9], [2, 0], [0, 1], id="what covers it is no digit"),
        pytest.param([WHOLE, WHOLE], [0.6, 0.9], [1, 0], [0, 1], id="what covers it has the other polarity"),
    ],
)
def test_a_freed_region_stands_where_nothing_else_does(
    boxes: list[Corners], digit: list[float], plane: list[int], kept: list[int]
) -> None:
    page = glyphs(boxes, digit, plane=plane)
    assert without_duplicates(page, [0, 1], [False, True]) == kept
    assert without_duplicates(page, [4, 7], [False, True]) == [(4, 7)[i] for i in kept]
    assert without_duplicates(page, [0, 1], [False, False]) == [0, 1]


def test_of_two_freed_ones_the_likelier_stands() -> None:
    assert without_duplicates(glyphs([WHOLE, WHOLE], [0.8, 0.9]), [0, 1], [True, True]) == [1]
    assert without_duplicates(glyphs([]), [], []) == []
