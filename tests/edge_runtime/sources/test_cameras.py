"""There may be no camera here: stand-ins for the kernel and for OpenCV answer as they do."""

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import pytest

from edge_runtime.errors import DependencyMissing, SourceError
from edge_runtime.records import Uint8
from edge_runtime.sources import camera_list
from edge_runtime.sources.camera_list import Listed, Mode, cameras, lines, nodes
from edge_runtime.sources.cameras import Camera, opener
from edge_runtime.sources.options import Options, Settings
from edge_runtime.sources.picamera import PiCamera
from tests.edge_runtime.sources.fake_picamera2 import Sensor, installed

MISSING = "sudo apt install python3-picamera2, and python3 -m venv --system-site-packages for the environment"
# How drivers present themselves: (driver, card, bus, capabilities of the device, capabilities of this file of it).
WEBCAM = (b"uvcvideo", b"HD Pro Webcam C920", b"usb-0000:01:00.0-1.3", 0x84A00001, 0x04200001)
ITS_DATA = (b"uvcvideo", b"HD Pro Webcam C920", b"usb-0000:01:00.0-1.3", 0x84A00001, 0x04A00000)
OLD = (b"gspca", b"An old camera", b"usb-1", 0x05000001, 0)  # of before capabilities were told by file
UNICAM = (b"unicam", b"unicam", b"platform:fe801000.csi", 0xA5A00001, 0x25200001)
RAW_UNICAM = (b"unicam", b"unicam", b"platform:fe801000.csi", 0x85A00001, 0x05200001)
CFE = (b"rp1-cfe", b"rp1-cfe", b"platform:1f00110000.csi", 0xACA00001, 0x24A00001)
CFE2 = (b"rp1-cfe", b"rp1-cfe", b"platform:1f00128000.csi", 0xACA00001, 0x24A00001)
ISP = (b"bcm2835-isp", b"bcm2835-isp", b"platform:bcm2835-isp", 0x85200001, 0x05200001)
CODEC = (b"bcm2835-codec", b"bcm2835-codec-decode", b"platform:bcm2835-codec", 0x84204000, 0x04204000)
LAPTOP = (b"isys", b"ipu6", b"PCI:pci:0000:00:05.0", 0xA4201001, 0x24200001)  # a part of a pipeline, too


Answer = TypeVar("Answer")


def at(answers: tuple[Answer, ...], index: int) -> Answer:
    """Return one of a list, which ends as the kernel's do."""
    if index >= len(answers):
        raise OSError(errno.EINVAL, "Invalid argument")
    return answers[index]


@dataclass
class Kernel:
    """Answers ioctl for files that hold the number of a device, as the kernel does."""

    devices: dict[int, tuple[bytes, bytes, bytes, int, int]] = field(default_factory=dict)
    formats: tuple[bytes, ...] = (b"MJPG", b"YUYV")
    sizes: tuple[tuple[int, ...], ...] = ((1, 1280, 720), (1, 640, 480))
    intervals: tuple[tuple[int, ...], ...] = ((1, 1, 30), (1, 1001, 30000), (1, 1, 15))
    refuses: int = 0  # a request that the driver does not know

    def __call__(self, file: int, request: int, data: bytearray) -> int:
        device = self.devices[int(os.pread(file, 8, 0))]
        layouts = {
            0x80685600: "=16s32s32s3I12x",
            0xC0405602: "=3I32s2I12x",
            0xC02C564A: "=3I24x8x",
            0xC034564B: "=5I24x8x",
        }
        assert struct.calcsize(layouts[request]) == len(data)
        index, first, *_ = struct.unpack_from("=3I", data)
        if request == self.refuses:
            raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        if request == 0x80685600:
            driver, card, bus, every, own = device
            struct.pack_into("=16s32s32s3I", data, 0, driver, card, bus, 0x061233, every, own)
        elif request == 0xC0405602:
            assert first == 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
            code = at(self.formats, index)
            struct.pack_into("=I32s4s", data, 8, 0, b"what a person calls it", code)
        elif request == 0xC02C564A:
            assert struct.pack("<I", first) in self.formats
            size = at(self.sizes, index)
            struct.pack_into(f"={len(size)}I", data, 8, *size)
        else:
            assert struct.pack("<I", first) in self.formats
            rate = at(self.intervals, index)
            struct.pack_into(f"={len(rate)}I", data, 16, *rate)
        return 0


Plug = Callable[..., Kernel]


