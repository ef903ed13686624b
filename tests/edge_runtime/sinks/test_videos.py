import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.errors import OptionError, OutputError
from edge_runtime.records import Frame, Uint8
from edge_runtime.sinks import videos
from edge_runtime.sinks.videos import Video
from edge_runtime.trace import Trace
from tests.edge_runtime.system.disks import file_size_limited, small_disk
from tests.log import Log


@pytest.fixture(scope="module")
def trace(reader: DigitReader) -> Trace:
    return reader.trace(np.full((48, 64), 200, np.uint8))


Open = Callable[..., Video]


@pytest.fixture
def video() -> Open:
    """Return what opens a video that shows frames as they are."""
    return lambda path: Video(path, lambda frame, trace: frame.pixels)


def shade(number: int, taken: float | None = None, size: tuple[int, int] = (64, 48), source: str = "cam") -> Frame:
    """Return a frame all of one gray that tells its number."""
    pixels = np.full((*size[::-1], 3), 10 * number, np.uint8)
    return Frame(pixels, source, number, moving=True, taken=taken)


def noise(number: int, size: tuple[int, int] = (64, 48)) -> Frame:
    pixels = np.random.default_rng(number).integers(0, 256, (*size[::-1], 3), np.uint8)
    return Frame(pixels, "cam", number, moving=True)


def feed(sink: Video, trace: Trace, *frames: Frame) -> None:
    for frame in frames:
        sink.frame(frame, trace)


def pictures(path: Path) -> list[Uint8]:
    capture = cv2.VideoCapture(str(path))
    images = []
    while (read := capture.read())[0]:
        images.append(np.asarray(read[1], np.uint8))
    capture.release()
    return images


def numbers(path: Path) -> list[int]:
    """Return the numbers of the frames that `shade` made."""
    return [round(float(picture.mean()) / 10) for picture in pictures(path)]


def of(path: Path, what: int) -> float:
    capture = cv2.VideoCapture(str(path))
    try:
        return capture.get(what)
    finally:
        capture.release()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["clip.avi", "clip.webm", "CLIP.AVI"])
