"""What the command line says: results on standard output, everything else on standard error."""

import sys
from contextlib import suppress

import click

from edge_runtime.errors import OutputError


def show(line: str) -> None:
    """Print a line of the result. Raises OutputError where it cannot be written, SystemExit where nobody reads on."""
    try:
        if sys.stdout:  # it may be closed
            click.echo(line)
    except BrokenPipeError:
        # Whoever read our output has enough; what is left in the buffer has nowhere to go.
        sys.stdout = None
        raise SystemExit(0) from None
    except OSError as error:
        raise OutputError(f"cannot write the result: {error.strerror or error}") from error


def note(message: str) -> None:
    """Tell whoever watches, in a line."""
    if sys.stderr:
        with suppress(OSError):  # nobody may be there to read it
            click.echo(f"edge-digits: {' '.join(message.split())}", err=True)
