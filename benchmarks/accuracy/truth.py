"""truth.jsonl -> the true lines of each picture in a folder: a JSON object a line, checked before reading starts."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.errors import OptionError
from edge_runtime.system.native_logs import is_text

NAME = "truth.jsonl"
TEXTS = ("tier", "category", "conditions")
DIGITS = re.compile("[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A picture, and the digits of each of its lines in reading order, without spaces."""

    file: str  # relative to the folder
    lines: tuple[str, ...]  # () in a picture without digits
    tier: str = ""
    category: str = ""
    conditions: str = ""
    tags: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The page's group in a summary: its tier or, without digits, its category; "" without either."""
        return self.tier if self.lines else self.category or self.tier


def read(folder: Path, group: str | None = None) -> list[Truth]:
    """Return the rows of `folder`/truth.jsonl, of one tier or category or of all.

    Raises OptionError with the line number if the file is missing, empty or wrong, or if no page is in the group.
    """
    path = folder / NAME
    name = printable(str(path))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise OptionError(f"cannot read {name}, which lists the digits of each picture: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from error
    rows: dict[str, tuple[int, Truth]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except ValueError as error:
            raise OptionError(f"{name}, line {number}: {error}") from error
        if row.file in rows:
            raise OptionError(f"{name}, line {number}: {printable(row.file)} is in line {rows[row.file][0]} already")
        rows[row.file] = number, row
    if not rows:
        raise OptionError(f"{name} is empty: expected a line for each picture")
    known = {row.group for _, row in rows.values() if row.group}
    if group is not None and group not in known:
        names = ", ".join(sorted(map(printable, known))) or "none"
        raise OptionError(f"{name} has no tier or category {group!r}; known: {names}")
    return [row for _, row in rows.values() if group is None or row.group == group]


def parse(line: str) -> Truth:
    """Return the row of one line. Raises ValueError with a one-line description."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, thousands of brackets
        raise ValueError("JSON that Python cannot read") from error
    if not isinstance(row, dict):
        raise ValueError('not a JSON object such as {"file": "page.jpg", "lines": ["2024"]}')
    for key in ("file", "lines"):
        if key not in row:
            raise ValueError(f'"{key}" is missing')
    file, lines, tags = row["file"], row["lines"], row.get("tags")
    if not isinstance(file, str) or not file or not is_text(file):
        raise ValueError('"file" must be the name of a picture')
    if not isinstance(lines, list) or not all(isinstance(line, str) and DIGITS.fullmatch(line) for line in lines):
        raise ValueError('"lines" must be a list of strings of digits, such as ["2024", "17"], or [] without digits')
    if tags is not None and (not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags)):
        raise ValueError('"tags" must be a list of strings')
    texts = {key: row[key] for key in TEXTS if row.get(key) is not None}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f'"{key}" must be a string')
    return Truth(file=file, lines=tuple(lines), tags=tuple(tags or ()), **texts)


def printable(text: str) -> str:
    """Return a text on one line, with terminal control and text direction characters escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
