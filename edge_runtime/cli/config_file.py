"""Options from a TOML file: a table for each command, with a key for each option.

    [read]
    sources = ["camera"]
    size = "1280x720"
    json = true

Keys are the options' long names. The command line and the environment take precedence.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from edge_runtime.errors import OptionError

Map = dict[str, dict[str, Any]]  # click's default map for each command
WHENCE = {
    ParameterSource.COMMANDLINE: "command line", ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "file",
}  # fmt: skip


class Checked(NamedTuple):
    """The settings in a file, and its errors, a line each."""

    settings: Map
    complaints: list[str]


def load(path: Path, commands: Mapping[str, click.Command]) -> Map:
    """Return the settings in a file as click's default map. Raises OptionError, which names the first error."""
    checked = check(path, commands)
    if checked.complaints:
        raise OptionError(checked.complaints[0])
    return checked.settings


def check(path: Path, commands: Mapping[str, click.Command]) -> Checked:
    """Read a file and check each setting; `commands` are those that may have a table, by name.

    Raises OptionError where the file is missing or is not TOML.
    """
    import tomllib  # not at the top: most runs read no file

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # invalid TOML, invalid UTF-8, or too deep nesting
        raise OptionError(f"{path}: invalid TOML: {error}") from error
    settings: Map = {}
    complaints = []
    for name, table in tables.items():
        if name not in commands:
            complaints.append(f"{path}: unknown table [{name}]" + _nearest(name, commands, "[{}]"))
        elif not isinstance(table, dict):
            complaints.append(f"{path}: {name} must be a table: [{name}]")
        else:
            parameters = settable(commands[name])
            settings[name] = {}
            for key, value in table.items():
                parameter = parameters.get(key.replace("_", "-"))
                if parameter is None:
                    complaints.append(f"{path}: [{name}] has no option {key}" + _nearest(key, parameters, "{}"))
                    continue
                try:
                    settings[name][str(parameter.name)] = _value(commands[name], parameter, value)
                except click.BadParameter as error:
                    complaints.append(f"{path}: [{name}] {key}: {error.message}")
    return Checked(settings, complaints)


def settable(command: click.Command) -> dict[str, click.Parameter]:
    """Return the parameters that a file may set, by key: all except eager ones, such as --help."""
    return {str(parameter.name).replace("_", "-"): parameter for parameter in command.params if not parameter.is_eager}


def shown(command: click.Command, context: click.Context) -> list[str]:
    """Return the effective options as a TOML table, a line each; a comment names the origin of non-default values.

    It hides passwords and keys in sources. Raises click.BadParameter where the environment has an invalid value.
    """
    from edge_runtime.sources.kinds import public  # not at the top: it needs numpy, which --help does not

    lines = [f"[{context.info_name}]"]
    for key, parameter in settable(command).items():
        value, source = parameter.consume_value(context, {})
        if _is_set(value):
            cast = parameter.type_cast_value(context, value)
            if isinstance(parameter, click.Option) and parameter.is_flag:
                value = cast
            if parameter.nargs == -1:
                value = [public(name) for name in cast]
        whence = f"  # {WHENCE[source]}" if source in WHENCE else ""
        lines.append((f"{key} = {_toml(value)}" if _is_set(value) else f"# {key} =") + whence)
    return lines


def _value(command: click.Command, parameter: click.Parameter, value: object) -> Any:
    """Return a value as click takes it from the command line. Raises click.BadParameter where it is invalid."""
    if parameter.nargs == -1 or (isinstance(parameter, click.Option) and parameter.multiple):
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise click.BadParameter("expected a list of strings")
        return tuple(map(_text, value))
    if isinstance(parameter, click.Option) and parameter.is_flag:
        if not isinstance(value, bool):
            raise click.BadParameter("expected true or false")
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise click.BadParameter("expected a string or a number")
    text = _text(str(value))
    parameter.type_cast_value(click.Context(command), text)
    return text


def _text(value: str) -> str:
    if not value or "\0" in value:
        raise click.BadParameter("a string must not be empty or contain NUL")
    return value


def _nearest(word: str, known: Mapping[str, object], form: str) -> str:
    import difflib

    matches = difflib.get_close_matches(word.replace("_", "-"), known, 1, 0.5)
    return "; did you mean " + form.format(matches[0]) + "?" if matches else "; known: " + ", ".join(
        form.format(name) for name in known
    )  # fmt: skip


def _is_set(value: object) -> bool:
    return isinstance(value, str | bool | int | float) or (isinstance(value, tuple | list) and len(value) > 0)


def _toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value.encode(errors="replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value) if isinstance(value, bool) else str(value)
