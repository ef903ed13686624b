import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import edge_runtime
from edge_runtime import DigitReader, pipeline
from edge_runtime.errors import OutputError
from edge_runtime.records import Frame, Uint8
from edge_runtime.sinks import window
from edge_runtime.sinks.memory import Memory
from edge_runtime.sinks.sink import Closed
from edge_runtime.sinks.window import Window
from edge_runtime.sources.options import Options
from edge_runtime.trace import Trace
from tests.log import Log

ROOT = Path(edge_runtime.__file__).parents[1]
ELSE = "`edge-digits serve` shows it in a browser instead, --annotate DIR writes pictures, and --video FILE a video"


class Screen:
    """What cv2 has for windows: keeps what is shown, gives the keys that are pressed, and then closes the window.

    In place of the real one, since there is no display where the tests run; the last test has one.
    """

    WINDOW_NORMAL = WINDOW_KEEPRATIO = WINDOW_GUI_NORMAL = WND_PROP_VISIBLE = 0

    def __init__(self) -> None:
        self.keys: list[str | int] = []
        self.shown: list[Uint8] = []
        self.sizes: list[tuple[int, int]] = []
        self.open = False
        self.after: float | None = 0.0  # what is said of a window that is closed; None for an error
        self.gui = "QT5"

    def getBuildInformation(self) -> str:
        return f"  Disabled: world\n  GUI:                           {self.gui}\n    QT:  YES\n"

    def namedWindow(self, title: str, flags: int) -> None:
        self.open = True

    def resizeWindow(self, title: str, width: int, height: int) -> None:
        self.sizes.append((width, height))

    def imshow(self, title: str, picture: Uint8) -> None:
        assert self.open
        self.shown.append(picture)

    def waitKey(self, milliseconds: int) -> int:
        assert milliseconds > 0  # which is for ever
        if not self.keys:
            self.open = False
            return -1
        key = self.keys.pop(0)
        return key if isinstance(key, int) else ord(key)

    def getWindowProperty(self, title: str, what: int) -> float:
        if not self.open and self.after is None:
            raise cv2.error("no such window")
        return 1.0 if self.open else self.after or 0.0

    def destroyAllWindows(self) -> None:
        self.open = False
        if self.after is None:
            raise cv2.error("no such window")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Screen:
    screen = Screen()
    monkeypatch.setattr(window, "gui", screen)
    monkeypatch.setattr(window, "hindrance", lambda: None)
    monkeypatch.chdir(tmp_path)
    return screen


@pytest.fixture
def sink(screen: Screen) -> Iterator[Window]:
    sink = Window(lambda frame, trace: frame.pixels)
    yield sink
    sink.close()
    assert not screen.open


@pytest.fixture(scope="module")
def trace(reader: DigitReader) -> Trace:
    return reader.trace(np.full((48, 64), 200, np.uint8))


def shot(shape: tuple[int, ...] = (480, 640, 3), taken: float | None = None, moving: bool = True) -> Frame:
    return Frame(np.full(shape, 90, np.uint8), "cam", moving=moving, taken=taken, dropped=None if taken is None else 2)


