"""A runtime's footprint in its own environment: bytes on disk, import time, memory with one inference.

Each runtime gets a temporary virtual environment with its package and dependencies only, in the versions installed
here. The figures are kept; a change of version, Python or machine invalidates them.
"""

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from benchmarks.common.progress import progress
from benchmarks.peers.networks import Networks
from convert.recipes import CONVERSIONS
from edge_runtime.bench import environment, result
from edge_runtime.bench.result import Measure
from edge_runtime.errors import EdgeError
from edge_runtime.pages import timing
from edge_runtime.system.atomic_files import write_text

STARTS = 7  # the first warms the file cache and does not count
# Python that times the imports, runs `digit` through `model` once, and prints the figures.
FRAME = """
import sys, time
started = time.perf_counter_ns()
{imports}
spent = time.perf_counter_ns() - started
model, digit = sys.argv[1], numpy.load(sys.argv[2])
{run}
status = open("/proc/self/status").read() if sys.platform == "linux" else ""
print(spent, status.partition("VmHWM:")[2].partition("kB")[0].strip() or -1)
"""


class Runtime(NamedTuple):
    """A runtime: the required packages, and the Python code that imports and uses it."""

    packages: tuple[str, ...]
    imports: str
    run: str


RUNTIMES = {
    "LiteRT": Runtime(
        ("ai-edge-litert", "numpy"),
        "import numpy\nfrom ai_edge_litert.interpreter import Interpreter",
        "interpreter = Interpreter(model, num_threads=1)\ninterpreter.allocate_tensors()\n"
        'interpreter.set_tensor(interpreter.get_input_details()[0]["index"], digit)\ninterpreter.invoke()\n'
        'interpreter.get_tensor(interpreter.get_output_details()[0]["index"])',
    ),
    "ONNX Runtime": Runtime(
        ("onnxruntime", "numpy"),
        "import numpy, onnxruntime",
        "options = onnxruntime.SessionOptions()\noptions.intra_op_num_threads = 1\n"
        'onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(None, {"pixels": digit})',
    ),
    "OpenCV dnn": Runtime(
        ("opencv-python-headless",),
        "import numpy, cv2",
        "cv2.setNumThreads(1)\nnetwork = cv2.dnn.readNetFromONNX(model)\nnetwork.setInput(digit)\nnetwork.forward()",
    ),
    "numpy": Runtime(
        ("numpy",),
        "import numpy",
        "stored = numpy.load(model)\nvalues = digit.reshape(-1).astype(numpy.float32)\n"
        "for i in range(len(stored.files) // 2):\n"
        '    values = numpy.maximum(values, 0) @ stored[f"kernel{i}"] + stored[f"bias{i}"]',
    ),
    "Keras": Runtime(
        ("tensorflow", "keras"),
        "import numpy, keras",
        "keras.models.load_model(model, compile=False)(digit)",
    ),
}


class Footprints(NamedTuple):
    """By runtime its `packages`, bytes on disk, nanoseconds of each import, and bytes of memory; what is left out."""

    figures: dict[str, dict[str, Any]]
    left_out: list[str]  # lines that name runtimes without figures, and why they have none


def measure(build: Path, networks: Networks, out: Path, *, make: bool) -> Footprints:
    """Measure each runtime, or take the earlier figures.

    With `make`, environments for missing figures are made below `out` and measured; without it, such a runtime is left
    out. So is a runtime that pip cannot install.
    """
    path = out / "footprint.json"
    kept = _kept(path)
    models = {
        "LiteRT": build / CONVERSIONS["int8"].file_name,
        "ONNX Runtime": networks.static,
        "OpenCV dnn": networks.float32,
        "numpy": networks.layers,
        "Keras": build / "digits.keras",
    }
    wanted = {name: _wanted(runtime) for name, runtime in RUNTIMES.items()}
    missing = [name for name in RUNTIMES if kept.get(name, {}).get("of") != wanted[name]]
    left_out = []
    if missing and not make:
        left_out.append(f"no footprint of {', '.join(missing)}: --footprint creates environments and measures them")
    elif missing:
        with progress("footprint", len(missing)) as tick:
            for name in missing:
                try:
                    figures = _measured(RUNTIMES[name], models[name], out)
                except EdgeError as error:
                    left_out.append(f"no footprint of {name}: {error}")
                    continue
                finally:
                    tick()
                kept[name] = {"of": wanted[name], **figures}
                write_text(path, json.dumps(kept, indent=1) + "\n")
    figures = {name: kept[name] for name in RUNTIMES if kept.get(name, {}).get("of") == wanted[name]}
    return Footprints(figures, left_out)


