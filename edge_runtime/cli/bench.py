"""`edge-digits bench`: measures the speed of this machine."""

from dataclasses import dataclass
from pathlib import Path

import click

from edge_runtime.cli.config_option import config_option
from edge_runtime.cli.exit_codes import EXIT_CODES
from edge_runtime.cli.options import FILE, NetworkOptions, debug, network
from edge_runtime.cli.sections import SectionedCommand, option, section
from edge_runtime.cli.terminal import print_err, show


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """The output of the record, and whether to measure less."""

    json: bool
    out: Path | None
    fast: bool


own = section(
    "Results", "own", BenchOptions,
    option("--json", is_flag=True, help="Print the whole record as a JSON object."),
    option("--out", metavar="FILE", type=FILE, help="Also write the record to FILE."),
    option("--fast", is_flag=True, help="Fewer processes and repetitions: a quick estimate."),
)  # fmt: skip


@click.command(epilog=EXIT_CODES, cls=SectionedCommand)
@own
@network
@config_option
@debug
def bench(own: BenchOptions, network: NetworkOptions) -> None:
    """Measure the speed of this machine: one digit, whole frames by stage, the start of the command, and memory.

    The model's golden vectors are replayed first: exit code 5 if the network gives wrong results on this machine. The
    measurement takes 40 seconds on a desktop and some minutes on a small board, which should be idle meanwhile.

    \b
    Examples:
      edge-digits bench
      edge-digits bench --out bench.json
    """
    import json

    from edge_runtime.bench import measure, table
    from edge_runtime.cli.progress import progress
    from edge_runtime.system.atomic_files import write_text

    if own.out is not None:
        measure.check_folder(own.out)
    settings = measure.Settings(network.model, network.labels, network.threads, own.fast)
    with progress(measure.steps(settings), print_err) as begins:
        record = measure.run(settings, begins)
    for warning in measure.worth_a_word(record):
        print_err(f"warning: {warning}")
    text = json.dumps(record)
    if own.out is not None:
        write_text(own.out, text + "\n")
    for line in [text] if own.json else table.lines(record):
        show(line)
