"""picamera2 is on no other machine than a Raspberry Pi: fake_picamera2.py stands in for it."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.errors import DependencyMissing, SourceError
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.pipeline import Report, run
from edge_runtime.records import Frame, Reading, Uint8
from edge_runtime.sinks.sink import Sink
from edge_runtime.sources import picamera
from edge_runtime.sources.kinds import kind_of
from edge_runtime.sources.options import Options, Settings, Timeouts
from edge_runtime.trace import Trace
from tests.edge_runtime.sources.fake_picamera2 import AfModeEnum, Sensor, installed
from tests.log import Log

Install = Callable[..., None]
Modes = tuple[tuple[tuple[int, int], float, float], ...]
PATIENT = Timeouts(stall=60)
IMX219 = (
    ((640, 480), 0.39, 206.65),
    ((1640, 1232), 1.0, 41.85),
    ((1920, 1080), 0.585, 47.57),
    ((3280, 2464), 1.0, 21.19),
)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return what plugs cameras in; all of them have to be closed in the end."""
    monkeypatch.setenv("LIBCAMERA_LOG_LEVELS", "")
    monkeypatch.delenv("LIBCAMERA_LOG_LEVELS")  # so that what is set meanwhile is taken back
    log = logging.getLogger("picamera2")
    level, plugged = log.level, list[Sensor]()

    def plug(*sensors: Sensor) -> None:
        plugged.extend(sensors)
        installed(monkeypatch, *sensors)

    yield plug
    join()
    log.setLevel(level)
    assert [sensor for sensor in plugged if sensor.owner is not None] == []


def join() -> None:
    """Wait until every camera is closed: on a busy machine that takes longer than anybody waits for elsewhere."""
    for thread in threading.enumerate():
        if thread.name.lower().startswith("capture picamera"):
            thread.join(60)


def frame_of(name: str, options: Options) -> Frame:
    """Return the first frame of a source."""
    with closing(kind_of(name).frames(name, options)) as frames:
        frame = next(frames)
    join()
    assert isinstance(frame, Frame)
    return frame


def first(name: str, **settings: object) -> Uint8:
    """Return the first picture of a source."""
    return frame_of(name, Options(settings=Settings(**settings), timeouts=PATIENT)).pixels  # type: ignore[arg-type]


def noise(width: int, height: int) -> Uint8:
    return np.random.default_rng(3).integers(0, 256, (height, width), np.uint8)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (500, 376), (100, 74), (64, 64), (2, 2), (1640, 1232)])
def test_the_picture_is_the_gray_plane_unpadded(install: Install, width: int, height: int) -> None:
    scene = noise(width, height)
    install(Sensor(scene=scene))
    pixels = first("picamera", size=(width, height))
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, scene)  # from 0 to 255, as it is
    assert pixels.flags.c_contiguous


def test_frames_survive_reuse_of_their_memory(install: Install) -> None:
    sensor = Sensor(scene=noise(640, 480))
    install(sensor)
    capture = picamera.opener("picamera", Options(timeouts=PATIENT))()
    kept = [capture.read() for _ in range(20)]  # five times as many as there are buffers
    capture.close()
    assert all(pixels is not None and np.array_equal(pixels, sensor.scene) for pixels in kept)


def test_frames_are_live_and_name_their_source(install: Install) -> None:
    install(Sensor())
    frame = frame_of("picamera", Options(timeouts=PATIENT))
    assert (frame.source, frame.moving) == ("picamera", True)
    assert frame.index == frame.dropped  # none on a machine that has time for all
    assert frame.taken is not None


@pytest.mark.parametrize(
    ("asked", "got"),
    [((641, 479), (640, 478)), ((1, 1), (2, 2)), ((10_000, 10_000), (4608, 2592)), (None, (640, 480))],
)
def test_an_impossible_size_becomes_the_nearest(
    install: Install, asked: tuple[int, int] | None, got: tuple[int, int]
) -> None:
    sensor = Sensor()
    install(sensor)
    assert first("picamera", size=asked).shape == got[::-1]
    assert sensor.configurations[0]["main"]["size"] == got


def test_the_size_is_what_libcamera_makes_of_it(install: Install) -> None:
    install(Sensor(scene=noise(320, 240), adjusted=(320, 240)))
    assert first("picamera", size=(300, 200)).shape == (240, 320)


@pytest.mark.parametrize("modes", [Sensor().modes, IMX219, (((1456, 1088), 1.0, 60.0),)])
@pytest.mark.parametrize("size", [(640, 480), (1280, 960)])
def test_the_whole_field_of_view_is_seen(install: Install, modes: Modes, size: tuple[int, int]) -> None:
    scene = np.full((size[1], size[0]), 200, np.uint8)
    scene[0, 0] = scene[-1, -1] = 10  # in the corners, which the modes next to this size do not see
    install(Sensor(scene=scene, modes=modes))
    pixels = first("picamera", size=size)
    assert (pixels[0, 0], pixels[-1, -1], pixels[5, 5]) == (10, 10, 200)


