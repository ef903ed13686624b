"""Recipes: the nine there are, and what is refused."""

import dataclasses
from typing import Any

import pytest

from train import model
from train.recipes import RECIPES, Augmentation, Convolution, Mix, Recipe


def test_there_are_nine_recipes_each_under_its_name() -> None:
    assert set(RECIPES) == {
        "standard", "article", "release", "adapted", "cnn", "micro-cnn", "micro", "smoke", "rehearsal"
    }  # fmt: skip
    assert all(recipe.name == name for name, recipe in RECIPES.items())


def test_only_the_article_follows_the_tutorial() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.tutorial] == ["article"]
    assert RECIPES["article"].augmentation is None


def test_what_is_meant_for_use_distorts() -> None:
    assert [name for name, recipe in RECIPES.items() if recipe.augmentation] == [
        "standard", "release", "adapted", "cnn", "micro-cnn", "micro"
    ]  # fmt: skip


def test_recipes_with_non_digits_have_their_output() -> None:
    assert {name: recipe.classes for name, recipe in RECIPES.items()} == {
        "article": 10, "standard": 10, "release": 11, "adapted": 11, "cnn": 11, "micro-cnn": 11, "micro": 11,
        "smoke": 10, "rehearsal": 11,
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
        {"convolutions": (Convolution(filters=1),), "kept": 0.5},
        {"convolutions": (Convolution(filters=1),), "tutorial": True},
    ],
)
def test_impossible_recipe_is_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError,
        match=r"at least one hidden|must not be negative|kept must lie|has one run|convolutions do not",
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


@pytest.mark.parametrize("nonsense", [{"filters": 0}, {"size": 0}, {"stride": 0}, {"pool": 0}])
def test_impossible_convolution_is_refused(nonsense: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        Convolution(**{"filters": 1, **nonsense})


def test_layers_are_said_in_words() -> None:
    assert RECIPES["release"].layers == "784 - 512 - 448 - 448 - 11"
    convolutions = (Convolution(filters=8, size=5, stride=2), Convolution(filters=16, pool=2))
    made = Recipe(name="both", convolutions=convolutions, hidden=(32,), epochs=1, batch_size=1)
    assert made.layers == "28x28 - 8 filters 5x5 every 2 pixels - 16 filters 3x3 pooled by 2 - 32 - 10"


def test_convolutional_recipes_keep_their_budget_of_weights() -> None:
    for name, most in (("cnn", 100_000), ("micro-cnn", 10_000)):
        assert 0.8 * most < sum(weight.size for weight in model.build(RECIPES[name]).get_weights()) <= most


def test_micro_fits_64_kib_in_int8() -> None:
    weights = model.build(RECIPES["micro"]).get_weights()
    assert RECIPES["micro"].layers == "784 - 74 - 64 - 11"
    assert 0.8 * 65_536 < sum(weight.size for weight in weights) <= 65_536


def test_recipes_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RECIPES["smoke"].epochs = 1  # type: ignore[misc]
