import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import PictureError
from edge_runtime.sources.options import Excerpt
from edge_runtime.sources.videos import frames

FPS, COUNT = 10, 25


@pytest.fixture(params=[("clip.mp4", "mp4v"), ("clip.avi", "MJPG"), ("clip.webm", "VP80")], ids=lambda kind: kind[0])
def clip(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a video of 25 frames, each a shade lighter than the one before."""
    name, codec = request.param
    return write(tmp_path / name, codec)


def write(path: Path, codec: str = "mp4v") -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), FPS, (64, 48))
    for i in range(COUNT):
        writer.write(np.full((48, 64, 3), 10 * i, np.uint8))
    writer.release()
    return path


def shades(path: Path, **excerpt: float) -> list[tuple[int, int]]:
    """Return each frame's number and shade, in tens."""
    shown = frames(path, Excerpt(**excerpt))  # type: ignore[arg-type]
    return [(frame.index, round(float(frame.pixels.mean()) / 10)) for frame in shown]


def test_every_frame_comes_in_order_with_its_number(clip: Path) -> None:
    assert shades(clip) == [(i, i) for i in range(COUNT)]
    first = next(frames(clip, Excerpt()))
    assert (first.pixels.shape, first.pixels.dtype, first.source, first.moving) == (
        (48, 64, 3),
        np.dtype(np.uint8),
        str(clip),
        True,
    )


def test_an_excerpt_is_every_nth_frame_in_range(clip: Path) -> None:
    assert [number for number, _ in shades(clip, every=10)] == [0, 10, 20]
    # Time stamps may be off by a frame's part: the limits lie between frames.
    assert shades(clip, start=0.45, end=1.25) == [(i, i) for i in range(5, 13)]
    with pytest.raises(PictureError, match="no frame of this video, or of the selected part"):
        shades(clip, start=60)


def test_frames_before_the_damage_are_read(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.avi", "MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 3 // 4])
    read = shades(tmp_path / "cut.avi")
    assert 5 <= len(read) < COUNT
    assert read[:-1] == [(i, i) for i in range(len(read) - 1)]  # the last one is cut itself


@pytest.mark.parametrize("data", [b"", b"not a video", b"\0" * 5000, None], ids=["empty", "text", "zeros", "half"])
def test_what_is_no_video_is_one_line(tmp_path: Path, data: bytes | None, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(write(tmp_path / "whole.mp4").read_bytes()[:600] if data is None else data)
    capfd.readouterr()
    with pytest.raises(PictureError, match=r"clip\.mp4: not"):
        list(frames(path, Excerpt()))
    assert capfd.readouterr() == ("", "")


def test_names_that_mean_something_to_ffmpeg_are_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("12:30:00.avi"), "MJPG")
    assert len(shades(Path("12:30:00.avi"))) == COUNT


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.avi"))
    path.write_bytes(write(tmp_path / "whole.avi", "MJPG").read_bytes())
    with pytest.raises(PictureError, match="OpenCV cannot open a file of this name"):
        next(frames(path, Excerpt()))


def test_a_missing_video_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        next(frames(tmp_path / "none.mp4", Excerpt()))
    with pytest.raises(PictureError, match="not a file"):
        next(frames(tmp_path, Excerpt()))


@pytest.mark.parametrize("wrong", [{"every": 0}, {"start": -1.0}, {"start": 2.0, "end": 2.0}])
def test_an_excerpt_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Excerpt(**wrong)  # type: ignore[arg-type]
