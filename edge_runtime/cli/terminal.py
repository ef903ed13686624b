"""What the command line says: results on standard output, everything else on standard error."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click

from edge_runtime.errors import OutputError


def show(line: str) -> None:
    """Print a line of the result. Raises OutputError where it cannot be written, SystemExit where nobody reads on."""
    try:
        if sys.stdout:  # it may be closed
            click.echo(line)
    except BrokenPipeError:  # whoever read our output has enough
        sys.stdout = None
        raise SystemExit(0) from None
    except OSError as error:
        raise unwritten(error) from error


def unwritten(error: OSError) -> OutputError:
    """Return the error for standard output that cannot be written, and leave it alone from now on.

    What is still in its buffer has nowhere to go, and Python would try once more at the end: exit code 120.
    """
    sys.stdout = None
    return OutputError(f"cannot write the result: {error.strerror or error}")


def print_err(message: str) -> None:
    """Tell whoever watches, in a line."""
    if sys.stderr:
        with suppress(OSError):  # nobody may be there to read it
            click.echo(f"edge-digits: {' '.join(message.split())}", err=True)


class _Handler(logging.Handler):
    """Gives `take` the message of each record, with "error: " before those of errors."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take("error: " * (record.levelno >= logging.ERROR) + record.getMessage())


@contextmanager
def logged(name: str, take: Callable[[str], None]) -> Iterator[None]:
    """Give `take` what the logger of this name, and those below it, log meanwhile, from any thread."""
    logger, handler = logging.getLogger(name), _Handler(take)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
