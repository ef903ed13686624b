"""Shared by the commands that fit weights: options, logistic regression, a check of the examples, the card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from edge_runtime.inference import model_file
from edge_runtime.vision.glyphs import Float64, logistic
from train.dataset import DataError

F = TypeVar("F", bound=Callable[..., Any])


def options(pages: int) -> Callable[[F], F]:
    """Return a decorator that adds --pages, with `pages` as the default, --model and --write to a command."""

    def decorate(command: F) -> F:
        for option in (
            click.option("--write", is_flag=True, help="Write the weights into the model's card."),
            click.option("--model", type=click.Path(path_type=Path), default=model_file.SHIPPED,
                         help="[default: the one that ships]"),
            click.option("--pages", type=click.IntRange(1), default=pages, show_default=True),
        ):  # fmt: skip
            command = option(command)
        return command

    return decorate


def regression(
    features: Float64, target: NDArray[np.bool_], ridge: float, *, count: Float64 | None = None,
    offset: Float64 | float = 0.0, least: float | None = None,
) -> list[float]:  # fmt: skip
    """Return the weights of a logistic regression, then its bias, by maximum likelihood.

    `features` is float64 (N, M); `ridge` is a penalty on squared weights, added to the mean surprise. `count` weighs
    the examples, with a sum of 1; all weigh the same by default. `offset` is added to the log odds, and no weight is
    less than `least`.
    """
    x = np.column_stack([features, np.ones(len(features))])
    share = np.full(len(x), 1 / len(x)) if count is None else count

    def loss(values: Float64) -> tuple[float, Float64]:
        odds = x @ values + offset
        penalized = ridge * np.append(values[:-1], 0)
        cost = share @ np.logaddexp(0, np.where(target, -odds, odds)) + values @ penalized / 2
        return float(cost), x.T @ (share * (logistic(odds) - target)) + penalized

    bounds = [(least, None)] * features.shape[1] + [(None, None)]
    best = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds)
    return [float(value) for value in best.x]


def balance(target: NDArray[np.bool_]) -> Float64:
    """Return the weight of each example: both classes weigh the same, and all examples together 1."""
    these, others = (max(1, int(np.count_nonzero(which))) for which in (target, ~target))
    return np.where(target, 0.5 / these, 0.5 / others)


def check_both(flags: NDArray[np.bool_], pages: int, kind: str, other: str) -> None:
    """Raise DataError where all examples of `pages` pages are of one kind."""
    if flags.all() or not flags.any():
        raise DataError(f"{pages} pages contain no {kind}, or no {other}: draw more pages")


def write(model: Path, key: str, weights: tuple[float, ...]) -> None:
    """Write weights, a NamedTuple, into the card of a model under `key`, and print a message."""
    values: dict[str, float] = weights._asdict()  # type: ignore[attr-defined]
    model_file.add_to_card(model, **{key: {name: round(value, 4) for name, value in values.items()}})
    print(f"written into the card of {model}")
