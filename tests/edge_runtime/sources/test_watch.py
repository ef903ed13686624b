"""Folders that are watched. Waiting is a function of the test's: what it does is what happens between two looks."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge_runtime import DigitReader, pipeline
from edge_runtime.errors import OptionError, OutputError, PictureError, SourceError
from edge_runtime.records import Frame
from edge_runtime.sinks.memory import Memory
from edge_runtime.sources import watch
from edge_runtime.sources.options import Options
from edge_runtime.sources.watch import watched
from tests.log import Log

ROOT = Path(__file__).parents[3]


class Ended(Exception):
    """The test has seen enough."""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    return tmp_path / "state" / "edge-digits" / "watched"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def put(inbox: Path, samples: Path) -> Callable[[str], None]:
    def copy(name: str) -> None:
        shutil.copy(samples / "digit.png", inbox / name)

    return copy


Put = Callable[[str], None]


def read_all(folder: Path, *steps: Callable[[], object]) -> list[str]:
    """Return what was read of a folder, while one step after the other happens between two looks."""
    left: list[Callable[[], object]] = [*steps, lambda: None, lambda: None]

    def wait(seconds: float) -> None:
        if not left:
            raise Ended
        left.pop(0)()

    names = []
    frames = watched(folder, Options(), wait)
    with suppress(Ended):
        for frame in frames:
            assert isinstance(frame, PictureError) or not frame.moving
            names.append(Path(frame.source).name if isinstance(frame, Frame) else str(frame))
    return names


def test_old_and_new_pictures_are_read_once(inbox: Path, put: Put) -> None:
    put("b.png")
    put("a.png")
    (inbox / "notes.txt").write_text("no picture")
    assert read_all(inbox, lambda: None, lambda: put("c.png")) == ["a.png", "b.png", "c.png"]


def test_after_a_restart_only_new_ones_are_read(inbox: Path, put: Put) -> None:
    put("a.png")
    put("b.png")
    assert read_all(inbox) == ["a.png", "b.png"]
    put("c.png")
    os.utime(inbox / "b.png", ns=(1, 1))  # another picture of the same name
    assert read_all(inbox) == ["b.png", "c.png"]
    assert read_all(inbox) == []


def test_a_file_is_read_once_it_stops_growing(inbox: Path, samples: Path) -> None:
    data = (samples / "digit.png").read_bytes()

    def grow(size: int) -> Callable[[], object]:
        return lambda: (inbox / "a.png").write_bytes(data[:size])

    assert read_all(inbox, grow(100), grow(200), grow(len(data))) == ["a.png"]


def test_an_unreadable_file_is_reported_once_until_whole(inbox: Path, put: Put) -> None:
    (inbox / "a.png").write_bytes(b"")
    names = read_all(inbox, lambda: None, lambda: None, lambda: put("a.png"))
    assert names == [f"{inbox}/a.png: the file is empty", "a.png"]


def test_a_folder_that_goes_away_is_waited_for(inbox: Path, put: Put, messages: Log) -> None:
    put("a.png")
    away = inbox.with_name("away")

    def return_with_another() -> None:
        away.rename(inbox)
        put("b.png")

    steps = (lambda: None, lambda: inbox.rename(away), lambda: None, return_with_another)
    names = read_all(inbox, *steps)
    assert names == ["a.png", "b.png"]
    assert messages == [f"{inbox}: No such file or directory; waiting for it", f"{inbox}: available again"]


def test_an_unfinished_picture_is_read_again(inbox: Path, put: Put) -> None:
    put("a.png")
    put("b.png")
    frames = watched(inbox, Options(), lambda seconds: None)
    assert isinstance(frames, Iterator)
    assert Path(next(frames).source).name == "a.png"  # type: ignore[union-attr]
    assert Path(next(frames).source).name == "b.png"  # type: ignore[union-attr]
    frames.close()  # type: ignore[attr-defined]
    assert read_all(inbox) == ["b.png"]


@pytest.mark.parametrize("damage", [b'["a.png", 1', b"\x00\xff\n", b'{"a": 1}\n[1]\n["b.png", "x", "y"]\nnull\n'])
def test_damaged_notes_are_passed_over(inbox: Path, put: Put, state: Path, damage: bytes) -> None:
    put("a.png")
    put("b.png")
    assert read_all(inbox) == ["a.png", "b.png"]
    (notes,) = state.glob("*.jsonl")
    whole = notes.read_bytes()
    notes.write_bytes(whole + damage)
    assert read_all(inbox) == []
    assert notes.read_bytes() == whole


def test_a_returning_picture_is_not_reread(inbox: Path, put: Put) -> None:
    put("a.png")
    assert read_all(inbox) == ["a.png"]
    (inbox / "a.png").rename(inbox.with_name("a.png"))
    assert read_all(inbox) == []
    inbox.with_name("a.png").rename(inbox / "a.png")
    assert read_all(inbox) == []


def test_of_very_many_what_is_gone_is_forgotten(
    inbox: Path, put: Put, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST", 1)
    put("a.png")
    put("b.png")
    read_all(inbox)
    (inbox / "a.png").unlink()
    read_all(inbox)
    (notes,) = state.glob("*.jsonl")
    assert [line.split(",")[0] for line in notes.read_text().splitlines()] == ['["b.png"']


def test_the_limit_holds_and_all_are_noted(inbox: Path, put: Put, reader: DigitReader) -> None:
    for name in ("a.png", "b.png", "c.png"):
        put(name)
    read: list[str] = []
    for _ in range(2):
        memory = Memory()
        options = Options(watch=True, frames=2, until=time.monotonic() + 3)
        pipeline.run([str(inbox)], reader, [memory], options, pipeline.Report(), lambda error: None)
        read += [Path(reading.source).name for reading in memory.readings]
    assert read == ["a.png", "b.png", "c.png"]


def test_two_at_once_are_refused(inbox: Path, put: Put) -> None:
    put("a.png")
    first = watched(inbox, Options(), lambda seconds: None)
    next(first)
    with pytest.raises(OptionError, match=r"inbox: another edge-digits process already watches this folder\Z"):
        next(watched(inbox, Options()))
    first.close()  # type: ignore[attr-defined]
    next(watched(inbox, Options(), lambda seconds: None))


def test_bad_folders_and_unwritable_notes_are_named(
    inbox: Path, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match="none: --watch requires a folder"):
        next(watched(tmp_path / "none", Options()))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "file"))
    with pytest.raises(OutputError, match=r"cannot record in .*/file/watched/inbox-.*jsonl what was read: "):
        next(watched(inbox, Options()))


def test_nothing_is_awaited_when_time_is_up(inbox: Path) -> None:
    assert list(watched(inbox, Options(until=0.0))) == []


def test_errors_of_pictures_are_yielded_as_such(inbox: Path) -> None:
    (inbox / "a.png").write_bytes(b"no picture")
    error = next(watched(inbox, Options(), lambda seconds: None))
    assert isinstance(error, PictureError)


def test_the_command_line_watches_until_it_is_ended(inbox: Path, put: Put, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "edge_runtime", "read", str(inbox), "--watch"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        assert process.stdout is not None
        said = []
        for name in ("a.png", "b.png"):
            put(name)
            said.append(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert said == [f"{inbox}/a.png: 2\n", f"{inbox}/b.png: 2\n"]
    assert (process.returncode, out, err) == (0, "", "")