def test_a_frame_is_shown_above_its_status(sink: Window, screen: Screen, trace: Trace) -> None:
    screen.keys = ["x"] * 3
    for _ in range(3):
        sink.frame(shot(taken=0.0), trace)
    assert len(screen.shown) == 3
    picture = screen.shown[-1]
    assert picture.shape == (512, 640, 3)
    assert (picture[:480] == 90).all()
    assert picture[480:].max() == 255
    assert picture[480:].min() < 100  # there is something written
    assert re.fullmatch(r"\d+\.\d FPS   age \d+ ms   dropped 6", sink._line(shot(taken=0.0)))
    assert re.fullmatch(r"\d+\.\d FPS", sink._line(shot()))
    assert sink._line(shot(moving=False)) == "q quits, s saves, any other key: next"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((160, 160), (480, 512)),
        ((48, 64, 3), (448, 368)),
        ((1, 1, 3), (480, 512)),
        ((3000, 4000, 3), (1147, 892)),
        ((2000, 100), (43, 892)),
        ((700, 479, 3), (479, 732)),
    ],
)
def test_pictures_get_a_size_that_suits_a_screen(
    sink: Window, screen: Screen, trace: Trace, shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    screen.keys = ["x", "x", "x"]
    sink.frame(shot(shape), trace)
    sink.frame(shot(shape), trace)
    sink.frame(shot(), trace)
    assert screen.shown[0].shape == (*expected[::-1], 3)
    # The size that a person gives it is left alone, until that of the pictures changes.
    assert screen.sizes == [expected, (640, 512)]


@pytest.mark.parametrize("key", ["q", "Q", "\x1b", 0x100000 | ord("q")], ids=["q", "Q", "Esc", "num lock"])
def test_q_and_escape_end_it(sink: Window, screen: Screen, trace: Trace, key: str | int) -> None:
    screen.keys = ["x", 255, key]
    sink.frame(shot(), trace)
    sink.still(shot())
    with pytest.raises(Closed):
        sink.frame(shot(), trace)
    screen.keys = [key]
    with pytest.raises(Closed):
        sink.still(shot())


@pytest.mark.parametrize("after", [0.0, -1.0, None])
def test_closing_the_window_ends_it(sink: Window, screen: Screen, trace: Trace, after: float | None) -> None:
    screen.after = after
    for moving in (True, False):
        screen.open = True
        with pytest.raises(Closed):
            sink.frame(shot(moving=moving), trace)


def test_s_saves_the_picture_and_never_overwrites(
    sink: Window, screen: Screen, trace: Trace, messages: Log, tmp_path: Path
) -> None:
    screen.keys = ["s", "S", "s"]
    for _ in range(3):
        sink.frame(shot(), trace)
    saved = [tmp_path / line.removeprefix("saved ") for line in messages]
    assert len(set(saved)) == len(saved) == 3
    assert sorted(tmp_path.iterdir()) == sorted(saved)
    for path, shown in zip(saved, screen.shown, strict=True):
        assert re.fullmatch(r"edge-digits-\d{8}-\d{6}(-[23])?\.png", path.name)
        read = cv2.imread(str(path))
        assert read is not None
        assert np.array_equal(read, shown)


def test_a_failed_save_is_reported_and_goes_on(
    sink: Window, screen: Screen, trace: Trace, messages: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    screen.keys = ["s"]
    sink.frame(shot(), trace)
    (line,) = messages
    assert re.fullmatch(r"cannot save edge-digits-\d{8}-\d{6}\.png: No such file or directory", line)


def test_pictures_wait_for_a_key_each(sink: Window, screen: Screen, trace: Trace, messages: Log) -> None:
    screen.keys = [-1, -1, "s", -1, " ", -1, "q"]
    sink.frame(shot(moving=False), trace)
    assert len(messages) == 1
    assert screen.keys == [-1, "q"]
    with pytest.raises(Closed):
        sink.frame(shot(moving=False), trace)


def test_all_is_closed_when_it_ends(screen: Screen, reader: DigitReader, samples: Path, trace: Trace) -> None:
    screen.keys = [" ", "q"]
    memory = Memory()
    sinks = [Window(lambda frame, trace: frame.pixels), memory]
    with pytest.raises(Closed):
        pipeline.run([str(samples)], reader, sinks, Options(), pipeline.Report(), lambda error: None)
    assert not screen.open
    assert len(screen.shown) == 2
    assert [Path(reading.source).name for reading in memory.readings] == ["blackboard.jpg"]
    assert memory.wait_newer(9, 60) is None  # at once, as it is closed


def test_an_opencv_without_windows_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    screen = Screen()
    screen.gui = "NONE"
    monkeypatch.setattr(window, "gui", screen)
    with pytest.raises(OutputError) as caught:
        Window(lambda frame, trace: frame.pixels)
    assert str(caught.value) == (
        "cannot open a window: this OpenCV has no windows (pip uninstall opencv-python-headless, then pip install "
        f"--force-reinstall opencv-python); {ELSE}"
    )
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_no_display_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window, "gui", Screen())
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("WAYLAND_DISPLAY", "")
    with pytest.raises(OutputError) as caught:
        Window(lambda frame, trace: frame.pixels)
    assert str(caught.value) == (
        f"cannot open a window: there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set); {ELSE}"
    )


def test_an_unusable_display_ends_another_process(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # Where OpenCV has windows, Qt aborts; where it has none, it raises. Either way it is one line here.
    monkeypatch.setattr(window, "gui", Screen())
    monkeypatch.setenv("DISPLAY", ":4711")
    reason = window.hindrance()
    assert reason is not None
    assert re.search("display|not implemented", reason), reason
    assert "\n" not in reason
    assert capfd.readouterr() == ("", "")


def test_this_very_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if sys.platform != "linux":
        pytest.skip("elsewhere there is always a display")
    assert "this OpenCV has no windows" in str(window.hindrance()) or "no display" in str(window.hindrance())


@pytest.fixture
def display() -> Iterator[str]:
    """Return the name of a display that exists in memory alone."""
    if re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        pytest.skip("this OpenCV has no windows: pip install opencv-python")
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("there is no display: apt install xvfb xdotool")
    readable, writable = os.pipe()
    command = ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writable], stderr=subprocess.DEVNULL)
    os.close(writable)
    with os.fdopen(readable) as said:
        yield f":{said.readline().strip()}"
    server.terminate()
    server.wait()


SHOW = """
import logging, sys
from edge_runtime import DigitReader, pipeline
from edge_runtime.sinks.sink import Closed
from edge_runtime.sinks.window import Window
from edge_runtime.sources.options import Options
logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
with DigitReader() as reader:
    sink = Window(lambda frame, trace: frame.pixels)
    print("open", flush=True)
    try:
        pipeline.run(["synthetic"], reader, [sink], Options(), pipeline.Report(), lambda error: None)
    except Closed:
        print("closed", flush=True)
"""


@pytest.mark.window
@pytest.mark.parametrize("last", ["q", "Escape"])
def test_a_real_window(display: str, tmp_path: Path, last: str) -> None:
    environment = {
        **os.environ,
        "DISPLAY": display,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
    }
    with subprocess.Popen(
        [sys.executable, "-c", SHOW], stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"

        def press(key: str) -> None:
            find = ["xdotool", "search", "--sync", "--onlyvisible", "--name", f"^{window.TITLE}$"]
            number = subprocess.run(
                find, env=environment, capture_output=True, text=True, check=True, timeout=30
            ).stdout
            number = number.split()[-1]
            keys = ["xdotool", "windowfocus", "--sync", number, "key", "--window", number, key]
            subprocess.run(keys, env=environment, check=True, timeout=30)

        press("s")
        saved = process.stdout.readline()
        press(last)
        assert process.stdout.read() == "closed\n"
        assert process.wait(30) == 0
    read = cv2.imread(str(tmp_path / saved.removeprefix("saved ").strip()))
    assert read is not None
    assert read.shape == (512, 640, 3)
