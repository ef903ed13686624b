"""One HTML file with the pages read, pictures included: expected lines, read lines, differences."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np
from PIL import Image

from benchmarks.accuracy.score import Summary, align, compact, grid
from benchmarks.accuracy.truth import printable
from edge_runtime.records import Frame, Reading
from edge_runtime.sinks.draw import annotate

LONG_SIDE = 900  # of a picture, in pixels
JPEG_QUALITY = 80
STYLE = """
:root { color-scheme: light dark; --rule: #ccc; --soft: #666; --missed: #fbd0cc; --wrong: #cfe3ff }
@media (prefers-color-scheme: dark) { :root { --rule: #444; --soft: #aaa; --missed: #702a24; --wrong: #1f4a80 } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem }
.summary { overflow-x: auto }
.lines { overflow-y: auto; max-height: 24rem; margin-bottom: .8rem }
table { border-collapse: collapse }
th, td { padding: .2rem .8rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule) }
th:first-child { text-align: left; padding-left: 0 }
.summary tr:last-child > * { border-bottom: 0; font-weight: 600 }
article { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0 2rem; padding: 1.5rem 0;
          border-top: 1px solid var(--rule) }
h3 { grid-column: 1 / -1; margin: 0 0 .5rem; overflow-wrap: anywhere }
h3 small { font-weight: 400; color: var(--soft); margin-left: .5rem }
img { max-width: 100%; max-height: 90vh; width: auto; height: auto; background: var(--rule) }
dl { margin: 0 }
dt { color: var(--soft); font-size: .9rem }
dd { margin: 0 0 .8rem; overflow-wrap: anywhere }
.lines th { padding-left: 0; text-align: left; color: var(--soft); font-weight: 400; font-size: .9rem }
.lines td { padding: 0 .8rem 0 0; border: 0; text-align: left; vertical-align: top;
            font: 1.1rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
del { background: var(--missed); text-decoration: line-through }
ins { background: var(--wrong); text-decoration: underline }
@media (max-width: 50rem) { article { grid-template-columns: minmax(0, 1fr) } }
"""
LEGEND = """<p>Of what was expected, <del>this</del> was not read; of what was read, <ins>this</ins> is wrong. In the
pictures, boxes with a label and its confidence were read, those with a reason were rejected.</p>"""
NOTHING = ("<em>no digit</em>", "<em>no digit</em>")  # expected, and read


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One page of the gallery. Texts may hold anything; the gallery escapes them."""

    name: str
    verdict: str
    exact: bool
    expected: Sequence[str]  # lines of digits
    read: Sequence[str]  # lines of labels; spaces are shown but not compared
    facts: Mapping[str, str]  # further facts by name; empty ones are left out
    preview: bytes  # a JPEG file


@dataclass(frozen=True)
class Chart:
    """A PNG picture below the table, and its caption."""

    caption: str
    picture: bytes


def preview(frame: Frame, reading: Reading) -> bytes:
    """Return a JPEG file: the frame with its reading drawn over it, at most LONG_SIDE pixels wide and high."""
    annotated = annotate(frame, reading)
    scale = LONG_SIDE / max(frame.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in frame.size)
        annotated = np.asarray(cv2.resize(annotated, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", annotated, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def render(
    title: str, facts: str, summaries: Mapping[str, Summary], entries: Sequence[Entry], unreadable: Sequence[str],
    chart: Chart | None = None,
) -> str:  # fmt: skip
    """Return a whole HTML file: the table of `summaries`, a line for each unreadable picture, then the entries.

    Inexact entries come first; otherwise the order is kept. `facts` is a line on the measurement.
    """
    head, *rows = grid(summaries)
    wrong, exact = [e for e in entries if not e.exact], [e for e in entries if e.exact]
    parts = [
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{_text(title)}</title>',
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>',
        f"<h1>{_text(title)}</h1>\n<p>{_text(facts)}</p>",
        f'<div class="summary"><table>\n<thead>{_row(head, "th")}</thead>\n<tbody>',
        *(_row(row, "td") for row in rows),
        "</tbody>\n</table></div>",
    ]
    if chart:
        data = base64.b64encode(chart.picture).decode()
        parts.append(
            f"<h2>Lines</h2>\n<p>{_text(chart.caption)}</p>\n"
            f'<img alt="Risk against coverage of lines" src="data:image/png;base64,{data}">'
        )
    if unreadable:
        items = "".join(f"<li>{_text(line)}</li>\n" for line in unreadable)
        parts.append(f"<h2>Could not be read: {len(unreadable)}</h2>\n<ul>\n{items}</ul>")
    if wrong:
        parts += [f"<h2>Not exact: {len(wrong)}, worst first</h2>", LEGEND, *map(_article, wrong)]
    if exact:
        parts += [f"<h2>Exact: {len(exact)}</h2>", *map(_article, exact)]
    return "\n".join([*parts, "</html>", ""])


def _article(entry: Entry) -> str:
    with Image.open(io.BytesIO(entry.preview)) as picture:
        width, height = picture.size
    facts = "".join(f"<dt>{_text(name)}</dt><dd>{_text(fact)}</dd>\n" for name, fact in entry.facts.items() if fact)
    return (
        f"<article>\n<h3>{_text(entry.name)} <small>{_text(entry.verdict)}</small></h3>\n"
        f'<div><img loading="lazy" width="{width}" height="{height}" alt="{_text(entry.name)}, annotated" '
        f'src="data:image/jpeg;base64,{base64.b64encode(entry.preview).decode()}"></div>\n'
        f"<div>\n{_lines(entry.expected, entry.read)}\n<dl>\n{facts}</dl>\n</div>\n</article>"
    )


def _lines(expected: Sequence[str], read: Sequence[str]) -> str:
    """Return a table of true lines beside the lines read for them, with the differences marked."""
    pairs = align(expected, [compact(line) for line in read])
    rows = [_marked("" if i is None else expected[i], "" if j is None else read[j]) for i, j in pairs]
    cells = "".join(f"<tr><td>{one}</td><td>{other}</td></tr>\n" for one, other in rows or [NOTHING])
    return (
        '<div class="lines"><table>\n<thead><tr><th scope="col">Expected</th><th scope="col">Read</th></tr></thead>\n'
        f"<tbody>\n{cells}</tbody>\n</table></div>"
    )


def _marked(expected: str, read: str) -> tuple[str, str]:
    """Return both lines as HTML: missed digits in <del>, wrongly read ones in <ins>."""
    compared = compact(read)
    same = [(i, j) for i, j in align(expected, compared) if i is not None and j is not None]
    same = [(i, j) for i, j in same if expected[i] == compared[j]]
    gaps = [k for k, character in enumerate(read) if character.isspace()]
    inked = [k for k, character in enumerate(read) if not character.isspace()]
    return (
        _tagged(expected, {i for i, _ in same}, "del"),
        _tagged(read, {inked[j] for _, j in same}.union(gaps), "ins"),
    )


def _tagged(line: str, fine: set[int], tag: str) -> str:
    runs = groupby(range(len(line)), key=lambda k: k in fine)
    texts = ((_text("".join(line[k] for k in run)), right) for right, run in runs)
    return "".join(text if right else f"<{tag}>{text}</{tag}>" for text, right in texts)


def _row(row: Sequence[str], tag: str) -> str:
    first = f'<th scope="row">{_text(row[0])}</th>' if tag == "td" else "<td></td>"
    scope = ' scope="col"' if tag == "th" else ""
    return f"<tr>{first}{''.join(f'<{tag}{scope}>{_text(cell)}</{tag}>' for cell in row[1:])}</tr>"


def _text(text: str) -> str:
    return html.escape(printable(text))