def test_a_large_size_takes_all_sensor_pixels(install: Install) -> None:
    sensor = Sensor()
    install(sensor)
    first("picamera", size=(2306, 1296))
    first("picamera", size=(2304, 1296))
    assert [made["raw"]["size"] for made in sensor.configurations] == [(4608, 2592), (2304, 1296)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"AfMode": AfModeEnum.Continuous}),
        ({"focus": "auto"}, {"AfMode": AfModeEnum.Continuous}),
        ({"focus": "2.5"}, {"AfMode": AfModeEnum.Manual, "LensPosition": 2.5}),
        ({"focus": "0"}, {"AfMode": AfModeEnum.Manual, "LensPosition": 0.0}),
        ({"focus": "999999"}, {"AfMode": AfModeEnum.Manual, "LensPosition": 15.0}),
    ],
)
def test_a_module_that_can_focus_does(install: Install, settings: dict[str, str], expected: dict[str, object]) -> None:
    sensor = Sensor()
    install(sensor)
    first("picamera", **settings)
    assert sensor.controls == {"FrameDurationLimits": (33_333, 83_333), **expected}


@pytest.mark.parametrize("focus", [None, "auto", "2.5"])
def test_fixed_focus_modules_are_not_asked_to_focus(install: Install, focus: str | None) -> None:
    sensor = Sensor("imx219", autofocus=False)
    install(sensor)
    first("picamera", focus=focus)
    assert sensor.controls == {"FrameDurationLimits": (33_333, 83_333)}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"fps": 10}, {"FrameDurationLimits": (100_000, 100_000)}),
        ({"fps": 1000}, {"FrameDurationLimits": (17_849, 17_849)}),  # as fast as it can
        ({"fps": 1e-300}, {"FrameDurationLimits": (220_535_845, 220_535_845)}),
        ({"exposure": 8000.4}, {"ExposureTime": 8000, "FrameDurationLimits": (33_333, 83_333)}),
        ({"exposure": 200_000}, {"ExposureTime": 200_000, "FrameDurationLimits": (33_333, 200_000)}),
        ({"exposure": 50_000, "fps": 30}, {"ExposureTime": 50_000, "FrameDurationLimits": (33_333, 50_000)}),
        ({"exposure": -5}, {"ExposureTime": 26, "FrameDurationLimits": (33_333, 83_333)}),
        ({"exposure": 1e300}, {"ExposureTime": 220_417_486, "FrameDurationLimits": (33_333, 220_417_486)}),
    ],
)
def test_rate_and_exposure_stay_in_range(
    install: Install, settings: dict[str, float], expected: dict[str, object]
) -> None:
    sensor = Sensor(autofocus=False)
    install(sensor)
    first("picamera", **settings)
    assert sensor.controls == expected


def test_the_second_camera_is_on_the_second_cable(install: Install) -> None:
    on_usb = "/base/scb/pcie@7d500000/pci@0,0/usb@0,0-1.3:1.0-046d:0825"
    shades = [Sensor(f"model{shade}", scene=np.full((48, 64), shade, np.uint8)) for shade in (10, 20, 30)]
    shades[1].id = on_usb
    install(*shades)
    assert picamera.models() == [(0, "model10"), (2, "model30")]
    assert [int(first(name, size=(64, 48))[0, 0]) for name in ("picamera", "picamera:0", "PiCamera:1")] == [10, 10, 30]
    with pytest.raises(SourceError) as caught:
        first("picamera:2")
    assert str(caught.value) == (
        "picamera:2: no such camera: picamera2 finds only 2; is the ribbon cable seated at both ends?"
    )


def test_no_camera_is_said_in_one_line(install: Install) -> None:
    install()
    with pytest.raises(SourceError) as caught:
        first("picamera")
    assert str(caught.value) == (
        "picamera: no such camera: picamera2 finds none; is the ribbon cable seated at both ends?"
    )


def test_a_busy_camera_is_said_to_be(install: Install) -> None:
    sensor = Sensor(taken=True)
    install(sensor)
    with pytest.raises(SourceError) as caught:
        first("picamera")
    assert str(caught.value) == (
        "picamera: this camera cannot be opened: another program may be using it "
        "(Camera __init__ sequence did not complete.)"
    )
    sensor.taken = False
    first("picamera")
    first("picamera")  # it was closed in between


def test_a_camera_that_does_not_start_is_closed(install: Install) -> None:
    install(Sensor(broken="Failed to start camera: No space left on device" + "\n" + 500 * "x "))
    with pytest.raises(SourceError) as caught:
        first("picamera")
    message = str(caught.value)
    assert message.startswith(
        "picamera: this camera cannot be started: Failed to start camera: No space left on device"
    )
    assert "\n" not in message
    assert len(message) < 300