@pytest.fixture
def plug(tmp_path: Path) -> Plug:
    """Return what makes device files: video0=WEBCAM."""

    def make(**devices: tuple[bytes, bytes, bytes, int, int]) -> Kernel:
        for name in devices:
            (tmp_path / name).write_text(name[5:])
        return Kernel({int(name[5:]): device for name, device in devices.items()})

    return make


@pytest.fixture(autouse=True)
def without_picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)


class Video:
    """What cv2.VideoCapture does for a device file of which `opens` and `frames` are told beforehand."""

    opens = True
    frames: tuple[Uint8 | None, ...] = ()
    opened: tuple[str, ...] = ()

    def __init__(self, path: str, backend: int) -> None:
        assert backend == cv2.CAP_V4L2
        type(self).opened += (path,)
        self._left: Iterator[Uint8 | None] = iter(self.frames)
        self.asked: dict[int, float] = {}

    def isOpened(self) -> bool:
        return self.opens

    def set(self, name: int, value: float) -> bool:
        self.asked[name] = value
        return True

    def read(self) -> tuple[bool, Uint8 | None]:
        frame = next(self._left, None)
        return frame is not None, frame

    def release(self) -> None:
        self._left = iter(())


@pytest.fixture
def video(monkeypatch: pytest.MonkeyPatch) -> type[Video]:
    monkeypatch.setenv("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")  # which is set by opening one, and taken back so
    kind = type("Video", (Video,), {})
    monkeypatch.setattr(cv2, "VideoCapture", kind)
    return kind


def chosen(name: str, folder: Path, kernel: Kernel, video: type[Video]) -> str:
    """Return the device file that a source's name opens."""
    opener(name, Options(), folder, kernel)().close()
    return Path(video.opened[-1]).name


def test_the_requests_are_the_kernel_s() -> None:
    # _IOR('V', 0, 104), _IOWR('V', 2, 64), _IOWR('V', 74, 44), _IOWR('V', 75, 52)
    def request(way: int, number: int, size: int) -> int:
        return way << 30 | size << 16 | ord("V") << 8 | number

    assert request(2, 0, 104) == camera_list.QUERYCAP
    assert request(3, 2, 64) == camera_list.ENUM_FMT
    assert request(3, 74, 44) == camera_list.ENUM_FRAMESIZES
    assert request(3, 75, 52) == camera_list.ENUM_FRAMEINTERVALS


def test_a_camera_is_listed_with_its_modes(tmp_path: Path, plug: Plug) -> None:
    kernel = plug(video8=WEBCAM, video9=ITS_DATA)
    links = tmp_path / "v4l" / "by-id"
    links.mkdir(parents=True)
    (links / "usb-046d_HD_Pro_Webcam_C920-video-index0").symlink_to("../../video8")
    (links / "usb-046d_HD_Pro_Webcam_C920-video-index1").symlink_to("../../video9")
    (camera,) = cameras(tmp_path, kernel)
    rates = (30.0, 30000 / 1001, 15.0)
    assert camera == Listed(
        "HD Pro Webcam C920",
        ("camera:8", f"{tmp_path}/video8", f"{links}/usb-046d_HD_Pro_Webcam_C920-video-index0"),
        tuple(Mode(name, size, fps=rates) for name in ("MJPG", "YUYV") for size in ((1280, 720), (640, 480))),
    )
    assert list(lines([camera])) == [
        "HD Pro Webcam C920",
        f"    camera:8, {tmp_path}/video8, {links}/usb-046d_HD_Pro_Webcam_C920-video-index0",
        "    MJPG: 1280x720 at 30, 29.97, 15; 640x480 at 30, 29.97, 15",
        "    YUYV: 1280x720 at 30, 29.97, 15; 640x480 at 30, 29.97, 15",
    ]


def test_ranges_of_sizes_and_rates_are_shown(tmp_path: Path, plug: Plug) -> None:
    kernel = plug(video0=WEBCAM)
    kernel.formats, kernel.sizes = (b"GREY",), ((3, 16, 1920, 2, 32, 1080, 4),)
    kernel.intervals = ((2, 1, 60, 1, 5, 0, 0),)
    (camera,) = cameras(tmp_path, kernel)
    assert camera.modes == (Mode("GREY", (16, 32), (1920, 1080), (60.0, 5.0)),)
    assert list(lines([camera]))[2:] == ["    GREY: 16x32 to 1920x1080 at 60, 5"]


