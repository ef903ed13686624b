"""The README's table: every model and peer with its accuracy, its size, and its time as a multiple of ours."""

from benchmarks.accuracy.truth import printable
from benchmarks.charts.scales import duration, percent, size
from benchmarks.report.models import Row, multiple, rows
from benchmarks.report.page import short
from benchmarks.report.results import Results


def markdown(results: Results) -> str:
    """Return a Markdown table of the rows, with the place and time of measurement."""
    head = ["", "test digits read right", "as the full network", "file", "one digit, median", "times as long"]
    every = rows(results)
    cells = [_cells(row) for row in every]
    kept = [k for k in range(len(head)) if k == 0 or any(row[k] for row in cells)]
    if not cells:
        return "Nothing has been measured yet: `python -m benchmarks all --fast`\n"
    lines = [_line([head[k] for k in kept]), _line(["---" if k == 0 else "---:" for k in kept])]
    lines += [_line([row[k] for k in kept]) for row in cells]
    unstable = ["", "\\* unstable: another run may give another value"] if any(row.unstable for row in every) else []
    used = results.of(("peers",)) or results.of(("parity", "latency"))
    dates = sorted(each.record["measured_at"][:10] for each in used)
    commits = dict.fromkeys(short(each.record["environment"]["commit"] or "") for each in used)
    commit = ", ".join(filter(None, commits)) or "unknown"
    about = f"Measured {dates[-1]} on {'; '.join(dict.fromkeys(each.machine for each in used))}; commit {commit}."
    return "\n".join([*lines, *unstable, "", _escaped(about), ""])


def _cells(row: Row) -> list[str]:
    return [
        _escaped(row.name),
        "" if row.accuracy is None else percent(row.accuracy),
        "" if row.agreement is None else percent(row.agreement),
        "" if row.bytes is None else size(row.bytes),
        "" if row.nanoseconds is None else duration(row.nanoseconds) + (" \\*" if row.unstable else ""),
        multiple(row.ratio),
    ]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Return text as escaped Markdown: on one line, in one cell."""
    shown = printable(text)
    return "".join(f"\\{c}" if c in "\\`*_[]<>|&" else c for c in shown)
