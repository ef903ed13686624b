"""Recipes: the six there are, and what is refused."""

import dataclasses
from typing import Any

import pytest

from train.recipes import RECIPES, Augmentation, Mix, Recipe


def test_there_are_six_recipes_each_under_its_name() -> None:
    assert set(RECIPES) == {"standard", "article", "release", "adapted", "smoke", "rehearsal"}
    assert all(recipe.name == name for name, recipe in RECIPES.items())


def test_only_the_article_follows_the_tutorial() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.tutorial] == ["article"]
    assert RECIPES["article"].augmentation is None


def test_what_is_meant_for_use_distorts() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.augmentation] == ["standard", "release", "adapted"]


def test_what_is_shown_other_things_has_an_output_for_them() -> None:
    assert {name: recipe.classes for name, recipe in RECIPES.items()} == {
        "article": 10, "standard": 10, "release": 11, "adapted": 11, "smoke": 10, "rehearsal": 11,
    }  # fmt: skip
    assert dataclasses.replace(RECIPES["smoke"], mix=Mix(camera_others=0, written_others=0)).classes == 10


@pytest.mark.parametrize("nonsense", [{"camera_digits": -1}, {"written_others": -5}, {"pages": 0}, {"mnist": 0}])
def test_impossible_mix_is_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must not be negative|at least one page"):
        Mix(**nonsense)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"epochs": 0},
        {"epochs": -1},
        {"batch_size": 0},
        {"hidden": ()},
        {"hidden": (128, 0)},
        {"refit": -1},
        {"kept": -0.1},
        {"kept": 1.0},
        {"kept": 0.5, "refit": 1},
        {"runs": 0},
        {"runs": 2},
    ],
)
def test_impossible_recipe_is_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError,
        match=r"at least one hidden layer, one epoch and|must not be negative|kept must lie|has one run",
    ):
        dataclasses.replace(RECIPES["smoke"], **nonsense)


@pytest.mark.parametrize(
    ("nonsense", "message"),
    [
        ({"scale": 1.0}, "scale must lie in"),
        ({"scale": -0.1}, "scale must lie in"),
        ({"rotation": -1.0}, "must not be negative"),
        ({"shear": -0.1}, "must not be negative"),
        ({"shift": -1.0}, "must not be negative"),
        ({"elastic_alpha": -1.0}, "must not be negative"),
        ({"elastic_sigma": 0.0}, "elastic_sigma must be positive"),
    ],
)
def test_impossible_distortion_is_refused(nonsense: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augmentation(**nonsense)


def test_smallest_recipe_and_no_distortion_are_possible() -> None:
    none = Augmentation(rotation=0, scale=0, shear=0, shift=0, elastic_alpha=0)
    assert Recipe(name="least", hidden=(1,), epochs=1, batch_size=1, augmentation=none).hidden == (1,)


def test_recipes_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RECIPES["smoke"].epochs = 1  # type: ignore[misc]