def measures(footprints: Mapping[str, Mapping[str, Any]]) -> list[Measure]:
    """Return the figures as measures."""
    made = []
    for name, each in footprints.items():
        made += [
            result.figure(f"footprint/{name} size", each["bytes"], "B", better="lower"),
            result.timed(f"footprint/{name} import", [each["import_ns"]]),
        ]
        if each["memory_bytes"] is not None:
            made.append(result.figure(f"footprint/{name} memory", each["memory_bytes"], "B", better="lower"))
    return made


def table(footprints: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a line for each runtime."""
    if not footprints:
        return []
    lines = [f"{'Alone in an environment':<33}{'on disk':>12}{'import':>12}{'memory':>12}"]
    for name, each in footprints.items():
        memory = "" if each["memory_bytes"] is None else f"{each['memory_bytes'] / 1e6:,.0f} MB"
        spent = float(np.median(each["import_ns"])) / 1e6
        lines.append(f"  {name:<31}{each['bytes'] / 1e6:>9,.0f} MB{spent:>9,.0f} ms{memory:>12}")
    return lines


def _measured(runtime: Runtime, model: Path, out: Path) -> dict[str, Any]:
    """Make the environment, measure, and remove it. Raises EdgeError if pip or the environment's Python fails."""
    pinned = [f"{package}=={number or _not_here(package)}" for package, number in _versions(runtime).items()]
    with tempfile.TemporaryDirectory(prefix="venv-", dir=out) as folder:
        home, digit = Path(folder).resolve(), Path(folder).resolve() / "digit.npy"
        np.save(digit, timing.samples()[0][:1])
        python = home / "bin" / "python"
        venv.EnvBuilder(symlinks=True).create(home)  # without pip, whose size would count
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--quiet"]
        _said([*pip, "install", *pinned], "pip")
        (packages,) = home.glob("lib/python*/site-packages")
        program = FRAME.format(imports=runtime.imports, run=runtime.run)
        runs = []
        for _ in range(STARTS):
            # Isolated: PYTHONPATH may name packages elsewhere.
            said = _said([str(python), "-I", "-c", program, str(model.resolve()), str(digit)], "its inference")
            runs.append([int(word) for word in said.split()])
        memory = [peak for _, peak in runs[1:] if peak > 0]
        return {
            "packages": _said([*pip, "freeze", "--all"], "pip").split(),
            "bytes": sum(file.lstat().st_blocks * 512 for file in packages.rglob("*")),
            "import_ns": [spent for spent, _ in runs[1:]],
            "memory_bytes": 1024 * int(np.median(memory)) if memory else None,
        }


def _said(command: list[str], what: str) -> str:
    """Return a command's output. Raises EdgeError if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise EdgeError(f"{what} failed: {lines[-1]}")
    return done.stdout


def _wanted(runtime: Runtime) -> dict[str, Any]:
    """Return the key of the figures; kept figures with another key are invalid."""
    return {
        "packages": _versions(runtime),
        "python": environment.describe()["system"]["python"],
        "machine": environment.machine(),
    }


def _versions(runtime: Runtime) -> dict[str, str | None]:
    """Return the versions installed here."""
    versions: dict[str, str | None] = {}
    for package in runtime.packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def _not_here(package: str) -> NoReturn:
    raise EdgeError(f"{package} is not installed here, so the version to measure is unknown")


def _kept(path: Path) -> dict[str, dict[str, Any]]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: each for name, each in kept.items() if isinstance(each, dict)}
