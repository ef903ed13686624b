"""`edge-digits selftest`: checks that this machine reads correctly."""

from json import dumps

import click

from edge_runtime.cli.config_option import config_option
from edge_runtime.cli.options import NetworkOptions, debug, network
from edge_runtime.cli.sections import SectionedCommand, SectionedOption
from edge_runtime.cli.terminal import print_err, show

EXIT_CODES = """\b
Exit codes:
    0  this machine reads correctly
    1  SOURCE is a picture that cannot be read
    2  an invalid option, or a package that is not installed
    3  SOURCE is unavailable, or sends no frame
    4  the model was refused
    5  the network gives wrong results, or a sample page is misread
    6  the result could not be written
"""


@click.command(epilog=EXIT_CODES, cls=SectionedCommand)
@click.argument("source", metavar="[SOURCE]", required=False, envvar="EDGE_DIGITS_SELFTEST_SOURCE")
@click.option(
    "--json", cls=SectionedOption, section="Results", is_flag=True, help="Print the whole record as a JSON object."
)
@network
@config_option
@debug
def selftest(source: str | None, json: bool, network: NetworkOptions) -> None:
    """Check in a second or two that this machine reads correctly.

    It replays the model's golden vectors: the labels must match, and the scores may differ by as many units in the last
    place as the output names. It also reads the sample pages, times one digit, and opens SOURCE if one is named.

    \b
    Examples:
      edge-digits selftest
      edge-digits selftest camera
      edge-digits selftest --model digits-int8.tflite --json
    """
    from edge_runtime import DigitReader
    from edge_runtime.doctor import selftest as testing
    from edge_runtime.store.current import current_model

    model = network.model or current_model()
    with DigitReader(model, labels=network.labels, threads=network.threads) as reader:
        record, failures = testing.run(reader, source)
    for line in [dumps(record)] if json else testing.lines(record):
        show(line)
    for failure in failures:
        print_err(f"error: {failure}")
    if failures:
        raise SystemExit(max(failure.exit_code for failure in failures))
