"""How to train: one frozen dataclass a recipe. docs/recipes.md says where the numbers come from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random distortions of a 28x28 digit; every value is the largest, drawn uniformly from -value to value."""

    rotation: float = 10.0  # degrees
    scale: float = 0.15  # of each axis alone
    shear: float = 0.2
    shift: float = 1.5  # pixels
    # Elastic distortion, Simard et al. 2003: uniform noise, blurred by sigma pixels, times alpha.
    elastic_alpha: float = 36.0
    elastic_sigma: float = 5.0

    def __post_init__(self) -> None:
        if not 0 <= self.scale < 1:
            raise ValueError(f"scale must lie in [0, 1), not {self.scale}")
        if min(self.rotation, self.shear, self.shift, self.elastic_alpha) < 0 or self.elastic_sigma <= 0:
            raise ValueError("distortions must not be negative, and elastic_sigma must be positive")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A multilayer perceptron and how to train it."""

    name: str
    hidden: tuple[int, ...]
    epochs: int
    batch_size: int
    learning_rate: float = 2e-3  # the peak of a warm-up and cosine schedule
    warm_up: float = 0.1  # of all steps
    weight_decay: float = 0.05  # AdamW's, on the kernels alone
    augmentation: Augmentation | None = None
    tutorial: bool = False  # the tutorial's own workflow instead: see loop.fit_article

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or not self.hidden or min(self.hidden) < 1:
            raise ValueError("a recipe needs at least one hidden layer, one epoch and a batch size of one")


RECIPES = {
    recipe.name: recipe
    for recipe in (
        # The tutorial that this project grew out of: 94.14 % there.
        Recipe(name="article", hidden=(256, 128), epochs=20, batch_size=32, learning_rate=1e-3, tutorial=True),
        # What `make tflite` uses: the best that six minutes on two cores can do.
        Recipe(name="standard", hidden=(512, 512), epochs=90, batch_size=500, augmentation=Augmentation()),
        # Seconds, for tests: the same path, a worse network.
        Recipe(name="smoke", hidden=(128,), epochs=4, batch_size=250, learning_rate=2e-2, weight_decay=0.3),
    )
}