def test_an_error_in_listing_cameras_is_one_line(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(Sensor())

    def failing() -> None:
        raise RuntimeError("Failed to start\ncamera manager")

    monkeypatch.setattr(sys.modules["picamera2"].Picamera2, "global_camera_info", failing)
    with pytest.raises(SourceError) as caught:
        first("picamera")
    assert str(caught.value) == "picamera2 cannot list the cameras: Failed to start camera manager"


def test_a_camera_that_falls_silent_is_opened_again(
    install: Install, monkeypatch: pytest.MonkeyPatch, messages: Log
) -> None:
    sensor = Sensor()
    install(sensor)
    monkeypatch.setattr(picamera, "START", 0.5)

    class Configurations(list[dict[str, Any]]):
        """Let the camera speak again once it is opened a second time; which thread notices the silence is chance."""

        def append(self, configuration: dict[str, Any]) -> None:
            super().append(configuration)
            sensor.silent = sensor.silent and len(self) < 2

    sensor.configurations = Configurations()
    timeouts = Timeouts(stall=0.5, pauses=(0.0,))
    with closing(kind_of("picamera").frames("picamera", Options(timeouts=timeouts))) as frames:
        next(frames)
        sensor.silent = True
        while len(sensor.configurations) < 2:
            next(frames)
        next(frames)
    lines = {
        "picamera: no frame for 0.5 s",
        "picamera: no frame for 0.5 s; is the ribbon cable seated at both ends?; trying again",
    }
    assert messages[0] in lines
    assert "picamera: it sends frames again" in messages


def test_a_silent_camera_is_given_time_to_start(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    assert picamera.START >= 1
    monkeypatch.setattr(picamera, "START", 0.3)
    install(Sensor(silent=True))
    impatient = Options(timeouts=Timeouts(stall=0.1, retries=0))
    with pytest.raises(SourceError) as caught:
        frame_of("picamera", impatient)
    assert str(caught.value) == "picamera: no frame for 0.3 s; is the ribbon cable seated at both ends?"


def test_modes_are_listed_while_the_sensor_is_free(install: Install) -> None:
    install(Sensor(), Sensor(taken=True))
    assert picamera.sensor_modes(0)[1] == ("SBGGR10_CSI2P", (2304, 1296), 56.03)
    assert picamera.sensor_modes(1) == []


@pytest.mark.parametrize("module", ["picamera2", "libcamera"])
def test_what_is_missing_names_what_to_install(install: Install, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    install(Sensor())
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DependencyMissing) as caught:
        first("picamera")
    message = str(caught.value)
    assert message.endswith(
        ": sudo apt install python3-picamera2, and python3 -m venv --system-site-packages for the environment"
    )
    assert module in message
    assert (message.count("\n"), caught.value.exit_code) == (0, 2)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility. Expected 96, got 88')",
            "the system's picamera2 was built for another numpy version: pip install --upgrade simplejpeg, or "
            "pip install 'numpy<2'",
        ),
        (
            "raise ImportError('numpy.core.multiarray failed to import')",
            "the system's picamera2 was built for another numpy version: pip install --upgrade simplejpeg, or "
            "pip install 'numpy<2'",
        ),
        (
            "raise AttributeError('no such\\nthing')",
            "no such thing: sudo apt install python3-picamera2, and python3 -m venv --system-site-packages for the "
            "environment",
        ),
    ],
)
def test_an_incompatible_picamera2_is_one_line(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, message: str
) -> None:
    install()
    monkeypatch.delitem(sys.modules, "picamera2")
    (tmp_path / "picamera2.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DependencyMissing) as caught:
        first("picamera")
    assert str(caught.value) == message


def test_native_logs_stay_off_standard_error(install: Install, capfd: pytest.CaptureFixture[str]) -> None:
    install(Sensor())
    first("picamera")
    logging.getLogger("picamera2.picamera2").critical("Camera now open.")
    assert os.environ["LIBCAMERA_LOG_LEVELS"] == "*:FATAL"
    assert capfd.readouterr() == ("", "")


def test_who_wants_to_hear_libcamera_does(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(Sensor())
    monkeypatch.setenv("LIBCAMERA_LOG_LEVELS", "*:DEBUG")
    first("picamera")
    assert os.environ["LIBCAMERA_LOG_LEVELS"] == "*:DEBUG"


class Memory(Sink):
    def __init__(self) -> None:
        self.readings: list[Reading] = []

    def frame(self, frame: Frame, trace: Trace) -> None:
        self.readings.append(trace.reading)


@pytest.mark.parametrize("size", [(640, 480), (500, 376)])
def test_a_page_is_read(
    install: Install, reader: DigitReader, digits: tuple[Uint8, Uint8], size: tuple[int, int]
) -> None:
    images, labels = digits
    chosen = [int(np.flatnonzero(labels == label)[3]) for label in (2, 7, 4, 1)]
    style = PageStyle(digit_height=(64, 64))
    page = draw_page(images[chosen], labels[chosen], np.random.default_rng(1), style).pixels
    install(Sensor(scene=np.asarray(page.mean(axis=2) if page.ndim == 3 else page, np.uint8)))
    memory = Memory()
    options = Options(frames=3, settings=Settings(size=size), timeouts=PATIENT)
    run(["picamera"], reader, [memory], options, Report(), lambda error: None)
    assert [reading.text for reading in memory.readings] == [("2741",)] * 3
    assert {(reading.width, reading.height) for reading in memory.readings} == {size}
