"""Shared by the commands that fit weights: options, a check of the examples, and writing the card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from numpy.typing import NDArray

from edge_runtime.inference import model_file
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


def check_both(flags: NDArray[np.bool_], pages: int, kind: str, other: str) -> None:
    """Raise DataError where all examples of `pages` pages are of one kind."""
    if flags.all() or not flags.any():
        raise DataError(f"{pages} pages contain no {kind}, or no {other}: draw more pages")


def write(model: Path, key: str, weights: tuple[float, ...]) -> None:
    """Write weights, a NamedTuple, into the card of a model under `key`, and print a message."""
    values: dict[str, float] = weights._asdict()  # type: ignore[attr-defined]
    model_file.add_to_card(model, **{key: {name: round(value, 4) for name, value in values.items()}})
    print(f"written into the card of {model}")