def test_frames_of_a_video_file_come_once_each(
    video: Open, trace: Trace, tmp_path: Path, messages: Log, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sink = video(tmp_path / name)
    feed(sink, trace, *map(shade, range(12)))
    sink.close()
    assert sink.path == tmp_path / name
    assert numbers(sink.path) == list(range(12))
    assert of(sink.path, cv2.CAP_PROP_FPS) == 25
    assert names(tmp_path) == [name]
    assert messages == []
    assert capfd.readouterr() == ("", "")


def test_camera_frames_last_as_long_as_they_did(video: Open, trace: Trace, tmp_path: Path) -> None:
    sink = video(tmp_path / "clip.avi")
    feed(sink, trace, *(shade(i, taken) for i, taken in enumerate((7.0, 7.1, 7.2, 7.5, 7.52, 7.54, 7.6))))
    sink.close()
    assert numbers(sink.path) == [0, 1, 2, 2, 2, 5, 6]
    assert of(sink.path, cv2.CAP_PROP_FPS) == 10


@pytest.mark.parametrize("seconds", [0.033, 0.25, 1.5])
def test_a_video_lasts_as_long_as_its_source(video: Open, trace: Trace, tmp_path: Path, seconds: float) -> None:
    sink = video(tmp_path / "clip.avi")
    feed(sink, trace, *(shade(i % 25, seconds * i) for i in range(41)))
    sink.close()
    assert abs(len(pictures(sink.path)) - 400 * seconds) <= 1


def test_a_long_pause_is_shortened(video: Open, trace: Trace, tmp_path: Path) -> None:
    sink = video(tmp_path / "clip.avi")
    feed(sink, trace, shade(1, 5.0), shade(2, 5000.0))
    sink.close()
    assert numbers(sink.path) == [1] * 20 + [2]


def test_unread_frames_show_the_last_picture(video: Open, trace: Trace, tmp_path: Path) -> None:
    sink = video(tmp_path / "clip.avi")
    sink.still(shade(9))  # before there was any
    sink.frame(shade(1), trace)
    sink.still(shade(9))
    sink.frame(shade(2), trace)
    sink.frame(shade(3, 8.0, source="other"), trace)
    sink.still(shade(9, 8.3, source="other"))
    sink.close()
    assert numbers(sink.path) == [1, 1, 2, 3, 3, 3, 3]


def test_sources_follow_in_the_first_ones_size(video: Open, trace: Trace, tmp_path: Path) -> None:
    sink = video(tmp_path / "clip.avi")
    feed(sink, trace, shade(20), shade(20, size=(48, 64), source="b"), shade(20, size=(160, 60), source="c"))
    sink.close()
    first, tall, wide = pictures(sink.path)
    assert {picture.shape for picture in (first, tall, wide)} == {(48, 64, 3)}
    # 48x64 becomes 36x48, 14 pixels from each side; 160x60 becomes 64x24, 12 from above and below.
    assert [int(value) for value in tall[24, (6, 20, 32, 44, 58), 0].round(-1)] == [0, 200, 200, 200, 0]
    assert [int(value) for value in wide[(4, 18, 24, 30, 44), 32, 0].round(-1)] == [0, 200, 200, 200, 0]


@pytest.mark.parametrize(("size", "expected"), [((1, 1), (16, 16)), ((65, 49), (64, 48)), ((300, 4), (300, 16))])
def test_any_size_can_be_written(
    video: Open, trace: Trace, tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    for name in ("clip.avi", "clip.webm"):
        sink = video(tmp_path / name)
        sink.frame(shade(20, size=size), trace)
        sink.close()
        (picture,) = pictures(sink.path)
        assert picture.shape[1::-1] == expected
        assert abs(int(picture[expected[1] // 2, expected[0] // 2, 0]) - 200) < 8


def test_gray_pictures_are_written_too(trace: Trace, tmp_path: Path) -> None:
    sink = Video(tmp_path / "clip.avi", lambda frame, trace: frame.pixels[..., 0])
    sink.frame(shade(7), trace)
    sink.close()
    assert numbers(sink.path) == [7]


def test_without_moving_pictures_there_is_no_video(
    video: Open, trace: Trace, tmp_path: Path, messages: Log, samples: Path
) -> None:
    (tmp_path / "clip.avi").write_text("an older one")
    sink = video(tmp_path / "clip.avi")
    sink.frame(Frame(np.zeros((48, 64), np.uint8), "page.png"), trace)
    sink.close()
    assert messages == [f"{tmp_path}/clip.avi: no frames of a video, camera or stream, so no video was written"]
    assert names(tmp_path) == ["clip.avi"]


def test_it_grows_under_a_name_of_its_own(video: Open, trace: Trace, tmp_path: Path) -> None:
    (tmp_path / "clip.avi").write_text("an older one")
    sink = video(tmp_path / "clip.avi")
    assert names(tmp_path) == ["clip.avi"]
    feed(sink, trace, *map(shade, range(3)))
    assert names(tmp_path) == [".clip.part.avi", "clip.avi"]
    assert (tmp_path / "clip.avi").read_text() == "an older one"
    sink.close()
    assert names(tmp_path) == ["clip.avi"]
    assert numbers(sink.path) == [0, 1, 2]


def test_mp4_where_its_codec_is_there(
    video: Open, trace: Trace, tmp_path: Path, messages: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(videos.CODECS, ".mp4", "mp4v")  # which every OpenCV has, though few browsers do
    sink = video(tmp_path / "new" / "clip.mp4")
    feed(sink, trace, *map(shade, range(3)))
    sink.close()
    assert sink.path == tmp_path / "new" / "clip.mp4"
    assert numbers(sink.path) == [0, 1, 2]
    assert messages == []


def test_other_names_become_avi_without_overwriting(
    video: Open, trace: Trace, tmp_path: Path, messages: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(videos.CODECS, ".mp4", "none")
    monkeypatch.chdir(tmp_path)
    for name in ("clip.avi", "clip-2.avi"):
        sink = video(Path("clip.mp4"))
        assert sink.path == Path(name)
        sink.frame(shade(4), trace)
        sink.close()
        assert numbers(tmp_path / name) == [4]
    assert messages == [
        "clip.mp4: this OpenCV cannot write H.264; the video goes to clip.avi",
        "clip.mp4: this OpenCV cannot write H.264; the video goes to clip-2.avi",
    ]
    assert names(tmp_path) == ["clip-2.avi", "clip.avi"]


def test_mp4_is_playable_in_browsers_or_avi(video: Open, trace: Trace, tmp_path: Path) -> None:
    sink = video(tmp_path / "clip.mp4")
    feed(sink, trace, *map(shade, range(20)))
    sink.close()
    assert numbers(sink.path) == list(range(20))
    if sink.path.suffix == ".mp4":
        assert int(of(sink.path, cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").lower() in (b"h264", b"avc1")
    else:  # this OpenCV has no encoder
        assert sink.path == tmp_path / "clip.avi"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", kilobytes=400) as folder:
        yield folder


@pytest.mark.parametrize("suffix", [".avi", ".webm"])
def test_a_full_disk_keeps_the_earlier_frames(video: Open, trace: Trace, small: Path, suffix: str) -> None:
    sink = video(small / f"clip{suffix}")
    with pytest.raises(OutputError) as caught:
        feed(sink, trace, *map(noise, range(1000)))
    kept = len(pictures(sink.path))
    assert kept > 20
    assert str(caught.value) == (f"cannot write {sink.path}: No space left on device; its first {kept} frames are kept")
    assert names(small) == [sink.path.name]


def test_a_disk_that_is_full_from_the_beginning(video: Open, trace: Trace, small: Path) -> None:
    sink = video(small / "clip.avi")
    (small / "others").write_bytes(bytes(300_000))
    with pytest.raises(OutputError, match="No space left on device; no frame was written"):
        feed(sink, trace, noise(1), noise(2))
    assert names(small) == ["others"]
    (small / "more").write_bytes(bytes(50_000))
    with pytest.raises(OutputError, match=r"cannot write .*clip\.webm: No space left on device$"):
        video(small / "clip.webm")
    assert names(small) == ["more", "others"]


def test_a_read_only_disk(video: Open, small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    with pytest.raises(OutputError, match=r"^cannot write .*clip\.avi: Read-only file system$"):
        video(small / "clip.avi")


@pytest.mark.parametrize("suffix", [".avi", ".webm"])
def test_silent_write_failures_are_noticed_at_last(
    video: Open, trace: Trace, tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    large = [noise(number, (160, 120)) for number in range(40)]
    sink = video(tmp_path / f"clip{suffix}")
    feed(sink, trace, *large)
    with file_size_limited(100_000):
        feed(sink, trace, *large)
        with pytest.raises(OutputError) as caught:
            sink.close()
    part = tmp_path / f".clip.part{suffix}"
    assert str(caught.value) == f"cannot write {sink.path}: the disk failed; the part written so far is {part}"
    assert names(tmp_path) == [part.name]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder.avi", "cannot write {}: it is a folder"),
        ("file/clip.avi", "cannot write {}: Not a directory"),
        ("x" * 250 + ".avi", "cannot write {}: File name too long"),
        ("\udce9.avi", "{}: OpenCV cannot open a file of this name; choose another one"),
        ("a\0.avi", "{}: OpenCV cannot open a file of this name; choose another one"),
    ],
)
def test_what_cannot_be_written_is_said_at_once(video: Open, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder.avi").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        video(tmp_path / name)
    assert str(caught.value) == reason.format(tmp_path / name)
    assert names(tmp_path) == ["file", "folder.avi"]


def test_a_folder_that_goes_away_meanwhile(video: Open, trace: Trace, tmp_path: Path) -> None:
    sink = video(tmp_path / "deep" / "clip.avi")
    (tmp_path / "deep").rmdir()
    sink.frame(shade(1), trace)
    with pytest.raises(OutputError, match="OpenCV cannot write a video of 64x48 pixels"):
        sink.close()


@pytest.mark.parametrize("name", ["clip.gif", "clip", ".avi"])
def test_a_name_without_a_video_suffix_is_refused(video: Open, tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match="a video"):
        video(tmp_path / name)


def test_names_that_mean_something_to_ffmpeg_are_names(
    video: Open, trace: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("12:30%d.avi", "-y.avi"):
        sink = video(Path(name))
        sink.frame(shade(3), trace)
        sink.close()
        assert numbers(tmp_path / name) == [3]
