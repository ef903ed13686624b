"""Training recipes: one frozen dataclass per recipe. docs/recipes.md gives the source of the numbers."""

import dataclasses
from dataclasses import dataclass

from train.styles import Scene


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random distortions of a 28x28 digit; every value is a maximum, for draws uniform from -value to value."""

    rotation: float = 10.0  # degrees
    scale: float = 0.15  # of each axis separately
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
class Mix:
    """How often an epoch uses each of MNIST's digits, and how many other pictures it samples: see crops.py."""

    mnist: int = 2
    camera_digits: int = 20_000  # whole digits, as the runtime cuts them out of drawn pages
    camera_others: int = 20_000  # other cut-outs: halves, pairs, letters, scribbles, stains
    written_digits: int = 15_000  # digits of handwriting typefaces
    written_others: int = 9_500  # their letters, brackets and parentheses
    crowded_digits: int = 8_000  # digits with the ends of their neighbors' strokes beside them
    pages: int = 8000  # that the cut-outs come from
    without: Scene | None = None  # a kind of scene to leave out of these pages

    def __post_init__(self) -> None:
        counts = [value for value in dataclasses.astuple(self) if isinstance(value, int)]
        if min(counts) < 0:
            raise ValueError("numbers of pictures must not be negative")
        if min(self.mnist, self.pages) < 1:
            raise ValueError("at least one page is required, and each of MNIST's digits once")

    @property
    def others(self) -> bool:
        """Whether the mix contains non-digits."""
        return self.camera_others + self.written_others > 0


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution with zero padding, followed by a ReLU, and by a maximum over windows of `pool` pixels a side."""

    filters: int
    size: int = 3  # pixels: a side of the square kernel
    stride: int = 1  # pixels
    pool: int = 1  # pixels; 1: no maximum

    def __post_init__(self) -> None:
        if min(dataclasses.astuple(self)) < 1:
            raise ValueError("filters, size, stride and pool must be at least 1")

    def __str__(self) -> str:
        step = f" every {self.stride} pixels" if self.stride > 1 else ""
        pool = f" pooled by {self.pool}" if self.pool > 1 else ""
        return f"{self.filters} filters {self.size}x{self.size}{step}{pool}"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how to train it: a multilayer perceptron, or one with convolutions before its dense layers."""

    name: str
    epochs: int
    batch_size: int
    convolutions: tuple[Convolution, ...] = ()
    hidden: tuple[int, ...] = ()  # units of the dense layers before the last
    learning_rate: float = 2e-3  # the peak of a warm-up and cosine schedule
    warm_up: float = 0.1  # of all steps
    weight_decay: float = 0.05  # AdamW's, on the kernels alone
    augmentation: Augmentation | None = None
    mix: Mix | None = None
    refit: int = 0  # epochs at the end that train on the held-out digits too
    refit_rate: float = 1e-3  # peak learning rate of the refit
    kept: float = 0.0  # above 0: fine-tune a model file, with this share of the averaged weights: finetune.py
    runs: int = 1  # fine-tuning runs, each with its own seed; they share the rest of the average
    tutorial: bool = False  # use the tutorial's own workflow: see loop.fit_article

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size, *self.hidden) < 1 or not (self.hidden or self.convolutions):
            raise ValueError("a recipe needs at least one hidden layer, one epoch and a batch size of one")
        if self.refit < 0:
            raise ValueError("epochs to refit must not be negative")
        if not 0 <= self.kept < 1 or (self.kept and self.refit):
            raise ValueError("kept must lie in [0, 1), and does not go with epochs to refit")
        if self.convolutions and (self.kept or self.tutorial):
            raise ValueError("convolutions do not go with fine-tuning or the tutorial's own workflow")
        if self.runs < 1 or (self.runs > 1 and not self.kept):
            raise ValueError("a recipe has one run, or several where kept is above 0")

    @property
    def classes(self) -> int:
        """The number of outputs: the ten digits, and one for non-digits if the mix contains any."""
        return 11 if self.mix is not None and self.mix.others else 10

    @property
    def layers(self) -> str:
        """The network's layers in words, from the input to the outputs."""
        inputs = "28x28" if self.convolutions else 784
        return " - ".join(map(str, (inputs, *self.convolutions, *self.hidden, self.classes)))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        # The tutorial that this project started from: 94.14 % there.
        Recipe(name="article", hidden=(256, 128), epochs=20, batch_size=32, learning_rate=1e-3, tutorial=True),
        # The recipe of `make tflite`: the best result within six minutes on two cores.
        Recipe(name="standard", hidden=(512, 512), epochs=90, batch_size=500, augmentation=Augmentation()),
        # Trains on camera-like pages and non-digits; `adapted` fine-tunes it.
        Recipe(
            name="release",
            hidden=(512, 448, 448),
            epochs=180,
            refit=50,
            batch_size=500,
            augmentation=Augmentation(),
            mix=Mix(),
        ),
        # The shipped model: the previously shipped model, fine-tuned.
        Recipe(
            name="adapted",
            hidden=(512, 448, 448),
            epochs=30,
            batch_size=500,
            learning_rate=2e-4,
            augmentation=Augmentation(),
            mix=Mix(),
            kept=0.5,
            runs=2,
        ),
        # The next step after the MLP: convolutions. It trains on the same kinds of pictures as
        # `release`, cut out of fewer pages, which are drawn sooner.
        Recipe(
            name="cnn",
            convolutions=(
                Convolution(filters=32, size=5, stride=2),
                Convolution(filters=48, stride=2),
                Convolution(filters=64),
                Convolution(filters=64, stride=2),
            ),
            epochs=38,
            refit=8,
            batch_size=250,
            learning_rate=3e-3,
            augmentation=Augmentation(),
            mix=Mix(pages=2000),
        ),
        # At most 10,000 weights.
        Recipe(
            name="micro-cnn",
            convolutions=(
                Convolution(filters=10, size=5, stride=2),
                Convolution(filters=20, stride=2),
                Convolution(filters=24, pool=2),
            ),
            epochs=60,
            refit=12,
            batch_size=250,
            learning_rate=5e-3,
            weight_decay=0.01,
            augmentation=Augmentation(),
            mix=Mix(pages=2000),
        ),
        # For microcontrollers: 63,456 weights and 149 biases, less than 64 KiB in int8. It trains on the same kinds of
        # pictures as `release`, cut out of a quarter of the pages, with MNIST more often and milder distortions. With
        # 64 units, those of `release` and 48 epochs, it read 98.7 % of the test digits in place of 99.2.
        Recipe(
            name="micro",
            hidden=(74, 64),
            epochs=200,
            refit=40,
            batch_size=250,
            learning_rate=3e-3,
            weight_decay=0.01,
            augmentation=Augmentation(rotation=8.0, scale=0.1, shear=0.15, elastic_alpha=24.0),
            mix=Mix(mnist=3, pages=2000),
        ),
        # For tests, in seconds: the same code path, a worse network.
        Recipe(name="smoke", hidden=(128,), epochs=4, batch_size=250, learning_rate=2e-2, weight_decay=0.3),
        # For tests of `release`: all its steps, on a few pages.
        Recipe(
            name="rehearsal",
            hidden=(128,),
            epochs=8,
            batch_size=250,
            learning_rate=1e-2,
            refit=1,
            mix=Mix(
                mnist=1,
                camera_digits=2000,
                camera_others=2000,
                written_digits=1000,
                written_others=1000,
                crowded_digits=1000,
                pages=60,
            ),
        ),
    )
}
