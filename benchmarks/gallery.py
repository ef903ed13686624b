"""Pages that were read, as one HTML file that holds its pictures: what was expected, what was read, what was wrong."""

import base64
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np
from PIL import Image

from benchmarks.score import HEAD, Summary, cells, matches
from benchmarks.truth import printable
from edge_runtime.records import Frame, Reading
from edge_runtime.sinks.draw import annotate

LONG_SIDE = 900  # of a picture, in pixels
JPEG_QUALITY = 80
STYLE = """
:root { color-scheme: light dark; --rule: #ccc; --soft: #666; --missed: #fbd0cc; --wrong: #cfe3ff }
@media (prefers-color-scheme: dark) { :root { --rule: #444; --soft: #aaa; --missed: #702a24; --wrong: #1f4a80 } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse }
th, td { padding: .2rem .8rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule) }
th:first-child { text-align: left; padding-left: 0 }
tr:last-child > * { border-bottom: 0; font-weight: 600 }
article { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0 2rem; padding: 1.5rem 0;
          border-top: 1px solid var(--rule) }
h3 { grid-column: 1 / -1; margin: 0 0 .5rem; overflow-wrap: anywhere }
h3 small { font-weight: 400; color: var(--soft); margin-left: .5rem }
img { max-width: 100%; max-height: 90vh; width: auto; height: auto; background: var(--rule) }
dl { margin: 0 }
dt { color: var(--soft); font-size: .9rem }
dd { margin: 0 0 .8rem; overflow-wrap: anywhere }
pre { margin: 0; font: 1.1rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
del { background: var(--missed); text-decoration: line-through }
ins { background: var(--wrong); text-decoration: underline }
@media (max-width: 50rem) { article { grid-template-columns: minmax(0, 1fr) } }
"""
LEGEND = """<p>Marked in what was expected: <del>what was not read as it should be</del>; in what was read:
<ins>what should not have been</ins>; &crarr; is the end of a line. In the pictures, boxes with a label and its
confidence were read, those with a reason were rejected.</p>"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the gallery shows of a page. Texts may hold anything: they are escaped here."""

    name: str
    verdict: str
    exact: bool
    expected: Sequence[str]  # lines of digits
    read: Sequence[str]  # lines of labels; spaces in them are shown, and not compared
    facts: Mapping[str, str]  # what else there is to say, by its name; where there is nothing, it is left out
    preview: bytes  # a JPEG file


def preview(frame: Frame, reading: Reading) -> bytes:
    """Return a JPEG file: the frame with its reading drawn over it, at most LONG_SIDE pixels wide and high."""
    annotated = annotate(frame, reading)
    scale = LONG_SIDE / max(frame.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in frame.size)
        annotated = np.asarray(cv2.resize(annotated, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", annotated, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def render(
    title: str, facts: str, summaries: Mapping[str, Summary], entries: Sequence[Entry], unreadable: Sequence[str]
) -> str:
    """Return a whole HTML file: the table of `summaries`, a line for each unreadable picture, then the entries.

    Those that are not exact come first, else they keep their order. `facts` is a line on how it was measured.
    """
    wrong, exact = [e for e in entries if not e.exact], [e for e in entries if e.exact]
    parts = [
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{_text(title)}</title>',
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>',
        f"<h1>{_text(title)}</h1>\n<p>{_text(facts)}</p>",
        f'<div class="wide"><table>\n<thead>{_row(["", *HEAD], "th")}</thead>\n<tbody>',
        *(_row([name, *cells(summary)], "td") for name, summary in summaries.items()),
        "</tbody>\n</table></div>",
    ]
    if unreadable:
        items = "".join(f"<li>{_text(line)}</li>\n" for line in unreadable)
        parts.append(f"<h2>Could not be read: {len(unreadable)}</h2>\n<ul>\n{items}</ul>")
    if wrong:
        parts += [f"<h2>Not exact: {len(wrong)}, worst first</h2>", LEGEND, *map(_article, wrong)]
    if exact:
        parts += [f"<h2>Exact: {len(exact)}</h2>", *map(_article, exact)]
    return "\n".join([*parts, "</html>", ""])


def _article(entry: Entry) -> str:
    compared = "\n".join("".join(line.split()) for line in entry.read)
    expected, read = matches("\n".join(entry.expected), compared)
    with Image.open(io.BytesIO(entry.preview)) as picture:
        width, height = picture.size
    facts = "".join(f"<dt>{_text(name)}</dt><dd>{_text(fact)}</dd>\n" for name, fact in entry.facts.items() if fact)
    return (
        f"<article>\n<h3>{_text(entry.name)} <small>{_text(entry.verdict)}</small></h3>\n"
        f'<div><img loading="lazy" width="{width}" height="{height}" alt="{_text(entry.name)}, annotated" '
        f'src="data:image/jpeg;base64,{base64.b64encode(entry.preview).decode()}"></div>\n'
        f"<dl>\n<dt>Expected</dt><dd><pre>{_marked(entry.expected, expected, 'del')}</pre></dd>\n"
        f"<dt>Read</dt><dd><pre>{_marked(entry.read, read, 'ins')}</pre></dd>\n{facts}</dl>\n</article>"
    )


def _marked(lines: Sequence[str], right: Sequence[bool], tag: str) -> str:
    """Return lines as HTML with `tag` around what is not right; `right` counts line ends, and no other white space."""
    if not lines:
        return "<em>no digit</em>"
    text = "\n".join(" ".join(line.split()) for line in lines)
    runs = groupby(_judged(text, right), key=lambda pair: pair[1])
    parts = (("".join(character for character, _ in run), fine) for fine, run in runs)
    return "".join(_lines(part) if fine else f"<{tag}>{_lines(part, '↵')}</{tag}>" for part, fine in parts)


def _judged(text: str, right: Sequence[bool]) -> Iterator[tuple[str, bool]]:
    judged, fine = iter(right), True
    for character in text:
        fine = fine if character == " " else next(judged)
        yield character, fine


def _lines(text: str, end: str = "") -> str:
    return f"{end}\n".join(map(_text, text.split("\n")))


def _row(row: Sequence[str], tag: str) -> str:
    first = f'<th scope="row">{_text(row[0])}</th>' if tag == "td" else "<td></td>"
    scope = ' scope="col"' if tag == "th" else ""
    return f"<tr>{first}{''.join(f'<{tag}{scope}>{_text(cell)}</{tag}>' for cell in row[1:])}</tr>"


def _text(text: str) -> str:
    return html.escape(printable(text))
