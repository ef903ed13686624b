"""The commands `edge-digits selftest` and `edge-digits doctor`: does this machine read as it must, and if not, why?"""

import json
import os
import shutil
import sys
from typing import Any

import click

from edge_runtime.cli.bench_options import OF_NETWORK, RESULTS
from edge_runtime.cli.read_options import MODEL, SectionedCommand, SectionedOption
from edge_runtime.cli.read_options import OPTIONS as OF_READ
from edge_runtime.cli.terminal import note, show
from edge_runtime.errors import CheckFailed

EXIT_CODES_SELFTEST = """\b
Exit codes:
    0  this machine reads as it must
    1  the picture that was named cannot be read
    2  a wrong option, or a package that is not installed
    3  the source that was named is not there, or gives no frame
    4  the model was refused
    5  the network or a sample page does not come out as it must
    6  the result could not be written
"""
EXIT_CODES_DOCTOR = """\b
Exit codes:
    0  nothing failed; there may be warnings
    2  a wrong option
    5  something failed
    6  the result could not be written
"""
OPTIONS = (
    SectionedOption("--json", section=RESULTS, is_flag=True, help="Print the whole record as a JSON object."),
    *(option for option in OF_READ if option.section == MODEL and option.name in OF_NETWORK),
)


@click.command(epilog=EXIT_CODES_SELFTEST, cls=SectionedCommand)
@click.argument("source", metavar="[SOURCE]", required=False, envvar="EDGE_DIGITS_SELFTEST_SOURCE")
def selftest(source: str | None, **options: Any) -> None:
    """Check that this very machine reads as it must, in a second or two.

    The model's golden vectors are replayed: labels must be the same, and scores within the units in the last place that
    are told. The sample pages are read, one digit is timed, and a SOURCE is looked at where one is named.

    \b
    Examples:
      edge-digits selftest
      edge-digits selftest camera
      edge-digits selftest --model digits-int8.tflite --json
    """
    from edge_runtime import DigitReader
    from edge_runtime.doctor import selftest as testing

    model = options["model"] or testing.current_model()
    with DigitReader(model, labels=options["labels"], threads=options["threads"]) as reader:
        record, failures = testing.run(reader, source)
    for line in [json.dumps(record)] if options["json"] else testing.lines(record):
        show(line)
    for failure in failures:
        note(f"error: {failure}")
    if failures:
        raise SystemExit(max(failure.exit_code for failure in failures))


selftest.params[1:1] = OPTIONS


@click.command(epilog=EXIT_CODES_DOCTOR)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as a JSON object.")
def doctor(as_json: bool) -> None:
    """Look at this machine, and say what is missing or wrong, each with the command that mends it.

    It needs none of the packages that the rest does, as it is what tells that one is missing. Nothing is changed.
    """
    from edge_runtime.doctor import all_checks as looking
    from edge_runtime.doctor import table

    findings = looking.run()
    if as_json:
        show(json.dumps(looking.record(findings)))
    else:
        terminal = sys.stdout is not None and sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        for line in table.lines(findings, width, color=terminal and not plain):
            show(line)
    if not looking.passed(findings):
        raise SystemExit(CheckFailed.exit_code)
