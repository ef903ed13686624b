"""The findings of `edge-digits doctor` as lines of text."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

import click

from edge_runtime.doctor.findings import Finding

COLORS = {"ok": "green", "warning": "yellow", "failed": "red"}
LEAST = 50  # columns: below this, messages are not wrapped


def lines(findings: Sequence[Finding], width: int | None = None, color: bool = False) -> Iterator[str]:
    """Yield a line for each finding, wrapped to this many columns if `width` is given, with its remedy below.

    A remedy is never wrapped, so that it can be copied whole.
    """
    names = max((len(finding.name) for finding in findings), default=0)
    left = len("warning  ") + names + 2

    def styled(text: str, **style: object) -> str:
        return click.style(text, **style) if color else text  # type: ignore[arg-type]

    for finding in findings:
        status = styled(f"{finding.status:<9}", fg=COLORS[finding.status], bold=finding.status != "ok" or None)
        wrapped = [finding.message]
        if width is not None and width - left >= LEAST:
            wrapped = textwrap.wrap(finding.message, width - left - 1, break_on_hyphens=False) or [""]
        yield f"{status}{styled(f'{finding.name:<{names + 2}}', bold=True)}{wrapped[0]}"
        yield from (" " * left + line for line in wrapped[1:])
        if finding.remedy is not None:
            yield " " * left + styled(finding.remedy, fg="cyan")
    counted = Counter(finding.status for finding in findings)
    several = "s" if counted["warning"] != 1 else ""
    yield f"{counted['failed']} failed, {counted['warning']} warning{several}, {counted['ok']} ok"
