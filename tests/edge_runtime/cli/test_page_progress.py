import io
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("fsspec")

from edge_runtime.batch.count import Count
from edge_runtime.cli.page_progress import MOST_ERRORS, PageProgress, page_progress

real = Count.update


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time; a test changes it."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_elsewhere_a_line_now_and_then(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with page_progress(lines.append, ["scans"], "image", None) as progress:
        progress.begins(1000)
        for _ in range(5):
            clock[0] += 4
            progress.advances(200)
    assert lines == ["1,000 pages are read already; going on from there", "1,600 pages, 50.0 pages a second"]


def test_a_terminal_shows_rate_and_time(clock: list[float], samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, lines = Terminal(), list[str]()
    monkeypatch.setattr(sys, "stderr", terminal)
    with page_progress(lines.append, ["s3://scans"], "image", None) as progress:  # which is not counted
        progress.begins(0)
        clock[0] += 1
        progress.advances(30)
    assert "30.0 pages a second" in terminal.getvalue()
    assert lines == []


def test_the_bar_knows_the_counted_pages(clock: list[float], samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(Count, "update", lambda count: real(count, 60))
    with page_progress(lambda _: None, [str(samples)], "image", None) as progress:
        progress.begins(1)
        clock[0] += 1
        progress.advances(1)
    assert "1/2" in terminal.getvalue()  # 3 pages, of which one was read before


def test_errors_are_printed_up_to_a_number() -> None:
    lines: list[str] = []
    progress = PageProgress(lines.append, None, lambda: None)
    for number in range(MOST_ERRORS + 5):
        progress.fails(str(number), "the file is empty")
    assert lines[0] == "error: 0: the file is empty"
    assert lines[MOST_ERRORS:] == ["further errors are in the column error alone"]
