"""The packages: whether they work here, and with each other."""

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from edge_runtime.doctor.findings import NO_NUMPY, WITHOUT_NUMPY, Finding, failed, ok, pip, warning
from edge_runtime.doctor.probe import Probe

# Messages of packages that were built for another numpy.
CLASH = re.compile(r"multiarray failed to import|_ARRAY_API not found|size changed|compiled using NumPy")
OPENCV = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")
PARTS = {"V4L2": r"v4l/v4l2: +YES", "FFmpeg": r"FFMPEG: +YES"}  # patterns in OpenCV's build information
WINDOWS = r"GUI: +(?!NONE)\S"
NAMES = {"opencv": "OpenCV", "interpreter": "the interpreter", "picamera2": "picamera2"}  # built for a specific numpy
NEW_NUMPY = 2  # from this major version on, packages built for an older one do not run


def plain(name: str, probe: Probe) -> Finding:
    """Report whether a package works that needs nothing else: numpy or pillow."""
    if probe.works:
        return ok(name, probe.said["version"])
    if probe.missing:
        return failed(name, "not installed", pip(f"install {name}"))
    return failed(name, f"does not work: {_short(probe.why)}", pip(f"install --force-reinstall {name}"))


def interpreter(probe: Probe, *, bits: int, python: tuple[int, int]) -> Finding:
    """Report whether LiteRT, or the fallback for 32-bit systems, runs a network; `bits` are those of Python."""
    if probe.works:
        said = f"{probe.said['package']} {probe.said['version']}"
        if probe.said["package"] == "ai-edge-litert":
            return ok("interpreter", f"LiteRT: {said}")
        if bits == 32:
            return ok("interpreter", f"the fallback for 32-bit systems: {said}")
        install = pip("install ai-edge-litert")
        return warning("interpreter", f"an old fallback for 32-bit systems: {said}", install)
    if bits == 32 and python > (3, 11):
        message = f"there is none for a 32-bit system with Python {python[0]}.{python[1]}: install the 64-bit system"
        return failed("interpreter", message)
    packages = "tflite-runtime 'numpy<2'" if bits == 32 else "ai-edge-litert"
    if probe.missing:
        return failed("interpreter", "no TensorFlow Lite interpreter is installed", pip(f"install {packages}"))
    if probe.why == NO_NUMPY:
        return failed("interpreter", WITHOUT_NUMPY, pip("install numpy"))
    why = "built for another numpy version" if _clashes(probe) else f"does not work: {_short(probe.why)}"
    return failed("interpreter", why, pip(f"install --force-reinstall {packages}"))


def opencv(probe: Probe, installed: tuple[str, ...] | None = None) -> Finding:
    """Report whether OpenCV works, and its features; `installed` are the OpenCV packages that pip lists."""
    installed = _installed() if installed is None else installed
    if not probe.works:
        return _opencv_fails(probe, installed)
    build = probe.said["build"]
    lacking = [name for name, pattern in PARTS.items() if not re.search(pattern, build)]
    windows = "windows" if re.search(WINDOWS, build) else "no windows (read --window needs opencv-python)"
    whose = ", ".join(installed) or "the system's"
    has = ", ".join([windows, *(name for name in PARTS if name not in lacking)])
    message = f"{probe.said['version']} ({whose}): {has}"
    if len(installed) > 1:
        mend = pip("uninstall -y " + " ".join(installed)) + " && " + pip("install opencv-python-headless")
        return warning("opencv", f"{message}; several OpenCV packages overwrite each other", mend)
    if lacking:
        without = {"V4L2": "USB cameras", "FFmpeg": "videos and streams"}
        lost = " and ".join(without[name] for name in lacking)
        return warning("opencv", f"{message}; no {' and no '.join(lacking)}: {lost} cannot be read", pip(HEADLESS))
    return ok("opencv", message)


HEADLESS = "install --force-reinstall opencv-python-headless"


def _opencv_fails(probe: Probe, installed: tuple[str, ...]) -> Finding:
    if probe.missing:
        return failed("opencv", "not installed", pip("install opencv-python-headless"))
    if probe.why == NO_NUMPY:
        return failed("opencv", WITHOUT_NUMPY, pip("install numpy"))
    if "shared object file" in probe.why:
        library = probe.why.split(":")[0]
        remove = pip(f"uninstall -y {' '.join(installed)}") + " && " if installed else ""
        reason = f"it needs {library}, which this system lacks; the package without windows does not need it"
        return failed("opencv", reason, remove + pip("install opencv-python-headless"))
    why = "built for another numpy version" if _clashes(probe) else f"does not work: {_short(probe.why)}"
    return failed("opencv", why, pip("install --upgrade " + (installed or OPENCV)[0]))


def _installed() -> tuple[str, ...]:
    names = []
    for name in OPENCV:
        try:
            version(name)
        except PackageNotFoundError:
            continue
        names.append(name)
    return tuple(names)


def numpy_abi(probes: Mapping[str, Probe]) -> Finding:
    """Report whether the other packages were built for this numpy."""
    numpy = probes["numpy"]
    if not numpy.works:
        return warning("numpy ABI", WITHOUT_NUMPY)
    old = int(numpy.said["version"].partition(".")[0]) < NEW_NUMPY
    clashing = [name for name in NAMES if _clashes(probes[name])]
    if clashing:
        names = " and ".join(NAMES[name] for name in clashing)
        were = "was" if len(clashing) == 1 else "were"
        if "interpreter" in clashing and not old:
            mend = pip("install 'numpy<2'")
        else:
            packages = {"opencv": "opencv-python-headless", "picamera2": "simplejpeg", "interpreter": "ai-edge-litert"}
            mend = pip("install --upgrade " + " ".join(packages[name] for name in clashing))
        return failed("numpy ABI", f"{names} {were} built for a numpy version other than {numpy.said['version']}", mend)
    working = [name for key, name in NAMES.items() if probes[key].works]
    if not working:
        return warning("numpy ABI", "not checked: none of these packages works")
    return ok("numpy ABI", f"{' and '.join(working)} {'takes' if len(working) == 1 else 'take'} numpy "
                           f"{numpy.said['version']}")  # fmt: skip


def _clashes(probe: Probe) -> bool:
    return CLASH.search(f"{probe.why} {probe.complaints}") is not None


def models(probe: Probe) -> Finding:
    """Report the result of the model check, which needs numpy and OpenCV."""
    if probe.works:
        return Finding(**probe.said)
    return warning("models", f"not checked until the packages work: {_short(probe.why)}")


def _short(why: str) -> str:
    return why if len(why) <= 200 else f"{why[:196]} ..."
