"""The progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click


@contextmanager
def progress(steps: Sequence[str], write: Callable[[str], object]) -> Iterator[Callable[[str], None]]:
    """Yield a function to call with each of `steps` as it begins.

    It moves a bar where standard error is a terminal; elsewhere `write` gets a line for each step with a new name.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        noted: set[str] = set()

        def step_begins(step: str) -> None:
            if step not in noted:
                noted.add(step)
                write(f"measuring {step}")

        yield step_begins
        return
    with click.progressbar(length=len(steps), file=sys.stderr, item_show_func=lambda step: step) as bar:
        begun: list[str] = []

        def advance(step: str) -> None:
            bar.update(1 if begun else 0, step)
            begun.append(step)

        yield advance
        bar.update(1, "")