def test_what_a_driver_omits_is_left_out(tmp_path: Path, plug: Plug) -> None:
    kernel = plug(video0=OLD)
    kernel.refuses = camera_list.ENUM_FRAMEINTERVALS
    assert [mode.fps for mode in cameras(tmp_path, kernel)[0].modes] == [()] * 4
    assert list(lines(cameras(tmp_path, kernel)))[-1] == "    YUYV: 1280x720; 640x480"
    kernel.refuses = camera_list.ENUM_FRAMESIZES
    assert cameras(tmp_path, kernel) == [Listed("An old camera", ("camera:0", f"{tmp_path}/video0"))]
    kernel.refuses = camera_list.QUERYCAP
    assert cameras(tmp_path, kernel) == []


def test_an_endless_or_senseless_driver_is_harmless(tmp_path: Path, plug: Plug) -> None:
    kernel = plug(video0=(b"\xff" * 16, b"a\x1b[31m\nb" + b"x" * 24, b"\0" * 32, 0x80000001, 0x1))
    kernel.formats = (b"\0\xff\n\x81",) * 1000
    kernel.sizes, kernel.intervals = ((1, 0, 0),) * 2, ((1, 0, 30), (7, 0, 0, 0, 0))
    (camera,) = cameras(tmp_path, kernel)
    assert camera.name == "a?[31m?b" + "x" * 24
    assert len(camera.modes) == 200
    assert {mode.fps for mode in camera.modes} == {()}
    assert all(line.isprintable() for line in lines([camera]))


def test_files_that_are_no_cameras_are_passed_over(tmp_path: Path, plug: Plug) -> None:
    kernel = plug(video0=WEBCAM, video10=CODEC, video9=ISP, video2=LAPTOP)
    (tmp_path / "video1").mkdir()
    (tmp_path / "video3").symlink_to("nothing")
    for name in ("videoX", "video-0", "video", "vide0"):
        (tmp_path / name).write_text("0")
    assert [(node.path.name, node.usable) for node in nodes(tmp_path, kernel)] == [
        ("video0", True),
        ("video2", False),
        ("video9", False),
        ("video10", False),
    ]
    assert [camera.sources[0] for camera in cameras(tmp_path, kernel)] == ["camera:0"]
    assert cameras(tmp_path / "none", kernel) == []


def test_cameras_on_ribbon_cables_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plug: Plug) -> None:
    installed(monkeypatch, Sensor(), Sensor("imx219", modes=(((640, 480), 1.0, 206.65),)), Sensor("c920", id="/usb@1"))
    kernel = plug(video0=CFE, video1=CFE, video8=WEBCAM)
    listed = cameras(tmp_path, kernel)
    assert [(camera.name, camera.sources[0]) for camera in listed] == [
        ("imx708, on a ribbon cable", "picamera"),
        ("imx219, on a ribbon cable", "picamera:1"),
        ("HD Pro Webcam C920", "camera:8"),
    ]
    assert list(lines(listed[:2])) == [
        "imx708, on a ribbon cable",
        "    picamera",
        "    SBGGR10_CSI2P: 1536x864 at 120.13; 2304x1296 at 56.03; 4608x2592 at 14.35",
        "imx219, on a ribbon cable",
        "    picamera:1",
        "    SBGGR10_CSI2P: 640x480 at 206.65",
    ]


def test_cameras_only_for_picamera2_are_listed(tmp_path: Path, plug: Plug) -> None:
    kernel = plug(video0=CFE, video1=CFE, video8=CFE2, video20=ISP)
    listed = cameras(tmp_path, kernel)
    assert [(camera.name, camera.sources, camera.modes) for camera in listed] == [
        ("A camera on a ribbon cable", ("picamera",), ()),
        ("A camera on a ribbon cable", ("picamera:1",), ()),
    ]
    problem = list(lines(listed))[2]
    assert "picamera2" in problem
    assert problem.endswith(MISSING)


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ({"video0": CFE, "video1": CFE, "video8": WEBCAM, "video9": ITS_DATA}, "video8"),
        ({"video0": ITS_DATA, "video2": OLD, "video10": WEBCAM}, "video2"),
        ({"video9": WEBCAM, "video10": WEBCAM}, "video9"),
        ({"video0": RAW_UNICAM, "video14": ISP, "video10": CODEC, "video31": WEBCAM}, "video31"),
        ({"video0": UNICAM}, "video0"),
    ],
)
def test_camera_is_the_first_that_gives_pictures(
    tmp_path: Path,
    plug: Plug,
    video: type[Video],
    devices: dict[str, tuple[bytes, bytes, bytes, int, int]],
    expected: str,
) -> None:
    assert chosen("camera", tmp_path, plug(**devices), video) == expected


