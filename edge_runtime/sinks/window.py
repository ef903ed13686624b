"""A window that shows readings live."""

import logging
import os
import re
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import cv2
import numpy as np

from edge_runtime.errors import OutputError
from edge_runtime.records import Frame, Uint8
from edge_runtime.sinks.canvas import MARGIN, PAPER, ROW, scaled, write
from edge_runtime.sinks.sink import Closed, Sink
from edge_runtime.system.subprocesses import ask
from edge_runtime.trace import Trace

# The module with cv2's window functions. Tests replace it: they have no display, and most OpenCVs there no windows.
gui: Any = cv2

logger = logging.getLogger(__name__)
TITLE = "edge-digits"
LEAST, MOST = 480, (1280, 860)  # pixels: small pictures are enlarged to about this width, large ones shrunk to fit
AVERAGE = 30  # frames over which the frame rate is averaged
ESCAPE = "\x1b"
POLL = 50  # milliseconds
TRIAL = f"""
import cv2, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.tracebacklimit = 0
cv2.namedWindow({TITLE!r})
"""
TIMEOUT = 30.0  # seconds


class Window(Sink):
    """Shows the picture that `drawn` returns for each frame, uint8 (H, W) or (H, W, 3), the frame rate and frame age.

    The key q or Esc, or closing the window, raises Closed from `frame` and `still`; s saves the picture to the current
    folder, and logs where. After each frame that is not of a moving picture, the window waits for a key. Raises
    OutputError where no window can be opened. Only the main thread may create and use it.
    """

    def __init__(self, drawn: Callable[[Frame, Trace], Uint8]) -> None:
        self._drawn = drawn
        if (reason := hindrance()) is not None:
            raise OutputError(
                f"cannot open a window: {reason}; `edge-digits serve` shows it in a browser instead, --annotate DIR "
                "writes pictures, and --video FILE a video"
            )
        gui.namedWindow(TITLE, gui.WINDOW_NORMAL | gui.WINDOW_KEEPRATIO | gui.WINDOW_GUI_NORMAL)
        self._shown: Uint8 | None = None
        self._moments: deque[float] = deque(maxlen=AVERAGE)
        self._dropped = 0

    def frame(self, frame: Frame, trace: Trace) -> None:
        """Show a frame, and handle keys."""
        self._moments.append(monotonic())
        self._dropped += frame.dropped or 0
        picture = _panel(self._drawn(frame, trace), self._line(frame))
        if self._shown is None or self._shown.shape != picture.shape:
            gui.resizeWindow(TITLE, picture.shape[1], picture.shape[0])
        self._shown = picture
        gui.imshow(TITLE, picture)
        if frame.moving:
            self._heed(1)
        else:
            while self._heed(POLL) in ("", "s"):
                pass

    def still(self, frame: Frame) -> None:
        """Handle keys."""
        self._heed(1)

    def close(self) -> None:
        """Close the window."""
        with suppress(cv2.error):  # it may be closed already
            gui.destroyAllWindows()

    def _line(self, frame: Frame) -> str:
        """Return the text below a frame."""
        if not frame.moving:
            return "q quits, s saves, any other key: next"
        seconds = self._moments[-1] - self._moments[0]
        line = f"{(len(self._moments) - 1) / seconds:.1f} FPS" if seconds else "- FPS"
        if frame.taken is not None:
            line += f"   age {1000 * max(0.0, monotonic() - frame.taken):.0f} ms   dropped {self._dropped}"
        return line

    def _heed(self, milliseconds: int) -> str:
        """Wait up to `milliseconds` for a key, handle it, and return it; "" where there was none."""
        code = gui.waitKey(milliseconds)
        key = "" if code < 0 else chr(code & 0xFF).lower()
        try:
            visible = gui.getWindowProperty(TITLE, gui.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # some backends raise this once the window is gone
            visible = False
        if not visible or key in ("q", ESCAPE):
            raise Closed
        if key == "s" and self._shown is not None:
            self._save(self._shown)
        return key

    def _save(self, picture: Uint8) -> None:
        """Save a picture under a free name."""
        stem = f"edge-digits-{datetime.now():%Y%m%d-%H%M%S}"
        names = (Path(f"{stem}{f'-{n}' * (n > 1)}.png") for n in count(1))
        path = next(name for name in names if not os.path.lexists(name))
        try:
            with path.open("xb") as file:
                file.write(cv2.imencode(".png", picture)[1].tobytes())
        except OSError as error:
            with suppress(OSError):
                path.unlink()
            logger.warning(f"cannot save {path}: {error.strerror or error}")
        else:
            logger.info(f"saved {path}")


def hindrance() -> str | None:
    """Return why no window can be opened here; None where one can."""
    if re.search(r"^\s*GUI:\s+NONE", gui.getBuildInformation(), re.MULTILINE):
        return (
            "this OpenCV has no windows (pip uninstall opencv-python-headless, then pip install --force-reinstall "
            "opencv-python)"
        )
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    # An unusable display or a missing library makes Qt abort the process, so another process tries it.
    answer = ask([sys.executable, "-c", TRIAL], TIMEOUT)
    if answer is None or answer.code is None:
        return f"the display gives no answer within {TIMEOUT:g} s"
    if answer.code == 0:
        return None
    return next((line.strip() for line in answer.err.splitlines() if line.strip()), "it fails")


def _panel(picture: Uint8, line: str) -> Uint8:
    """Return a picture scaled to fit a screen, above a line of text, uint8 (H, W, 3)."""
    if picture.ndim == 2:
        picture = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
    height, width = picture.shape[:2]
    scale = min(max(1, LEAST // width), MOST[0] / width, MOST[1] / height)
    if scale != 1:
        picture = scaled(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
    below = np.full((ROW + MARGIN, picture.shape[1], 3), PAPER, np.uint8)
    write(below, line, (MARGIN, ROW), 0.5, space=picture.shape[1] - 2 * MARGIN)
    return np.vstack((picture, below))
