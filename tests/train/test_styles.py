from itertools import chain
from typing import get_args

import numpy as np
import pytest

from edge_runtime.pages.style import DISTRACTORS
from train import styles


def test_every_feature_is_on_now_and_then() -> None:
    drawn = [styles.style(np.random.default_rng(seed)) for seed in range(600)]
    assert {style.layout for style in drawn} == set(styles.LAYOUTS)
    assert {style.grid for style in drawn} == {"hand", "print"}
    assert {name for style in drawn for name, _ in style.distractors} == set(DISTRACTORS)
    assert 0.3 < np.mean([bool(style.desk) for style in drawn]) < 0.45
    heights = [style.digit_height[0] * (style.sheet[0] if style.desk else 1) / min(style.size) for style in drawn]
    assert min(heights) < 0.04
    assert max(heights) > 0.6
    for name in ("tilt", "perspective", "curl", "glare", "noise"):
        assert len({getattr(style, name) for style in drawn}) > 20
    for flag in ("drift", "flap", "light_on_dark"):
        assert {getattr(style, flag) for style in drawn} == {False, True}
    assert set(chain.from_iterable(style.binding for style in drawn)) == {"spiral", "book"}


@pytest.mark.parametrize("scene", get_args(styles.Scene))
def test_a_scene_is_left_out_all_else_stays(scene: styles.Scene) -> None:
    full, drawn = ([styles.style(np.random.default_rng(seed), less) for seed in range(200)] for less in (None, scene))
    shown = {
        "desk": [bool(style.desk) for style in drawn],
        "table": [style.layout in ("table", "sudoku") for style in drawn],
        "sum": [style.layout in ("sum", "column") for style in drawn],
        "large": [style.digit_height[0] > min(style.size) / 5 and not style.desk for style in drawn],
    }
    assert [kind for kind, flags in shown.items() if not any(flags)] == [scene]
    assert any(one == other for one, other in zip(full, drawn, strict=True))


def test_the_shares_of_layouts_add_up() -> None:
    assert sum(styles.LAYOUTS.values()) == 1