def test_numbers_and_paths_name_what_they_say(tmp_path: Path, plug: Plug, video: type[Video]) -> None:
    kernel = plug(video0=UNICAM, video1=WEBCAM, video2=WEBCAM)
    assert chosen("camera:0", tmp_path, kernel, video) == "video0"
    assert chosen("Camera:2", tmp_path, kernel, video) == "video2"
    assert chosen(f"{tmp_path}/video0", tmp_path, kernel, video) == "video0"


def test_camera_is_a_ribbon_camera_with_picamera2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plug: Plug, video: type[Video]
) -> None:
    kernel = plug(video0=CFE, video8=WEBCAM)
    installed(monkeypatch, Sensor("c920", id="/base/scb/pcie@7d500000/usb@1"))
    assert chosen("camera", tmp_path, kernel, video) == "video8"
    shown = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)
    installed(monkeypatch, Sensor("c920", id="/base/scb/pcie@7d500000/usb@1"), Sensor(scene=shown))
    options = Options(settings=Settings(size=(64, 48)))
    for name in ("camera", "CAMERA"):
        capture = opener(name, options, tmp_path, kernel)()
        assert isinstance(capture, PiCamera)
        assert np.array_equal(capture.read(), shown)
        capture.close()
    assert chosen("camera:8", tmp_path, kernel, video) == "video8"


def test_a_picamera2_without_cameras_is_silent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plug: Plug, video: type[Video], capfd: pytest.CaptureFixture[str]
) -> None:
    kernel = plug(video8=WEBCAM)
    installed(monkeypatch)

    def failing() -> None:
        raise RuntimeError("no camera manager")

    monkeypatch.setattr(sys.modules["picamera2"].Picamera2, "global_camera_info", failing)
    assert chosen("camera", tmp_path, kernel, video) == "video8"
    assert capfd.readouterr() == ("", "")


def test_without_cameras_the_first_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        opener("camera", Options(), tmp_path, Kernel())()
    assert str(caught.value) == f"{tmp_path}/video0: there is no such camera; is it plugged in?"


@pytest.mark.parametrize("device", [UNICAM, RAW_UNICAM, CFE, ISP])
@pytest.mark.parametrize("opens", [True, False])
def test_a_ribbon_camera_is_known_by_its_driver(
    tmp_path: Path, plug: Plug, video: type[Video], device: tuple[bytes, bytes, bytes, int, int], opens: bool
) -> None:
    video.opens = opens
    kernel = plug(video0=device)
    with pytest.raises(SourceError) as caught:
        opener("camera:0", Options(), tmp_path, kernel)().read()
    assert str(caught.value) == (
        f"{tmp_path}/video0: a camera on a Raspberry Pi's ribbon cable sends no frame this way: use the source "
        f"picamera, which needs picamera2 ({MISSING})"
    )


def test_a_working_ribbon_camera_is_read(tmp_path: Path, plug: Plug, video: type[Video]) -> None:
    video.frames = (np.full((48, 64, 3), 7, np.uint8),)  # as converters from HDMI do
    camera = Camera(tmp_path / "video0", Settings(), 5, plug(video0=RAW_UNICAM))
    pixels = camera.read()
    assert pixels is not None
    assert (pixels.shape, int(pixels[0, 0, 0])) == ((48, 64, 3), 7)
    assert camera.read() is None  # unplugged


def test_another_camera_may_fail_at_first(tmp_path: Path, plug: Plug, video: type[Video]) -> None:
    kernel = plug(video0=WEBCAM)
    video.frames = (None, None, np.zeros((48, 64, 3), np.uint8))
    assert Camera(tmp_path / "video0", Settings(), 5, kernel).read() is not None
    video.frames = (None, None, None, np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(SourceError) as caught:
        Camera(tmp_path / "video0", Settings(), 5, kernel).read()
    assert str(caught.value) == f"{tmp_path}/video0: it opens, but sends no frame; try another --size"


def test_a_forbidden_camera_is_said_to_be(tmp_path: Path, plug: Plug, video: type[Video]) -> None:
    video.opens = False
    with pytest.raises(SourceError, match="this camera cannot be opened: another program may be using it"):
        Camera(tmp_path / "video0", Settings(), 5, plug(video0=WEBCAM))


def test_picamera_itself_says_what_is_missing() -> None:
    from edge_runtime.sources.kinds import kind_of

    with pytest.raises(DependencyMissing, match="sudo apt install python3-picamera2"):
        kind_of("picamera").frames("picamera", Options())
