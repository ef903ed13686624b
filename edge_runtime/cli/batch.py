"""`edge-digits batch`: reads archives of pages, in several processes, into parquet."""

import os
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edge_runtime.cli.config_option import config_option
from edge_runtime.cli.exit_codes import EXIT_CODES
from edge_runtime.cli.options import FOLDER, DecisionOptions, NetworkOptions, debug, decision, network
from edge_runtime.cli.sections import SectionedCommand, option, section
from edge_runtime.cli.terminal import print_err, show
from edge_runtime.system import signals

TERMINATED = 143  # the exit code of a process that SIGTERM ends


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """Where to write, what to read, and how; `workers` is None for one on each core, `ray` for no cluster."""

    out: Path
    jsonl: bool
    column: str
    turn: str
    sample: int | None
    workers: int | None
    ray: str | None


own = section(
    "Rows", "own", BatchOptions,
    option("--out", metavar="DIR", type=FOLDER, required=True,
           help="Write part-00000.parquet and so on, and summary.json, to DIR; what is there is not read again."),
    option("--jsonl", is_flag=True, help="Also write each part as JSON Lines."),
    option("--column", metavar="NAME", default="image", show_default=True,
           help="The column of parquet files that holds pictures: their bytes, or structs with `bytes`."),
    option("--turn", type=click.Choice(["auto", "0", "90", "180", "270"]), default="auto", show_default=True,
           help="Clockwise rotation that makes a page upright; boxes stay those of the picture."),
    option("--sample", metavar="N", type=click.IntRange(1),
           help="Stop after the first N pages; without it, the same command goes on with the rest."),
    option("--workers", metavar="N", type=click.IntRange(0, 1024),
           help="Read in N processes; 0 reads in this one. [default: one for each core]"),
    option("--ray", metavar="ADDRESS|local",
           help="Read in a Ray cluster, HOST:PORT, of which this machine is a node, or in one that starts here."),
)  # fmt: skip


@click.command(epilog=EXIT_CODES, cls=SectionedCommand)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, envvar="EDGE_DIGITS_BATCH_INPUTS")
@own
@network
@decision
@config_option
@debug
def batch(inputs: tuple[str, ...], own: BatchOptions, network: NetworkOptions, decision: DecisionOptions) -> None:
    """Read the digits on many pages: a row for each, in parquet files, with its error where it cannot be read.

    INPUT is a picture, a PDF, a folder with all below it, a pattern, a zip or tar file, a parquet file with a column of
    pictures, or an address of one of these that fsspec knows, such as s3://bucket/scans.

    A run that was ended goes on where it was: give the same command again.

    \b
    Examples:
      edge-digits batch scans/ --out rows/ --sample 100
      edge-digits batch scans/ --out rows/
      edge-digits batch 'shards/*.tar' table.parquet --out rows/ --jsonl
      edge-digits batch s3://bucket/scans --out rows/ --ray 10.0.0.7:6379
    """
    from edge_runtime.batch.run import Request, run
    from edge_runtime.cli.page_progress import page_progress
    from edge_runtime.store.current import current_model

    request = Request(
        inputs=inputs, out=own.out, model=network.model or current_model(), column=own.column,
        options=_options(own, network, decision), json_lines=own.jsonl, sample=own.sample,
        workers=own.workers, ray=own.ray,
    )  # fmt: skip
    try:
        with (
            signals.sigterm_is_an_end(True, {TERMINATED}),
            page_progress(print_err, inputs, own.column, own.sample) as progress,
            open(os.devnull, "w") as nowhere,
            redirect_stdout(nowhere),  # Ray prints pages of its own logs there when a node dies
        ):
            summary = run(request, progress)
    except (KeyboardInterrupt, SystemExit):
        print_err(f"ended early; the rows so far are in {own.out}: the same command goes on from there")
        raise
    for line in _table(summary):
        show(line)
    if summary["errors"]:
        raise SystemExit(1)


def _options(own: BatchOptions, network: NetworkOptions, decision: DecisionOptions) -> dict[str, Any]:
    """Return DigitReader's keywords."""
    return {
        "labels": network.labels,
        "threads": network.threads,
        "min_confidence": decision.min_confidence,
        "min_line_confidence": decision.min_line_confidence,
        "turn": None if own.turn == "auto" else int(own.turn),
        "check": decision.check,
    }


def _table(summary: dict[str, Any]) -> list[str]:
    """Return the summary, a line each."""
    rate = summary["pages_a_second"]
    read = f"  ({summary['read_now']:,} in this run)" if summary["read_now"] != summary["pages"] else ""
    rows = [
        ("pages", f"{summary['pages']:,}{read}"),
        ("digits", f"{summary['digits']:,}"),
        *((f"rejected: {reason}", f"{count:,}") for reason, count in summary["rejected"].items()),
        ("errors", f"{summary['errors']:,}"),
        ("pages a second", "-" if rate is None else f"{rate:,}"),
    ]
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {value}" for name, value in rows]
