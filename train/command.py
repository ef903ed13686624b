"""Run the commands of a checkout: an error becomes one line and an exit code."""

import sys

import click

from edge_runtime.errors import EdgeError, OutputError


def run(command: click.Command, hint: str = "interrupted") -> None:
    """Run a click command and exit as docs/architecture.md specifies; Ctrl-C prints `hint`."""
    try:
        command(sys.argv[1:] or (["--help"] if isinstance(command, click.Group) else []), standalone_mode=False)
    except EdgeError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(OutputError.exit_code)
    except click.ClickException as error:
        print(f"error: {error.format_message()} (see --help)", file=sys.stderr)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        print(hint, file=sys.stderr)
        sys.exit(130)
