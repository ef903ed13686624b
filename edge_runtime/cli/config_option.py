"""The --config option, which reads options from a TOML file, and the commands that may have a table in it."""

from pathlib import Path

import click

from edge_runtime.cli import config_file
from edge_runtime.cli.options import trust


@trust
def _model(**_: object) -> None:
    """Take what [model] may set."""


MODEL = click.command("model")(_model)


def tables(context: click.Context) -> dict[str, click.Command]:
    """Return the commands that may have a table, by its name: those with --config, and `model`."""
    group = context.find_root().command
    commands = group.commands.items() if isinstance(group, click.Group) else ()
    taking = {name: each for name, each in commands if any(param.name == "config_file" for param in each.params)}
    return {**taking, "model": MODEL}


def _take_file(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Use a file's settings as defaults of the other options."""
    if path is not None:
        settings = config_file.load(path, tables(context))
        names = [each.info_name for each in (context, context.parent) if each is not None]
        context.default_map = next((settings[name] for name in names if name in settings), {})


config_option = click.option(
    "--config", "config_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), is_eager=True,
    envvar="EDGE_DIGITS_CONFIG", callback=_take_file, expose_value=False, help="Read options from a TOML file.",
)  # fmt: skip
