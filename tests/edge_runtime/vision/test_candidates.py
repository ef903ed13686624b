import numpy as np
import pytest

from edge_runtime.records import Box, Uint8
from edge_runtime.vision.candidates import Candidate, propose, together
from edge_runtime.vision.page_model import PageModel
from edge_runtime.vision.planes import Plane
from edge_runtime.vision.regions import Region, find_regions
from edge_runtime.vision.splits import Piece
from tests.edge_runtime.vision.made import Corners, glyphs


def drawn(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (200, 300)) -> Uint8:
    ink = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        ink[y : y + height, x : x + width] = 255
    return ink


def model(*scores: float) -> PageModel:
    best = int(np.argmax(scores)) if any(scores) else None
    unknown = np.full(len(scores), np.nan)
    return PageModel(
        scores=np.array(scores), plane=best, height=40.0, darkness=unknown, stroke_width=None, attached=0.0
    )


def proposed(
    *inks: Uint8, digit: float = 0.999, scores: tuple[float, ...] = (), budget: float = 1.0
) -> tuple[list[Region], list[Candidate]]:
    """Return the regions of planes and what is proposed where all of them stand."""
    regions = find_regions([Plane(ink, 1.0, 0, False) for ink in inks])
    boxes: list[Corners] = [region.box for region in regions]
    page = glyphs(boxes, digit, plane=[region.plane for region in regions])
    return regions, propose(regions, range(len(regions)), page, model(*(scores or (1.0,) * len(inks))), budget)


def pair(x: int = 20, y: int = 20, width: int = 26) -> list[tuple[int, int, int, int]]:
    """Return two bars with a bridge between them, 40 pixels high."""
    return [(x, y, width, 40), (x + width + 6, y, width, 40), (x, y + 18, 2 * width + 6, 3)]


def test_every_region_is_a_candidate_by_itself() -> None:
    regions, candidates = proposed(drawn((20, 30, 6, 40), (120, 35, 20, 30)))
    assert [candidate.region for candidate in candidates] == [0, 1]
    for region, candidate in zip(regions, candidates, strict=True):
        assert (candidate.box, candidate.plane, len(candidate.parts)) == (region.box, 0, 1)
        assert candidate.ink is region.ink


def test_only_what_stands_is_a_candidate() -> None:
    regions, _ = proposed(drawn((20, 30, 6, 40), (120, 35, 20, 30)))
    page = glyphs([regions[1].box])
    (candidate,) = propose(regions, [1], page, model(1.0), 1.0)
    assert candidate.region == 1


@pytest.mark.parametrize(("scores", "read"), [((0.0, 0.0), []), ((0.0, 5.0), [1]), ((4.0, 5.0), [0, 1])])
def test_planes_about_as_good_are_read(scores: tuple[float, float], read: list[int]) -> None:
    _, candidates = proposed(drawn((20, 30, 6, 40)), drawn((120, 35, 20, 30)), scores=scores)
    assert [candidate.plane for candidate in candidates] == read
    assert len(frozenset[int]().union(*(candidate.parts for candidate in candidates))) == len(read)


def test_a_line_is_no_candidate() -> None:
    regions, candidates = proposed(drawn((20, 30, 6, 40), (10, 100, 250, 3)))
    assert len(regions) == 2
    assert [candidate.box for candidate in candidates] == [(20, 30, 6, 40)]


def test_a_wide_region_is_offered_in_pieces() -> None:
    regions, candidates = proposed(drawn(*pair()))
    whole, *pieces = candidates
    assert whole.region == 0
    assert whole.ink is regions[0].ink
    assert all(piece.region is None and piece.parts < whole.parts for piece in pieces)
    alone = [piece for piece in pieces if len(piece.parts) == 1]
    assert frozenset[int]().union(*(piece.parts for piece in alone)) == whole.parts
    assert np.abs(np.subtract([alone[0].box, alone[-1].box], [(20, 20, 26, 40), (52, 20, 26, 40)])).max() <= 6


def test_a_narrow_region_is_split_in_doubt() -> None:
    ink = drawn(*pair(width=14))
    assert len(proposed(ink)[1]) == 1
    assert len(proposed(ink, digit=0.1)[1]) > 1
    assert len(proposed(drawn((50, 50, 8, 40)), digit=0.1)[1]) == 1


def test_runs_of_pieces_are_neighbors() -> None:
    four = [bar for i in range(2) for bar in pair(20 + 64 * i)]
    _, (whole, *pieces) = proposed(drawn(*four, (20, 38, 120, 3)))
    assert len(whole.parts) >= 4
    for piece in pieces:
        numbers = sorted(piece.parts)
        assert numbers == [*range(numbers[0], numbers[-1] + 1)]
        assert whole.box.union(piece.box) == whole.box


def test_fragments_are_offered_together() -> None:
    flag, body = (52, 40, 26, 5), (50, 48, 24, 40)  # a 5 whose top stroke floats above
    _, candidates = proposed(drawn(flag, body, (150, 40, 20, 40)))
    (joined,) = [candidate for candidate in candidates if candidate.region is None]
    assert joined.box == (50, 40, 28, 48)
    assert joined.ink.sum() == 255 * (26 * 5 + 24 * 40)
    own = {candidate.box: candidate.parts for candidate in candidates}
    assert joined.parts == own[Box(*flag)] | own[Box(*body)]


def test_fragments_of_two_planes_stay_apart() -> None:
    _, candidates = proposed(drawn((52, 40, 26, 5)), drawn((50, 48, 24, 40)))
    assert all(candidate.region is not None for candidate in candidates)


def test_candidates_beside_regions_are_bounded() -> None:
    columns = [(10 + 30 * i, 10 + 12 * k, 20, 11) for i in range(20) for k in range(38)]
    ink = drawn(*columns, size=(480, 640))
    extra = []
    for budget in (0.0, 1.0, 2.0):
        regions, candidates = proposed(ink, budget=budget)
        extra.append(sum(candidate.region is None for candidate in candidates))
        assert len(candidates) - extra[-1] == sum(region.ink is not None for region in regions)
    assert extra[0] == 0 < extra[1] < len(columns)
    assert extra[2] == 2 * extra[1]


def test_the_number_of_splits_is_bounded() -> None:
    def split(count: int, budget: float = 1.0) -> int:
        bars = [bar for i in range(count) for bar in pair(10 + 120 * (i % 5), 10 + 60 * (i // 5))]
        _, candidates = proposed(drawn(*bars, size=(480, 640)), budget=budget)
        return sum(len(candidate.parts) > 1 for candidate in candidates)

    assert split(3) == 3
    assert split(30) < 30
    assert split(30, budget=2.0) == 2 * split(30)


def test_several_pieces_become_one() -> None:
    one, other = find_regions([Plane(drawn((20, 20, 10, 20), (40, 25, 8, 30)), 1.0, 0, False)])
    both = together([Piece(region.box, region.place, region.ink) for region in (one, other) if region.ink is not None])
    assert both.box == (20, 20, 28, 35)
    assert both.place == (19, 19, 30, 37)
    assert both.ink.sum() == 255 * (10 * 20 + 8 * 30)
