from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from edge_runtime.pages.style import LIMITS, PageStyle


@pytest.mark.parametrize("style", [{"size": (0, 480)}, {"digit_height": (0, 10)}, {"inks": ()}])
def test_a_page_needs_size_height_and_ink(style: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a page needs"):
        PageStyle(**style)


@pytest.mark.parametrize("name", LIMITS)
def test_a_range_runs_from_least_to_most(name: str) -> None:
    least, most, unit = LIMITS[name]
    PageStyle(**{name: (least, most)})  # type: ignore[arg-type]
    for span in ((most, least), (least - 1, most), (least, most + 1), (float("nan"), most)):
        with pytest.raises(ValueError, match=rf"^{name} must be \(minimum, maximum\) within .*{unit}, not"):
            PageStyle(**{name: span})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["shade", "touching", "boxes", "board", "cast"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_share_lies_within_0_and_1(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be within 0-1, not"):
        PageStyle(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ({"digit_height": (40, 20)}, r"digit_height must be \(minimum, maximum\)"),
        ({"grain": -1}, "the grain must not be negative"),
        ({"gaps": -1}, "gaps must be 0 to 20"),
        ({"gaps": 21}, "gaps must be 0 to 20"),
        ({"word_length": (0, 2)}, r"word_length must be \(minimum, maximum\) of at least 1"),
        ({"word_length": (3, 2)}, r"word_length must be \(minimum, maximum\) of at least 1"),
        ({"ruling": "dotted"}, "ruling must be none, lines or squares, not dotted"),
        ({"inks": ((0, 0, 256),)}, "colors must be blue-green-red from 0 to 255"),
        ({"ruling_ink": (-1, 0, 0)}, "colors must be blue-green-red from 0 to 255"),
        ({"distractors": (("mice", 1),)}, "one of letters, words, .*, cable; not 'mice'"),
        ({"distractors": (("dots", -1),)}, "pairs of a count and one of"),
    ],
)
def test_other_nonsense_is_refused(style: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PageStyle(**style)


def test_a_style_is_immutable_and_comparable() -> None:
    style = PageStyle(distractors=(("dots", 2),))
    with pytest.raises(FrozenInstanceError):
        style.gaps = 3  # type: ignore[misc]
    assert len({style, PageStyle(distractors=(("dots", 2),)), PageStyle()}) == 2
