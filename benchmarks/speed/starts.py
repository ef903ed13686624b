"""Time from process start to first label, and peak memory: the command, and the same with Keras."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter_ns

from benchmarks.common.turns import ROOT, ProcessFailed, Turns

SAMPLE = ROOT / "edge_runtime" / "samples" / "digit.png"
IMPORTS, READ, KERAS = "import numpy, cv2", "edge-digits read", "Keras"
WARM_UPS = 1  # the files may not be in the system's cache yet
# The same reading with the full network instead of LiteRT, and little else; our code locates the digit.
READ_WITH_KERAS = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import cv2, keras, numpy
from edge_runtime.vision.normalize import normalize_and_measure
from edge_runtime.vision.planes import ink_planes
from edge_runtime.vision.regions import find_regions
network = keras.models.load_model(sys.argv[1], compile=False)
regions = find_regions(ink_planes(cv2.imread(sys.argv[2])))
images, *_ = normalize_and_measure([region.ink for region in regions if region.ink is not None])
print(numpy.asarray(network(images.astype("float32")))[:, :10].max(axis=0).argmax())
"""
# The command as a program, so that code can precede it.
READ_WITH_US = """
from edge_runtime.cli.main import main
main()
"""
# Prints the kernel's counts at exit. A child's rusage includes its parent's memory.
PRINT = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(open("/proc/self/status").read()))
"""


def commands(models: Mapping[str, Path], network: Path | None, *, print_line: bool = False) -> dict[str, list[str]]:
    """Return the commands to start, by name: ours with the shipped model and with each of `models`, and Keras.

    With `print_line`, each writes the kernel's memory counts to standard error at exit; the imports are left out.
    """
    python = [sys.executable, "-c"]
    read = [*python, PRINT + READ_WITH_US] if print_line else [sys.executable, "-m", "edge_runtime"]
    by_name = {} if print_line else {IMPORTS: [*python, "import numpy, cv2"]}
    by_name[READ] = [*read, "read", str(SAMPLE)]
    for name, path in models.items():
        by_name[f"{READ} --model {name}"] = [*read, "read", "--model", str(path.resolve()), str(SAMPLE)]
    if network is not None:
        script = PRINT + READ_WITH_KERAS if print_line else READ_WITH_KERAS
        by_name[KERAS] = [*python, script, str(network.resolve()), str(SAMPLE)]
    return by_name


def starts(started: Mapping[str, list[str]], count: int, tick: Callable[[], None]) -> dict[str, Turns]:
    """Start all commands in turn, repeatedly, and time each from start to end."""
    results = {name: Turns(1, [], []) for name in started}
    for turn in range(-WARM_UPS, count):
        for name, command in started.items():
            begun = perf_counter_ns()
            _run(command)
            results[name].add(turn, perf_counter_ns() - begun)
        tick()
    return results


def peaks(telling: Mapping[str, list[str]], count: int, tick: Callable[[], None]) -> dict[str, list[int]]:
    """Return the peak bytes of each command (VmHWM), repeatedly; nothing if the system does not report it."""
    if not Path("/proc/self/status").exists():
        return {}
    memory: dict[str, list[int]] = {name: [] for name in telling}
    for _ in range(count):
        for name, command in telling.items():
            memory[name].append(1024 * int(_run(command).stderr.split("VmHWM:")[1].split()[0]))
        tick()
    return memory


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise ProcessFailed(f"{' '.join(command[-2:])} ended with exit code {done.returncode}: {said[-1]}")
    return done
