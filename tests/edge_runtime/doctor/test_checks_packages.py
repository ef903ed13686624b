"""What the doctor says of packages: real ones, missing ones, such as crash, hang or were built for another numpy."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from edge_runtime.doctor import checks_packages, checks_system, findings
from edge_runtime.doctor.checks_packages import interpreter, numpy_abi, opencv
from edge_runtime.doctor.findings import bundled
from edge_runtime.doctor.probe import MODULES, PROBES, Probe, Tried, probe
from tests.edge_runtime.system.boards import put

PIP = f"{sys.executable} -m pip"
HEADLESS = ("opencv-python-headless",)
WHEEL = """
  GUI:                           NONE
  Video I/O:
    FFMPEG:                      YES
    v4l/v4l2:                    YES (linux/videodev2.h)
"""
DEBIAN = """
  GUI:                           GTK3
    GTK+:                        YES (ver 3.24.38)
  Video I/O:
    FFMPEG:                      NO
    GStreamer:                   YES (1.22.0)
    v4l/v4l2:                    YES (linux/videodev2.h)
"""
# What is said where numpy 2 meets a module that was built for numpy 1.
OLD_MODULE = """
A module that was compiled using NumPy 1.x cannot be run in
NumPy 2.4.6 as it may crash.
"""


@pytest.fixture(autouse=True)
def an_environment_with_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "bundled", lambda: None)


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder whose modules are found before all others."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def built(build: str, **said: str) -> Probe:
    return Probe({"version": "4.12.0", "file": "cv2.so", "build": build, **said})


@pytest.mark.parametrize("what", ["numpy", "opencv", "pillow", "interpreter"])
def test_what_is_installed_here_works(what: str) -> None:
    result = probe(what)
    assert result.works, result
    assert result.said["version"]


def test_each_can_be_missing() -> None:
    assert MODULES.keys() == PROBES.keys()


def test_they_are_tried_once(first: Path) -> None:
    put(first, "numpy.py", f"import pathlib; pathlib.Path({str(first)!r}, 'tried').open('a').write('1\\n')\n1/0")
    tried = Tried(["numpy", "pillow"])
    assert tried["numpy"].why == tried["numpy"].why == "division by zero"
    assert tried["pillow"].works
    assert (first / "tried").read_text() == "1\n"


@pytest.mark.parametrize(
    ("module", "words", "missing"),
    [
        ("raise ModuleNotFoundError(\"No module named 'numpy'\", name='numpy')", "No module named 'numpy'", True),
        ("import none_such", "No module named 'none_such'", False),
        ("import os; os.abort()", "it crashes Python on this processor (SIGABRT)", False),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "(SIGILL)", False),
        ("import os; os._exit(3)", "it ends with exit code 3", False),
        ("raise SystemExit('no')", "no", False),
        ("print('hallo'); raise AttributeError('_ARRAY_API not found')", "_ARRAY_API not found", False),
        ("raise KeyError", "KeyError", False),
        ("__version__ = {}", "has no attribute 'ones'", False),
    ],
)
def test_packages_that_do_not_work(first: Path, module: str, words: str, missing: bool) -> None:
    put(first, "numpy.py", module)
    result = probe("numpy")
    assert not result.works
    assert words in result.why
    assert result.missing == missing
    finding = checks_packages.plain("numpy", result)
    assert finding.status == "failed"
    assert finding.remedy == f"{PIP} install {'numpy' if missing else '--force-reinstall numpy'}"


def test_a_package_that_hangs(first: Path) -> None:
    put(first, "PIL/__init__.py", "import time; time.sleep(600)")
    result = probe("pillow", 0.5)
    assert result.why == "no answer within 0.5 s"
    assert checks_packages.plain("pillow", result).status == "failed"


def test_a_python_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/none/python")
    assert probe("numpy").why == "/none/python cannot be started"


def test_what_a_package_prints_does_no_harm(first: Path) -> None:
    put(first, "PIL/__init__.py", "print('Loading ...'); __version__ = '1'")
    put(first, "PIL/Image.py", "")
    assert probe("pillow") == Probe({"version": "1"})
    assert checks_packages.plain("pillow", probe("pillow")).message == "1"


def test_a_picamera2_that_finds_cameras(first: Path) -> None:
    info = [{"Model": "imx708", "Id": "/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a"},
            {"Model": "C920", "Id": "/base/axi/usb@200000-1:1.0-046d:08e5"}]  # fmt: skip
    put(first, "picamera2.py", f"class Picamera2:\n    global_camera_info = staticmethod(lambda: {info!r})")
    put(first, "libcamera.py", "controls = None")
    assert probe("picamera2") == Probe({"version": "", "cameras": ["imx708"]})
    put(first, "libcamera.py", "raise ImportError('libcamera.so.0.5: cannot open shared object file')")
    assert "libcamera.so.0.5" in probe("picamera2").why


@pytest.mark.parametrize(
    ("result", "bits", "python", "status", "words", "remedy"),
    [
        (
            Probe({"package": "ai-edge-litert", "version": "2.3.0"}),
            64,
            (3, 13),
            "ok",
            "LiteRT: ai-edge-litert 2.3.0",
            None,
        ),
        (Probe({"package": "tflite-runtime", "version": "2.14.0"}), 32, (3, 11), "ok", "fallback for 32-bit", None),
        (
            Probe({"package": "tflite-runtime", "version": "2.14.0"}),
            64,
            (3, 11),
            "warning",
            "an old fallback",
            "ai-edge-litert",
        ),
        (Probe({}, "gone", True), 64, (3, 13), "failed", "no TensorFlow Lite", "ai-edge-litert"),
        (Probe({}, "gone", True), 32, (3, 11), "failed", "no TensorFlow Lite", "tflite-runtime 'numpy<2'"),
        (Probe({}, "gone", True), 32, (3, 13), "failed", "install the 64-bit system", None),
        (Probe({}, "it crashes"), 64, (3, 12), "failed", "it crashes", "--force-reinstall ai-edge-litert"),
        (Probe({}, "No module named 'numpy'"), 64, (3, 12), "failed", "numpy", "numpy"),
    ],
)
def test_interpreters(
    result: Probe, bits: int, python: tuple[int, int], status: str, words: str, remedy: str | None
) -> None:
    finding = interpreter(result, bits=bits, python=python)
    assert finding.status == status
    assert words in finding.message
    assert finding.remedy == (None if remedy is None else f"{PIP} install {remedy}")


@pytest.mark.parametrize(
    ("build", "installed", "status", "words", "remedy"),
    [
        (WHEEL, HEADLESS, "ok", "4.12.0 (opencv-python-headless): no windows", None),
        (WHEEL.replace("NONE", "QT5"), ("opencv-python",), "ok", "(opencv-python): windows, V4L2, FFmpeg", None),
        (DEBIAN, (), "warning", "(the system's): windows, V4L2; no FFmpeg: videos and streams cannot be read",
         "install --force-reinstall opencv-python-headless"),
        ("", HEADLESS, "warning", "no V4L2 and no FFmpeg: USB cameras and videos and streams", "headless"),
        (WHEEL, ("opencv-python-headless", "opencv-python"), "warning", "several OpenCV packages overwrite each other",
         f"uninstall -y opencv-python-headless opencv-python && {PIP} install opencv-python-headless"),
    ],
)  # fmt: skip
def test_what_an_opencv_can_do(
    build: str, installed: tuple[str, ...], status: str, words: str, remedy: str | None
) -> None:
    finding = opencv(built(build), installed)
    assert finding.status == status
    assert words in finding.message
    assert (finding.remedy is None) == (remedy is None)
    assert remedy is None or remedy in str(finding.remedy)


@pytest.mark.parametrize(
    ("result", "installed", "words", "remedy"),
    [
        (Probe({}, "No module named 'cv2'", True), (), "not installed", f"{PIP} install opencv-python-headless"),
        (Probe({}, "No module named 'numpy'"), HEADLESS, "not checked: numpy is missing", f"{PIP} install numpy"),
        (Probe({}, "libGL.so.1: cannot open shared object file: No such file or directory"), ("opencv-python",),
         "it needs libGL.so.1, which this system lacks",
         f"{PIP} uninstall -y opencv-python && {PIP} install opencv-python-headless"),
        (Probe({}, "numpy.core.multiarray failed to import"), HEADLESS, "built for another numpy version",
         f"{PIP} install --upgrade opencv-python-headless"),
        (Probe({}, "x" * 1000), HEADLESS, "xxx ...", f"{PIP} install --upgrade opencv-python-headless"),
    ],
)  # fmt: skip
def test_opencvs_that_do_not_work(result: Probe, installed: tuple[str, ...], words: str, remedy: str) -> None:
    finding = opencv(result, installed)
    assert finding.status == "failed"
    assert words in finding.message
    assert finding.remedy == remedy
    assert subprocess.run(["bash", "-n", "-c", remedy], check=False).returncode == 0


def test_the_opencv_of_this_machine_is_known() -> None:
    result = probe("opencv")
    assert opencv(result).message.startswith(f"{result.said['version']} (")


def probes_with(version: str = "2.4.6", **others: Probe) -> dict[str, Probe]:
    works = {"opencv": built(WHEEL), "interpreter": Probe({"package": "ai-edge-litert", "version": "2.3.0"})}
    return {"numpy": Probe({"version": version}), **works, "picamera2": Probe({}, "gone", True), **others}


@pytest.mark.parametrize(
    ("probes", "status", "words", "remedy"),
    [
        (probes_with(), "ok", "OpenCV and the interpreter take numpy 2.4.6", None),
        (probes_with(opencv=Probe({}, "gone", True)), "ok", "the interpreter takes numpy 2.4.6", None),
        (probes_with(opencv=Probe({}, "numpy.core.multiarray failed to import", False, OLD_MODULE)), "failed",
         "OpenCV was built for a numpy version other than 2.4.6", "install --upgrade opencv-python-headless"),
        (probes_with(interpreter=Probe({}, "_ARRAY_API not found")), "failed", "interpreter was", "install 'numpy<2'"),
        (probes_with("1.26.4", interpreter=Probe({}, "numpy.dtype size changed")), "failed", "interpreter was",
         "install --upgrade ai-edge-litert"),
        (probes_with(picamera2=Probe({}, "numpy.dtype size changed, may indicate")), "failed", "picamera2 was",
         "install --upgrade simplejpeg"),
        # It works, and says that it may crash.
        (probes_with(opencv=Probe({"version": "4.8.0", "build": ""}, "", False, OLD_MODULE)), "failed", "OpenCV was",
         "install --upgrade opencv-python-headless"),
        (probes_with(numpy=Probe({}, "gone", True)), "warning", "not checked: numpy is missing", None),
        (probes_with(opencv=Probe({}, "gone", True), interpreter=Probe({}, "gone", True)), "warning",
         "not checked: none", None),
    ],
)  # fmt: skip
def test_numpy_against_the_others(probes: dict[str, Probe], status: str, words: str, remedy: str | None) -> None:
    finding = numpy_abi(probes)
    assert finding.status == status
    assert words in finding.message
    assert finding.remedy == (None if remedy is None else f"{PIP} {remedy}")


def test_an_externally_managed_python_is_reported_and_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "EXTERNALLY-MANAGED", "[externally-managed]\n")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert findings.pip("install 'numpy<2'") == f"{PIP} install --break-system-packages 'numpy<2'"
    finding = checks_system.python((3, 13, 5))
    assert finding.status == "warning"
    assert str(finding.remedy).endswith(" -m venv --system-site-packages ~/edge-digits")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))  # a virtual environment that was made with it
    assert findings.pip("install numpy") == f"{PIP} install numpy"
    assert checks_system.python((3, 13, 5)).status == "ok"


def test_what_the_bundle_has_installed_is_installed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "venvs" / "1.0").mkdir(parents=True)
    (tmp_path / "venvs" / "1.0" / "whole").touch()
    monkeypatch.setattr(findings, "bundled", bundled)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venvs" / "1.0"))
    again = "--uninstall, and then ./install.sh in the bundle's folder"
    assert findings.pip("install numpy") == f"{tmp_path}/install.sh {again}"
    if os.geteuid() == 0:
        (tmp_path / "install.sh").touch()
        assert findings.pip("install numpy") == f"sudo {tmp_path}/install.sh {again.replace('./', 'sudo ./')}"
