"""The HTML of a report: one file without external resources, from finished sections."""

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.accuracy.truth import printable

STYLE = Path(__file__).with_suffix(".css")
# The browser fetches no external resource, even if one gets into the page.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Section(NamedTuple):
    """A part of the page: link target, heading, and HTML."""

    name: str
    title: str
    body: str


class Html(str):
    """Text that is already HTML; the table escapes all other text."""

    __slots__ = ()


def page(title: str, lead: str, notices: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the whole page. `title` and `notices` are text, `lead` is HTML."""
    links = "".join(f'<li><a href="#{each.name}">{text(each.title)}</a></li>' for each in sections)
    bodies = "\n".join(
        f'<section id="{each.name}" aria-labelledby="{each.name}-title">\n'
        f'<h2 id="{each.name}-title">{text(each.title)}</h2>\n{each.body}\n</section>'
        for each in sections
    )
    return "\n".join(
        [
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{text(title)}</title>',
            f'<meta name="viewport" content="width=device-width">\n<meta http-equiv="Content-Security-Policy" '
            f'content="{POLICY}">\n<style>\n{STYLE.read_text(encoding="utf-8")}</style>\n</head>\n<body>',
            f"<header>\n<h1>{text(title)}</h1>\n{lead}\n{notice(notices)}",
            f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n</header>\n<main>\n{bodies}\n</main>\n</body>',
            "</html>\n",
        ]
    )


def text(value: object) -> str:
    """Return any text as escaped HTML."""
    return html.escape(printable(str(value)))


def short(commit: str) -> str:
    """Return the beginning of a commit, and whether files differed from it."""
    return commit[:12] + ("-dirty" if commit.endswith("-dirty") else "")


def paragraph(value: str) -> str:
    """Return a paragraph of text; text between backticks becomes code."""
    parts = value.split("`")
    return "<p>" + "".join(f"<code>{text(p)}</code>" if i % 2 else text(p) for i, p in enumerate(parts)) + "</p>"


def notice(lines: Sequence[str]) -> str:
    """Return lines of text as a prominent notice, or nothing without lines."""
    if not lines:
        return ""
    return f'<div class="notice" role="note"><ul>{"".join(f"<li>{text(line)}</li>" for line in lines)}</ul></div>'


def absent(what: str, command: str) -> str:
    """Return a placeholder for a missing measurement, and the command that measures it."""
    return f'<p class="absent">{text(what)} <code>{text(command)}</code> measures it.</p>'


def source(record: Mapping[str, Any], path: str) -> str:
    """Return the source of a section's figures, and its warnings."""
    environment = record["environment"]
    settings = ", ".join(filter(None, (_setting(name, value) for name, value in record["settings"].items())))
    parts = [record["measured_at"][:16].replace("T", " ") + " UTC",
             environment["commit"] and f"commit {short(environment['commit'])}",
             environment["model"] and f"model {environment['model']}", settings]  # fmt: skip
    line = f'<p class="source">From {text(path)}: {text("; ".join(part for part in parts if part))}.</p>'
    warnings = [str(warning) for warning in record["warnings"]]
    if not warnings:
        return line
    few = f"{len(warnings)} warning{'s' * (len(warnings) > 1)} of this run"
    return f"{line}\n<details><summary>{few}</summary>\n{notice(warnings)}</details>"


def marked(name: str, unstable: bool) -> str:
    """Return a name for a table, marked if another run may differ."""
    return Html(f"{text(name)} {warned('unstable')}") if unstable else name


def warned(word: str) -> str:
    """Return a highlighted word for a table."""
    return Html(f'<span class="warned">{text(word)}</span>')


def table(label: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, kind: str = "") -> str:
    """Return a scrollable table with a label; each row starts with its name. Cells are text or Html."""
    titles = "".join(f'<th scope="col">{text(cell)}</th>' if cell else "<td></td>" for cell in head)
    lines = "\n".join(
        f'<tr><th scope="row">{_cell(row[0])}</th>{"".join(f"<td>{_cell(cell)}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    top = f"<thead><tr>{titles}</tr></thead>\n" if head else ""
    return (
        f'<div class="scroll {kind}" role="region" tabindex="0" aria-label="{text(label)}"><table>\n{top}'
        f"<tbody>\n{lines}\n</tbody>\n</table></div>"
    )


def figure(drawn: str, caption: str) -> str:
    """Return a chart with its caption, if any."""
    below = f"<figcaption>{text(caption)}</figcaption>\n" if caption else ""
    return f"<figure>\n{drawn}\n{below}</figure>"


def pictures(items: Sequence[tuple[bytes, str, Sequence[str]]]) -> str:
    """Return pictures in rows: each a PNG file, its text alternative, and the lines below it."""
    shown = "".join(
        f'<li><img alt="{text(words)}" width="84" height="84" '
        f'src="data:image/png;base64,{base64.b64encode(png).decode()}">{"<br>".join(map(text, lines))}</li>\n'
        for png, words, lines in items
    )
    return f'<ul class="digits">\n{shown}</ul>'


def _setting(name: str, value: object) -> str:
    """Return a setting as text; nothing if it is not set."""
    if isinstance(value, bool):
        return name if value else ""
    shown = ", ".join(map(str, value)) if isinstance(value, list | dict) else "" if value is None else str(value)
    return f"{name} {shown}" if shown else ""


def _cell(cell: str) -> str:
    return cell if isinstance(cell, Html) else text(cell)
