"""The HTML of a report: one file without external resources, from finished parts.

Each part is a macro of parts.html.j2, which escapes all text that is not a part itself.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from benchmarks.accuracy.truth import printable
from train import template

PAGE = Path(__file__).with_suffix(".html.j2")
MACROS: Any = template.load(PAGE.with_name("parts.html.j2"), printable).module
Parts = list[Markup]


class Section(NamedTuple):
    """A part of the page: link target, heading, and contents."""

    name: str
    title: str
    parts: Parts


def page(title: str, lead: Markup, notices: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the whole page."""
    made = template.load(PAGE, printable)
    return made.render(title=title, lead=lead, notice=notice(notices), sections=sections)


def short(commit: str) -> str:
    """Return the beginning of a commit, and whether files differed from it."""
    return commit[:12] + ("-dirty" if commit.endswith("-dirty") else "")


def heading(value: str) -> Markup:
    """Return a heading within a section."""
    return Markup(MACROS.heading(value))


def paragraph(value: str) -> Markup:
    """Return a paragraph of text; text between backticks becomes code."""
    return Markup(MACROS.paragraph(value))


def notice(lines: Sequence[str]) -> Markup:
    """Return lines of text as a prominent notice, or nothing without lines."""
    return Markup(MACROS.notice(lines))


def absent(what: str, command: str) -> Markup:
    """Return a placeholder for a missing measurement, and the command that measures it."""
    return Markup(MACROS.absent(what, command))


def details(summary: str, *parts: Markup) -> Markup:
    """Return parts that are shown on request."""
    return Markup(MACROS.details(summary, parts))


def source(record: Mapping[str, Any], path: str) -> Parts:
    """Return the source of a section's figures, and its warnings."""
    environment = record["environment"]
    settings = ", ".join(filter(None, (_setting(name, value) for name, value in record["settings"].items())))
    facts = [record["measured_at"][:16].replace("T", " ") + " UTC",
             environment["commit"] and f"commit {short(environment['commit'])}",
             environment["model"] and f"model {environment['model']}", settings]  # fmt: skip
    line = Markup(MACROS.source(path, list(filter(None, facts))))
    warnings = [str(warning) for warning in record["warnings"]]
    few = f"{len(warnings)} warning{'s' * (len(warnings) > 1)} of this run"
    return [line, details(few, notice(warnings))] if warnings else [line]


def marked(name: str, unstable: bool) -> str:
    """Return a name for a table, marked if another run may differ."""
    return Markup(MACROS.unstable(name)) if unstable else name


def warned(word: str) -> Markup:
    """Return a highlighted word for a table."""
    return Markup(MACROS.warned(word))


def table(label: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "") -> Markup:
    """Return a scrollable table with a label; each row starts with its name. Cells are text or parts."""
    return Markup(MACROS.table(label, head, rows, kind))


def figure(drawn: Markup, caption: str) -> Markup:
    """Return a chart with its caption, if any."""
    return Markup(MACROS.figure(drawn, caption))


def pictures(items: Sequence[tuple[bytes, str, Sequence[str]]]) -> Markup:
    """Return pictures in rows: each a PNG file, its text alternative, and the lines below it."""
    return Markup(MACROS.pictures(items))


def _setting(name: str, value: object) -> str:
    """Return a setting as text; nothing if it is not set."""
    if isinstance(value, bool):
        return name if value else ""
    shown = ", ".join(map(str, value)) if isinstance(value, list | dict) else "" if value is None else str(value)
    return f"{name} {shown}" if shown else ""
