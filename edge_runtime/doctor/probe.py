"""Whether a package, or code that needs one, works here: tried in a separate process, which may crash or hang.

A package may be missing, or built for another numpy or processor; importing it may then end the process.
"""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from edge_runtime.system import signals
from edge_runtime.system.subprocesses import ask

TIMEOUT = 30.0  # seconds: an emulated board takes 10, a real one less
AT_ONCE = 2  # a Raspberry Pi Zero 2 W has 512 MB
# The process finds the same modules as this one, and none in the current folder.
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from edge_runtime.doctor.probe import main; main(sys.argv[2])"
)
MODEL = Path(__file__).parents[1] / "models" / "digits-int8.tflite"  # model_file would import OpenCV


class Probe(NamedTuple):
    """The result of a probe: what the package reports; or why it does not work, and whether it is missing.

    `complaints` is what the process wrote to standard error.
    """

    said: dict[str, Any]
    why: str = ""
    missing: bool = False
    complaints: str = ""

    @property
    def works(self) -> bool:
        """Whether the package works."""
        return not self.why


def probe(what: str, seconds: float = TIMEOUT) -> Probe:
    """Try one of PROBES in a separate process."""
    path = [entry for entry in sys.path if isinstance(entry, str)]
    answer = ask([sys.executable, "-c", START, json.dumps(path), what], seconds)
    if answer is None:
        return Probe({}, f"{sys.executable} cannot be started")
    if answer.code is None:
        return Probe({}, f"no answer within {seconds:g} s")
    if answer.code < 0:
        message = f"it crashes Python on this processor ({signals.name_of(-answer.code)})"
        return Probe({}, message, complaints=answer.err)
    try:
        record = json.loads(answer.out.splitlines()[-1])
        return Probe(record["said"], record["why"], record["missing"], answer.err)
    except (ValueError, LookupError, TypeError):
        last = (answer.err.strip().splitlines() or [f"it ends with exit code {answer.code}"])[-1]
        return Probe({}, last, complaints=answer.err)


def main(what: str) -> None:
    """Try one of PROBES in this process, and print the result; the process ends even if its parent is gone."""
    if hasattr(signal, "alarm"):
        signal.alarm(round(TIMEOUT) + 5)
    try:
        result = Probe(PROBES[what]())
    except Exception as error:  # boundary: importing a package may raise anything
        why = " ".join(str(error).split()) or type(error).__name__
        gone = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in MODULES[what]
        result = Probe({}, why, gone)
    print(json.dumps({"said": result.said, "why": result.why, "missing": result.missing}))


def _numpy() -> dict[str, Any]:
    import numpy

    numpy.ones((3, 3)) @ numpy.ones((3, 3))
    return {"version": numpy.__version__}


def _opencv() -> dict[str, Any]:
    import cv2
    import numpy

    cv2.cvtColor(numpy.zeros((8, 8, 3), numpy.uint8), cv2.COLOR_BGR2GRAY)
    return {"version": cv2.__version__, "build": cv2.getBuildInformation(), "file": cv2.__file__}


def _pillow() -> dict[str, Any]:
    import PIL.Image

    return {"version": PIL.__version__}


def _interpreter() -> dict[str, Any]:
    """Run the network once: an interpreter built for another numpy fails there."""
    from importlib.metadata import version

    import numpy

    try:
        from ai_edge_litert.interpreter import Interpreter

        package = "ai-edge-litert"
    except ModuleNotFoundError as error:
        if error.name not in MODULES["interpreter"]:
            raise
        from tflite_runtime.interpreter import Interpreter

        package = "tflite-runtime"
    network = Interpreter(model_path=str(MODEL))
    network.allocate_tensors()
    (taken,), (output,) = network.get_input_details(), network.get_output_details()
    network.set_tensor(taken["index"], numpy.zeros(taken["shape"], taken["dtype"]))
    network.invoke()
    network.get_tensor(output["index"])
    return {"package": package, "version": version(package)}


def _picamera2() -> dict[str, Any]:
    from importlib import import_module
    from importlib.metadata import PackageNotFoundError, version

    import_module("picamera2")  # the error of `picamera` names a remedy, but not the missing module
    from edge_runtime.sources import picamera

    cameras = [model for _, model in picamera.models()]
    try:
        return {"version": version("picamera2"), "cameras": cameras}
    except PackageNotFoundError:
        return {"version": "", "cameras": cameras}


def _models() -> dict[str, Any]:
    from edge_runtime.doctor import checks_model

    return checks_model.models()._asdict()


PROBES: dict[str, Callable[[], dict[str, Any]]] = {
    "numpy": _numpy, "opencv": _opencv, "pillow": _pillow, "interpreter": _interpreter, "picamera2": _picamera2,
    "models": _models,
}  # fmt: skip
PACKAGES = "numpy", "opencv", "interpreter", "picamera2"  # those built for a specific numpy
# A package is missing if one of these modules cannot be found.
MODULES = {
    "numpy": ("numpy",), "opencv": ("cv2",), "pillow": ("PIL",), "interpreter": ("ai_edge_litert", "tflite_runtime"),
    "picamera2": ("picamera2", "libcamera"), "models": (),
}  # fmt: skip


class Tried:
    """The results of PROBES, each tried once, AT_ONCE at a time; access to a result waits for it."""

    def __init__(self, names: Iterable[str]) -> None:
        self._results: dict[str, Probe] = {}
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._threads = {
            name: threading.Thread(target=self._try, args=(name,), name="read_probe", daemon=True) for name in names
        }
        for thread in self._threads.values():
            thread.start()

    def _try(self, name: str) -> None:
        with self._turns:
            self._results[name] = probe(name)

    def __getitem__(self, name: str) -> Probe:
        self._threads[name].join()
        return self._results[name]
