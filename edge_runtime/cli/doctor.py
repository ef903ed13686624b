"""`edge-digits doctor`: reports what is missing or wrong on this machine, and the command that fixes it."""

import json
import os
import shutil
import sys

import click

from edge_runtime.cli.options import debug
from edge_runtime.cli.terminal import show
from edge_runtime.errors import CheckFailed

EXIT_CODES = """\b
Exit codes:
    0  no check failed; there may be warnings
    2  an invalid option
    5  a check failed
    6  the result could not be written
"""


@click.command(epilog=EXIT_CODES)
@click.option("--json", "as_json", is_flag=True, help="Print the results as a JSON object.")
@debug
def doctor(as_json: bool) -> None:
    """Check this machine, and report what is missing or wrong, each with the command that fixes it.

    It also runs where a package that the other commands need is missing or broken. It changes nothing.
    """
    from edge_runtime.doctor import all_checks, table

    findings = all_checks.run()
    if as_json:
        show(json.dumps(all_checks.record(findings)))
    else:
        terminal = sys.stdout is not None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        for line in table.lines(findings, width, color=terminal and not plain):
            show(line)
    if not all_checks.passed(findings):
        raise SystemExit(CheckFailed.exit_code)
