import io
import sys

import pytest

from edge_runtime.cli.progress import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_elsewhere_each_new_step_is_a_line(stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(["one", "one", "two"], lines.append) as begins:
        for step in ("one", "one", "two"):
            begins(step)
    assert lines == ["measuring one", "measuring two"]


def test_on_a_terminal_a_bar_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress(["one", "two"], lines.append) as begins:
        begins("one")
        begins("two")
    text = terminal.getvalue()
    assert lines == []
    assert all(part in text for part in ("  0%", " 50%", "100%", "two"))
    assert text.index("  0%") < text.index(" 50%") < text.index("100%")
