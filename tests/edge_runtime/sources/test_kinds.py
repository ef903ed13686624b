import io
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from edge_runtime.errors import PictureError
from edge_runtime.records import Frame
from edge_runtime.sources import synthetic
from edge_runtime.sources.kinds import KINDS, kind_of, public
from edge_runtime.sources.options import Options


def names(source: str) -> list[str]:
    """Return where each frame of a source came from, or what was wrong."""
    frames = kind_of(source).frames(source, Options())
    return [frame.source if isinstance(frame, Frame) else f"error: {frame}" for frame in frames]


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("-", "-"),
        ("synthetic", "synthetic[:SEED]"),
        ("synthetic:7", "synthetic[:SEED]"),
        ("camera", "camera[:N], /dev/video0, /dev/v4l/by-id/..."),
        ("camera:12", "camera[:N], /dev/video0, /dev/v4l/by-id/..."),
        ("/dev/video3", "camera[:N], /dev/video0, /dev/v4l/by-id/..."),
        ("/dev/v4l/by-id/usb-cam-index0", "camera[:N], /dev/video0, /dev/v4l/by-id/..."),
        ("picamera", "picamera[:N]"),
        ("picamera:1", "picamera[:N]"),
        ("HTTP://host/a.jpg", "http://..., https://..., rtsp://..."),
        ("https://host", "http://..., https://..., rtsp://..."),
        ("rtsp://user:word@host:554/x", "http://..., https://..., rtsp://..."),
        ("some clip.MP4", "clip.mp4, clip.avi, clip.mkv, ..."),
        ("page.jpg", "page.jpg, photos/, 'photos/**/*.png'"),
        ("synthetic:x", "page.jpg, photos/, 'photos/**/*.png'"),
        ("picamera:x", "page.jpg, photos/, 'photos/**/*.png'"),
        ("camera.jpg", "page.jpg, photos/, 'photos/**/*.png'"),
        ("ftp://host/x", "page.jpg, photos/, 'photos/**/*.png'"),
        ("two\nlines.png", "page.jpg, photos/, 'photos/**/*.png'"),
        ("", "page.jpg, photos/, 'photos/**/*.png'"),
    ],
)
def test_a_source_is_known_by_its_name(source: str, form: str) -> None:
    assert kind_of(source).form == form


def test_what_is_live_moves() -> None:
    assert [kind.form for kind in KINDS if kind.live and not kind.moving] == []
    assert sum(kind.live for kind in KINDS) == 4


def test_a_pattern_gives_its_files_in_order(samples: Path) -> None:
    assert names(f"{samples}/*.jpg") == [f"{samples}/blackboard.jpg", f"{samples}/paper.jpg"]
    assert names(f"{samples.parent}/**/digit.png") == [f"{samples}/digit.png"]
    assert names(f"{samples}/*.gif") == [f"error: {samples}/*.gif: no such file"]


def test_a_file_with_a_patterns_name_is_itself(tmp_path: Path, samples: Path) -> None:
    odd = tmp_path / "page[1].png"
    odd.write_bytes((samples / "digit.png").read_bytes())
    (tmp_path / "page1.png").write_bytes(b"")
    assert names(str(odd)) == [str(odd)]


def test_a_folder_named_like_videos_is_a_folder(tmp_path: Path, samples: Path) -> None:
    folder = tmp_path / "clip.mp4"
    folder.mkdir()
    (folder / "a.png").write_bytes((samples / "digit.png").read_bytes())
    assert names(str(folder)) == [str(folder / "a.png")]
    assert not kind_of(str(folder)).moving


def test_a_pattern_of_folders_gives_each_picture_once(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.png").write_bytes((samples / "digit.png").read_bytes())
    assert names(f"{tmp_path}/**") == [f"{tmp_path}/inner/a.png"]


def test_impossible_names_are_missing_files() -> None:
    assert names("x" * 300) == [f"error: {'x' * 300}: cannot be read: File name too long"]
    assert names(f"{'x' * 300}.mp4") == [f"error: {'x' * 300}.mp4: no such file"]


def test_a_sources_public_name_has_no_password() -> None:
    assert public("rtsp://me:secret@host/x") == "rtsp://host/x"
    assert public("synthetic:3") == "synthetic:3"


def test_unreadable_files_are_yielded_the_rest_read(tmp_path: Path, samples: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "b.png").write_bytes((samples / "digit.png").read_bytes())
    assert names(str(tmp_path)) == [
        f"error: {tmp_path}/a.png: not a picture that Pillow can read",
        str(tmp_path / "b.png"),
    ]
    assert names(str(tmp_path / "none.mp4")) == [f"error: {tmp_path}/none.mp4: no such file"]


def test_standard_input_holds_one_picture(monkeypatch: pytest.MonkeyPatch, samples: Path) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((samples / "digit.png").read_bytes())))
    (frame,) = kind_of("-").frames("-", Options())
    assert isinstance(frame, Frame)
    assert (frame.source, frame.size, frame.moving) == ("-", (160, 160), False)
    monkeypatch.setattr(sys, "stdin", None)
    (error,) = kind_of("-").frames("-", Options())
    assert isinstance(error, PictureError)


def test_a_seed_decides_the_generated_camera() -> None:
    # Its own frames, one by one: a live source gives the newest, which need not be the first on a machine under load.
    def first(source: str) -> str:
        pixels = synthetic.opener(source)().read()
        assert pixels is not None
        return sha256(pixels.tobytes()).hexdigest()

    assert first("synthetic:5") == first("synthetic:5") != first("synthetic:6")
    assert first("synthetic") == first("synthetic:0")
