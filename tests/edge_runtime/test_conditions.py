import numpy as np
import pytest

from edge_runtime.conditions import CONDITIONS, SEVERITIES, style
from edge_runtime.page_style import PageStyle
from edge_runtime.pages import draw_page
from edge_runtime.records import Uint8


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


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_has_five_severities_that_differ_and_fit(condition: str, digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    assert len({style(condition, severity) for severity in SEVERITIES}) == 5
    for severity in SEVERITIES:
        page = draw_page(images[::20], labels[::20], np.random.default_rng(severity), style(condition, severity))
        assert [digit.label for digit in page.digits] == [str(label) for label in labels[::20]]


def test_a_condition_leaves_room_for_other_values() -> None:
    assert style("tilt", 1, size=(320, 240)) == PageStyle(size=(320, 240), tilt=(3, 3))


@pytest.mark.parametrize(("condition", "severity"), [("fog", 1), ("blur", 0), ("blur", 6)])
def test_other_conditions_and_severities_are_refused(condition: str, severity: int) -> None:
    with pytest.raises(ValueError, match=r"a condition is one of blur, noise|a severity is a number from 1 to 5"):
        style(condition, severity)
