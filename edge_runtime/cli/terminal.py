"""Output of the command line: results on standard output, everything else on standard error."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import click

from edge_runtime.errors import OutputError


def show(line: str) -> None:
    """Print a line of the result. Raises OutputError where writing fails, SystemExit where the pipe is closed."""
    try:
        if sys.stdout:  # None where it is closed
            click.echo(line)
    except BrokenPipeError:  # the reader of the pipe has closed it
        sys.stdout = None
        raise SystemExit(0) from None
    except OSError as error:
        raise unwritten(error) from error


def unwritten(error: OSError) -> OutputError:
    """Return the error for a failed standard output, and stop using it.

    Otherwise Python would flush its buffer again at exit, and fail with exit code 120.
    """
    sys.stdout = None
    return OutputError(f"cannot write the result: {error.strerror or error}")


def print_err(message: str) -> None:
    """Print a line on standard error."""
    if sys.stderr:
        with suppress(OSError):  # standard error may have no reader
            click.echo(f"edge-digits: {' '.join(message.split())}", err=True)


class _Handler(logging.Handler):
    """Passes the message of each record to `take`, with "error: " before those of errors."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take("error: " * (record.levelno >= logging.ERROR) + record.getMessage())


@contextmanager
def handled(name: str, handler: logging.Handler) -> Iterator[None]:
    """Pass what the logger `name` and its children log within the context to a handler, from any thread."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def logged(name: str, take: Callable[[str], None]) -> AbstractContextManager[None]:
    """Pass what the logger `name` and its children log within the context to `take`, from any thread."""
    return handled(name, _Handler(take))
