"""What the doctor says of cameras: on trees as boards have them, with a stand-in for the kernel's answers."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.doctor import findings
from edge_runtime.doctor.checks_cameras import cameras, groups, picamera2, ribbon, sensors
from edge_runtime.doctor.findings import Finding
from edge_runtime.doctor.probe import Probe
from tests.edge_runtime.sources.test_cameras import (
    CFE,
    CODEC,
    ISP,
    ITS_DATA,
    LAPTOP,
    RAW_UNICAM,
    UNICAM,
    WEBCAM,
    Kernel,
)
from tests.edge_runtime.system import boards
from tests.edge_runtime.system.boards import put, runs_in_a_shell

Device = tuple[bytes, bytes, bytes, int, int]
GONE = Probe({}, "No module named 'picamera2'", missing=True)
HERE = Probe({"version": "0.3.30", "cameras": ["imx708"]})
PACKAGE = "usr/lib/python3/dist-packages/picamera2/__init__.py"


@pytest.fixture(autouse=True)
def an_environment_with_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "bundled", lambda: None)


def anybody(path: Path) -> bool:
    return True


def nobody(path: Path) -> bool:
    return False


def plug(root: Path, **devices: Device) -> Kernel:
    """Make device files: video0=WEBCAM."""
    for name in devices:
        put(root, f"dev/{name}", name[5:])
    return Kernel({int(name[5:]): device for name, device in devices.items()})


def statuses(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.name, finding.status) for finding in findings]


def test_a_webcam_and_its_other_file(tmp_path: Path) -> None:
    kernel = plug(tmp_path, video0=WEBCAM, video1=ITS_DATA)
    findings = cameras(tmp_path, ioctl=kernel)
    assert statuses(findings) == [("camera", "ok"), ("device files", "ok")]
    assert findings[0].message == f"{tmp_path}/dev/video0: HD Pro Webcam C920 (uvcvideo, usb-0000:01:00.0-1.3)"
    assert findings[1].message.startswith(f"{tmp_path}/dev/video1: HD Pro Webcam C920 (uvcvideo), no pictures")


def test_a_raspberry_pi_4_with_a_ribbon_camera(tmp_path: Path) -> None:
    boards.pi4(tmp_path)
    kernel = plug(tmp_path, video0=UNICAM, video1=RAW_UNICAM, video10=CODEC, video11=CODEC, video12=CODEC,
                  video18=CODEC, video13=ISP, video14=ISP)  # fmt: skip
    findings = cameras(tmp_path, ioctl=kernel)
    assert [finding.message for finding in findings] == [
        f"{tmp_path}/dev/video10-12, 18: bcm2835-codec, which processes pictures and is not a camera",
        f"{tmp_path}/dev/video13-14: bcm2835-isp, which processes pictures and is not a camera",
        f"{tmp_path}/dev/video0-1: unicam, raw frames of the ribbon cable, for picamera2 only",
    ]
    assert {finding.status for finding in findings} == {"ok"}
    seen = ribbon(tmp_path, ioctl=kernel)
    assert (seen.status, seen.message) == (
        "ok", f"imx219, at {tmp_path}/dev/video0 (unicam): use the source picamera",
    )  # fmt: skip


def test_a_raspberry_pi_5_separates_sensors_from_lenses(tmp_path: Path) -> None:
    assert sensors(boards.pi5(tmp_path)) == ["imx708"]
    kernel = plug(tmp_path, video0=CFE)
    assert ribbon(tmp_path, ioctl=kernel).message.startswith(f"imx708, at {tmp_path}/dev/video0 (rp1-cfe)")


def test_without_a_camera_a_pi_has_device_files(tmp_path: Path) -> None:
    kernel = plug(boards.pi3(tmp_path), video10=CODEC, video13=ISP)
    findings = cameras(tmp_path, ioctl=kernel)
    assert statuses(findings) == [("camera", "warning"), ("device files", "ok"), ("device files", "ok")]
    assert findings[0].message.startswith("none: is one plugged in?")
    assert ribbon(tmp_path, ioctl=kernel).message.startswith("no camera detected; if there is one, reseat its cable")


def test_parts_of_a_laptop_s_camera(tmp_path: Path) -> None:
    findings = cameras(tmp_path, ioctl=plug(tmp_path, video0=LAPTOP))
    assert findings[1].message.endswith("ipu6 (isys), a component that libcamera configures")


def test_a_driver_that_does_not_answer(tmp_path: Path) -> None:
    put(tmp_path, "sys/class/video4linux/video0/name", "An old camera\n")
    put(tmp_path, "dev/video0", "0")  # which is no device: the real kernel says so
    findings = cameras(tmp_path)
    assert statuses(findings) == [("camera", "warning")]
    assert findings[0].message == f"{tmp_path}/dev/video0 (An old camera) does not answer: plug it in again"


def test_no_camera_at_all(tmp_path: Path) -> None:
    assert statuses(cameras(tmp_path)) == [("camera", "warning")]
    assert ribbon(tmp_path).message == "only a Raspberry Pi has one"
    assert groups(tmp_path, user="ann", ids=[1000]).status == "ok"


@pytest.mark.parametrize(
    ("config", "status", "remedy"),
    [
        ("camera_auto_detect=1\n", "ok", None),
        ("dtoverlay=imx708\n", "ok", None),
        ("# camera_auto_detect=1\n", "warning", "echo camera_auto_detect=1 | sudo tee -a {} && sudo reboot"),
        ("camera_auto_detect=1\nstart_x=1\n", "warning", "sudo sed -i '/^ *start_x=1/d' {} && sudo reboot"),
    ],
)
def test_what_the_board_is_told_at_its_start(tmp_path: Path, config: str, status: str, remedy: str | None) -> None:
    path = put(boards.pi3(tmp_path), "boot/firmware/config.txt", config)
    finding = ribbon(tmp_path)
    assert finding.status == status
    assert finding.remedy == (None if remedy is None else remedy.format(path))
    assert remedy is None or runs_in_a_shell(finding.remedy)


@pytest.mark.parametrize(
    ("user", "ids", "may_open", "status", "words", "remedy"),
    [
        ("ann", [1000], nobody, "failed", "may not open", "sudo usermod -aG video ann"),
        ("a b", [1000], nobody, "failed", "may not open", "sudo usermod -aG video 'a b'"),
        ("pi", [1000], nobody, "failed", "not for this session", "newgrp video"),
        ("ann", [1000, 44], nobody, "failed", "is in the group video, but may not open", "ls -l {}/dev/video0"),
        ("ann", [1000], anybody, "ok", "need not be", None),  # a desktop gives whoever sits there the right to
        ("pi", [1000, 44], anybody, "ok", "pi is in the group video", None),
        ("root", [0], anybody, "ok", "root needs no group", None),
    ],
)
def test_who_may_open_cameras(
    tmp_path: Path, user: str, ids: list[int], may_open: Callable[[Path], bool], status: str, words: str,
    remedy: str | None,
) -> None:  # fmt: skip
    plug(tmp_path, video0=WEBCAM)
    put(tmp_path, "etc/group", boards.GROUPS)
    finding = groups(tmp_path, may_open=may_open, user=user, ids=ids)
    assert finding.status == status
    assert words in finding.message
    assert finding.remedy == (None if remedy is None else remedy.format(tmp_path))


def test_a_forbidden_camera_is_not_a_missing_one(tmp_path: Path) -> None:
    plug(tmp_path, video0=WEBCAM, video1=WEBCAM, video2=WEBCAM, video10=WEBCAM)
    assert cameras(tmp_path, may_open=nobody) == []
    put(tmp_path, "etc/group", "root:x:0:\n")
    assert "video0, " in groups(tmp_path, may_open=nobody, user="ann", ids=[1000]).message
    assert "/video2 and 1 more:" in groups(tmp_path, may_open=nobody, user="ann", ids=[1000]).message


def test_picamera2_needs_the_group_on_a_raspberry_pi(tmp_path: Path) -> None:
    finding = groups(boards.pi5(tmp_path), user="ann", ids=[1000])
    assert (finding.status, finding.remedy) == ("warning", "sudo usermod -aG video ann")


def test_the_user_of_this_machine(tmp_path: Path) -> None:
    assert groups(tmp_path).name == "groups"


def test_picamera2_that_works(tmp_path: Path) -> None:
    assert picamera2(HERE, boards.pi5(tmp_path)) == Finding("picamera2", "ok", "0.3.30, finds imx708")
    finding = picamera2(Probe({"version": "", "cameras": []}), tmp_path)
    assert (finding.status, finding.remedy) == ("failed", "rpicam-hello --list-cameras")


def test_picamera2_that_nobody_needs(tmp_path: Path) -> None:
    finding = picamera2(GONE, boards.pi3(tmp_path))
    assert (finding.status, finding.remedy) == ("ok", None)
    assert "only a camera on a ribbon cable needs it" in finding.message


def test_picamera2_that_is_not_installed(tmp_path: Path) -> None:
    finding = picamera2(GONE, boards.pi4(tmp_path))
    assert (finding.status, finding.remedy) == ("failed", "sudo apt-get install -y python3-picamera2")


def test_the_remedy_lets_picamera2_into_the_environment(tmp_path: Path) -> None:
    prefix = tmp_path / "an environment"
    settings = put(prefix, "pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.13.5\n")
    put(boards.pi5(tmp_path), PACKAGE, "")
    finding = picamera2(GONE, tmp_path, prefix=prefix)
    assert finding.status == "failed"
    assert "excludes the system's packages" in finding.message
    assert finding.remedy is not None
    subprocess.run(["sh", "-c", finding.remedy], check=True)
    assert settings.read_text() == "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.13.5\n"
    finding = picamera2(GONE, tmp_path, prefix=prefix)
    assert "has another one" in finding.message
    assert finding.remedy == f"/usr/bin/python3 -m venv --clear --system-site-packages '{prefix}'"


@pytest.mark.parametrize(
    ("why", "remedy"),
    [
        ("the system's picamera2 was built for another numpy version: pip", "-m pip install --upgrade simplejpeg"),
        ("numpy.dtype size changed, may indicate binary incompatibility", "-m pip install --upgrade simplejpeg"),
        ("No module named 'numpy'", "-m pip install numpy"),
        ("no answer within 30 s", "apt-get install --reinstall -y python3-picamera2"),
    ],
)
def test_picamera2_that_does_not_work(tmp_path: Path, why: str, remedy: str) -> None:
    finding = picamera2(Probe({}, why), boards.pi5(tmp_path))
    assert finding.status == "failed"
    assert finding.remedy is not None
    assert remedy in finding.remedy
    assert runs_in_a_shell(finding.remedy)
