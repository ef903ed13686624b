import numpy as np
import pytest

from edge_runtime.pages.draw import draw_page
from edge_runtime.pages.style import DESKS, PageStyle
from edge_runtime.records import Uint8
from train.conditions import CONDITIONS, SEVERITIES, style
from train.conditions import digits as digits_on


def test_severity_3_is_what_was_agreed() -> None:
    assert style("blur", 3) == PageStyle(blur=(2, 2))
    assert style("noise", 3) == PageStyle(noise=(20, 20))
    assert style("small", 3) == PageStyle(digit_height=(16, 16))
    assert style("shadow", 3) == PageStyle(shadow=(0.5, 0.5))
    assert style("gradient", 3) == PageStyle(gradient=(0.4, 0.4))
    assert style("jpeg", 3) == PageStyle(jpeg=(30, 30))
    assert style("tilt", 3) == PageStyle(tilt=(9, 9))
    assert style("perspective", 3) == PageStyle(perspective=(15, 15))
    assert style("contrast", 3) == PageStyle(contrast=(0.35, 0.35))
    assert style("thin pen", 3) == PageStyle(pen=(0.5, 0.5))
    assert style("thick pen", 3) == PageStyle(pen=(2, 2))
    assert style("large", 3) == PageStyle(digit_height=(240, 240), gap=(0.1, 0.2))
    assert style("small picture", 3) == PageStyle(size=(280, 210), digit_height=(23, 23))
    assert style("desk", 3).sheet == (0.7, 0.7)
    assert style("desk", 3).desk == DESKS
    assert (style("table", 3).layout, style("table", 3).grid) == ("table", "hand")
    assert style("sudoku", 3).layout == "sudoku"
    assert style("sum", 3).word_length == (2, 4)


def test_a_page_holds_ten_digits_unless_large() -> None:
    assert {digits_on(name, severity) for name in CONDITIONS if name != "large" for severity in SEVERITIES} == {10}
    assert [digits_on("large", severity) for severity in SEVERITIES] == [3, 1, 1, 1, 1]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_has_five_distinct_severities(condition: str, digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    assert len({style(condition, severity) for severity in SEVERITIES}) == 5
    for severity in SEVERITIES:
        count = digits_on(condition, severity)
        some = (images[::20][:count], labels[::20][:count])
        page = draw_page(*some, np.random.default_rng(severity), style(condition, severity))
        assert [digit.label for digit in page.digits] == [str(label) for label in some[1]]


def test_a_condition_leaves_room_for_other_values() -> None:
    assert style("tilt", 1, size=(320, 240)) == PageStyle(size=(320, 240), tilt=(3, 3))


@pytest.mark.parametrize(("condition", "severity"), [("fog", 1), ("blur", 0), ("blur", 6)])
def test_other_conditions_and_severities_are_refused(condition: str, severity: int) -> None:
    with pytest.raises(ValueError, match=r"must be one of blur, noise|must be a number from 1 to 5"):
        style(condition, severity)
