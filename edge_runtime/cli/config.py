"""`edge-digits config`: checks a file of options, and shows the effective options."""

from pathlib import Path

import click

from edge_runtime.cli import config_file
from edge_runtime.cli.config_option import tables
from edge_runtime.cli.terminal import print_err, show
from edge_runtime.errors import OptionError


@click.group()
def config() -> None:
    """Check a file of options, and show the effective options."""


@config.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, file: Path) -> None:
    """Print each error in FILE on a line; exit code 2 if there is any."""
    checked = config_file.check(file, tables(context))
    for complaint in checked.complaints:
        print_err(f"error: {complaint}")
    if checked.complaints:
        raise SystemExit(OptionError.exit_code)
    show(f"{file}: valid, {sum(map(len, checked.settings.values()))} settings")


@config.command("show")
@click.option("--config", "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              envvar="EDGE_DIGITS_CONFIG", help="A TOML file of options.")  # fmt: skip
@click.pass_context
def show_config(context: click.Context, file: Path | None) -> None:
    """Print the effective options, from the defaults, FILE and the environment, as a valid file."""
    commands = tables(context)
    settings = {} if file is None else config_file.load(file, commands)
    for name, command in commands.items():
        inner = click.Context(command, parent=context.find_root(), info_name=name, default_map=settings.get(name, {}))
        for line in config_file.shown(command, inner):
            show(line)
