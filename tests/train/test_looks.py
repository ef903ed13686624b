from itertools import chain
from typing import get_args

import numpy as np
import pytest

from edge_runtime.page_style import DISTRACTORS
from train import looks


def test_every_feature_is_on_now_and_then() -> None:
    styles = [looks.style(np.random.default_rng(seed)) for seed in range(600)]
    assert {style.layout for style in styles} == set(looks.LAYOUTS)
    assert {style.grid for style in styles} == {"hand", "print"}
    assert {name for style in styles for name, _ in style.distractors} == set(DISTRACTORS)
    assert 0.3 < np.mean([bool(style.desk) for style in styles]) < 0.45
    heights = [style.digit_height[0] * (style.sheet[0] if style.desk else 1) / min(style.size) for style in styles]
    assert min(heights) < 0.04
    assert max(heights) > 0.6
    for name in ("tilt", "perspective", "curl", "glare", "noise"):
        assert len({getattr(style, name) for style in styles}) > 20
    for flag in ("drift", "flap", "light_on_dark"):
        assert {getattr(style, flag) for style in styles} == {False, True}
    assert set(chain.from_iterable(style.binding for style in styles)) == {"spiral", "book"}


@pytest.mark.parametrize("scene", get_args(looks.Scene))
def test_a_kind_of_scene_is_left_out_and_all_else_stays(scene: looks.Scene) -> None:
    full, styles = ([looks.style(np.random.default_rng(seed), less) for seed in range(200)] for less in (None, scene))
    shown = {
        "desk": [bool(style.desk) for style in styles],
        "table": [style.layout in ("table", "sudoku") for style in styles],
        "sum": [style.layout in ("sum", "column") for style in styles],
        "large": [style.digit_height[0] > min(style.size) / 5 and not style.desk for style in styles],
    }
    assert [kind for kind, flags in shown.items() if not any(flags)] == [scene]
    assert any(one == other for one, other in zip(full, styles, strict=True))


def test_the_shares_of_layouts_add_up() -> None:
    assert sum(looks.LAYOUTS.values()) == 1
