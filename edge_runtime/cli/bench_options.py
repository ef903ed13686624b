"""The options of `edge-digits bench`: its own, and those of `read` that say which network."""

from pathlib import Path

import click

from edge_runtime.cli.read_options import MODEL, SectionedOption
from edge_runtime.cli.read_options import OPTIONS as OF_READ

RESULTS = "Results"
OF_NETWORK = {"model", "labels", "threads"}
OPTIONS = (
    SectionedOption("--json", section=RESULTS, is_flag=True, help="Print the whole record as a JSON object."),
    SectionedOption("--out", section=RESULTS, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
                    help="Also write the record to FILE."),
    SectionedOption("--fast", section=RESULTS, is_flag=True, help="Fewer processes and turns: a first impression."),
    *(option for option in OF_READ if option.section == MODEL and option.name in OF_NETWORK),
)  # fmt: skip
