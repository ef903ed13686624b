"""`edge-digits config`: what a file of options says, and what holds; and --config, which takes one."""

from pathlib import Path

import click

from edge_runtime.cli import config_file
from edge_runtime.cli.terminal import note, show
from edge_runtime.errors import OptionError

COMMANDS: dict[str, click.Command] = {}  # what has a table of its own in a file; main.py names them


def _take_file(context: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """Let a file's settings be the defaults of those that follow."""
    if path is not None:
        settings = config_file.load(path, COMMANDS)
        names = [each.info_name for each in (context, context.parent) if each is not None]
        context.default_map = next((settings[name] for name in names if name in settings), {})
    return path


CONFIG = click.option(
    "--config", "config_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), is_eager=True,
    envvar="EDGE_DIGITS_CONFIG", callback=_take_file, expose_value=False, help="Take options from a TOML file.",
)  # fmt: skip


@click.group("config")
def config_group() -> None:
    """Look at a file of options, and at what holds."""


@config_group.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def config_check(file: Path) -> None:
    """Say what is wrong with FILE, a line each; exit code 2 if anything is."""
    checked = config_file.check(file, COMMANDS)
    for complaint in checked.complaints:
        note(f"error: {complaint}")
    if checked.complaints:
        raise SystemExit(OptionError.exit_code)
    show(f"{file}: in order, {sum(map(len, checked.settings.values()))} settings")


@config_group.command("show")
@click.option("--config", "file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
              envvar="EDGE_DIGITS_CONFIG", help="A TOML file of options.")  # fmt: skip
@click.pass_context
def config_show(context: click.Context, file: Path | None) -> None:
    """Print what holds: the defaults, FILE and the environment, as a file that may be used as such."""
    settings = {} if file is None else config_file.load(file, COMMANDS)
    for name, command in COMMANDS.items():
        inner = click.Context(command, parent=context.find_root(), info_name=name, default_map=settings.get(name, {}))
        for line in config_file.shown(command, inner):
            show(line)
