"""What the fits of weights have in common: their options, the pages that they read, and the card that they write."""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_runtime import model_file
from train import crops, fonts
from train.dataset import DataError

S = TypeVar("S", bound=tuple[NDArray[Any], ...])  # a NamedTuple of arrays, a row for each example
F = TypeVar("F", bound=Callable[..., Any])
EVERY = 100  # pages, from one line of progress to the next where there is no terminal


def options(pages: int) -> Callable[[F], F]:
    """Return a decorator that gives a command --pages, by default so many, --model and --write."""

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


def read_pages(examples: Callable[[int], S], pages: int) -> S:
    """Return the examples of the pages 0 to `pages` - 1 in one sample, read in several processes."""
    fonts.stamp(fonts.names(False)[0], "0")  # fetched once, before there are several processes
    parts: list[S] = []
    with ProcessPoolExecutor(
        crops.WORKERS, get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:  # fmt: skip
        results = pool.map(examples, range(pages), chunksize=max(1, min(20, pages // 8)))
        for i, part in enumerate(tqdm(results, "pages", pages, disable=not sys.stderr.isatty()), 1):
            parts.append(part)
            if not sys.stderr.isatty() and i % EVERY == 0:
                print(f"pages: {i}/{pages}", file=sys.stderr, flush=True)
    return type(parts[0])(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def check_both(flags: NDArray[np.bool_], pages: int, kind: str, other: str) -> None:
    """Raise DataError where the examples of so many pages are all of one kind."""
    if flags.all() or not flags.any():
        raise DataError(f"{pages} pages hold no {kind}, or no {other}: more are needed")


def write(model: Path, key: str, weights: tuple[float, ...]) -> None:
    """Write weights, a NamedTuple, into the card of a model under a key, and say so."""
    values: dict[str, float] = weights._asdict()  # type: ignore[attr-defined]
    model_file.add_to_card(model, **{key: {name: round(value, 4) for name, value in values.items()}})
    print(f"written into the card of {model}")
