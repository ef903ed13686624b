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


def note(message: str) -> None:
    """Tell whoever watches, in a line."""
    if sys.stderr:
        with suppress(OSError):  # nobody may be there to read it
            click.echo(f"edge-digits: {' '.join(message.split())}", err=True)
