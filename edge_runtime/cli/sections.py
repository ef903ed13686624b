"""Sections of options: a decorator for each, which hands the command one frozen record of its values.

network = section("The network", "network", NetworkOptions, option("--model", metavar="FILE"), ...)

@click.command(cls=SectionedCommand)
@network
def bench(network: NetworkOptions) -> None: ...
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

import click

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]
Record = TypeVar("Record")


class SectionedOption(click.Option):
    """An option that --help lists in a section of its own."""

    def __init__(self, *names: Any, section: str = "", **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.section = section


class SectionedCommand(click.Command):
    """A command whose --help lists its options in sections, options without a section last."""

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Return both names in any context: click caches those of the first context."""
        return ["-h", "--help"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", ""), []).append(record)
        rest = sections.pop("", [])
        for title, records in [*sections.items(), ("Other options", rest)]:
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def taken(record: type[Record], values: Mapping[str, Any]) -> Record:
    """Return a record of the values named like its fields."""
    return record(**{field.name: values[field.name] for field in fields(record)})  # type: ignore[arg-type]


def section(title: str, keyword: str, record: type[Any], *options: tuple[tuple[str, ...], dict[str, Any]]) -> Decorator:
    """Return a decorator that adds these options to a command and passes their values as one `record`, `keyword`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(*arguments: Any, **values: Any) -> Any:
            own = taken(record, values)
            others = {name: value for name, value in values.items() if not hasattr(own, name)}
            return command(*arguments, **{keyword: own}, **others)

        for names, settings in reversed(options):
            click.option(*names, cls=SectionedOption, section=title, **settings)(call)
        return call

    return decorate


def option(*names: str, **settings: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return an option of a section, in the form that `click.option` takes."""
    return names, settings
