"""What a measurement depends on: the machine, its system, the installed packages, and the machine's state."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edge_runtime import __version__
from edge_runtime.inference import model_file
from edge_runtime.system import board
from edge_runtime.system.board import text_of

SOURCE_TREE = Path(__file__).parents[2]
# By the name of a version in the record: the first installed package of these counts.
PACKAGES = {
    "numpy": ("numpy",),
    "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"),
    "pillow": ("pillow",),
    "litert": ("ai-edge-litert", "tflite-runtime"),
    "onnxruntime": ("onnxruntime",),
    "tensorflow": ("tensorflow",),
    "keras": ("keras",),
}
# ARM cores by implementer and part, all that Linux reports of them. Source: Arm's Technical Reference Manuals,
# the Main ID Register of each core.
CORES = {
    (0x41, 0xC07): "Cortex-A7",
    (0x41, 0xD03): "Cortex-A53",
    (0x41, 0xD07): "Cortex-A57",
    (0x41, 0xD08): "Cortex-A72",
    (0x41, 0xD0B): "Cortex-A76",
    (0x41, 0xD0C): "Neoverse-N1",
    (0x41, 0xD40): "Neoverse-V1",
    (0x41, 0xD49): "Neoverse-N2",
}
STEP = 1 << 28  # bytes: firmware and kernels reserve a small, varying part of the memory
CPU = "sys/devices/system/cpu/cpu0/cpufreq"


def describe(model: Path | None = None, *, root: Path = board.ROOT) -> dict[str, Any]:
    """Return the whole environment, JSON-ready; None for what this machine does not report.

    `model` is the measured model file, by default the shipped one; `root` is the root of the file system. Raises
    ModelError if that is not a model file.
    """
    return {
        "machine": machine(root),
        "system": {"os": board.os_name(root), "kernel": platform.release(), "python": platform.python_version()},
        "versions": versions(),
        "state": state(root),
        "commit": commit(),
        "model": model_file.read(model or model_file.SHIPPED).id,
    }


def machine(root: Path = board.ROOT) -> dict[str, Any]:
    """Return what identifies a machine: results with equal values are of one machine.

    Memory is in bytes, to the nearest 256 MiB.
    """
    return {
        "board": text_of(root / "proc/device-tree/model") or text_of(root / "sys/class/dmi/id/product_name") or None,
        "processor": _processor(text_of(root / "proc/cpuinfo")) or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": _memory(text_of(root / "proc/meminfo")),
    }


def state(root: Path = board.ROOT) -> dict[str, Any]:
    """Return the current state of the machine."""
    kilohertz = text_of(root / CPU / "scaling_cur_freq")
    megahertz = re.search(r"^cpu MHz\s*:\s*([0-9.]+)", text_of(root / "proc/cpuinfo"), re.MULTILINE)
    throttled = board.throttled(root)
    return {
        "governor": text_of(root / CPU / "scaling_governor") or None,
        "frequency_hz": 1000 * int(kilohertz) if kilohertz.isdecimal()
        else round(1e6 * float(megahertz[1])) if megahertz else None,
        "temperature_celsius": board.temperature(root),
        "throttled": None if throttled is None else list(throttled),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }  # fmt: skip


def versions() -> dict[str, str | None]:
    """Return the versions of packages that affect the figures; a dependency of the runtime without one is None."""
    record: dict[str, str | None] = {"edge-digits": __version__}
    for name, packages in PACKAGES.items():
        known = next(filter(None, map(_version, packages)), _opencv() if name == "opencv" else None)
        if known is not None or name in ("numpy", "opencv", "pillow", "litert"):
            record[name] = known
    return record


def commit() -> str | None:
    """Return the commit of the source tree, with "-dirty" if files differ from it; None outside a checkout."""
    if not (SOURCE_TREE / ".git").exists():
        return None
    try:
        head = _git("rev-parse", "HEAD")
        return f"{head}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else head
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=SOURCE_TREE, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _opencv() -> str | None:
    """Return the version of an OpenCV that Python's package managers do not list, such as Debian's."""
    try:
        import cv2
    except ImportError:
        return None
    return cv2.__version__


def _processor(cpuinfo: str) -> str:
    """Return a processor's name; for x86 with family, model and stepping, since virtual ones have no own name."""
    said = dict(re.findall(r"^([^:\n]*?)\s*: *(.*)$", cpuinfo, re.MULTILINE))
    if "model name" in said and "CPU part" not in said:
        numbers = [f"{key} {said[key]}" for key in ("cpu family", "model", "stepping") if key in said]
        return f"{said['model name']} ({', '.join(numbers)})" if numbers else said["model name"]
    kinds = []
    parts = zip(
        re.findall(r"^CPU implementer\s*: *(0x[0-9a-fA-F]+)", cpuinfo, re.MULTILINE),
        re.findall(r"^CPU part\s*: *(0x[0-9a-fA-F]+)", cpuinfo, re.MULTILINE),
        strict=False,
    )
    for maker, part in parts:
        kind = CORES.get((int(maker, 16), int(part, 16)), f"ARM core {maker}:{part}")
        if kind not in kinds:
            kinds.append(kind)
    return " and ".join(kinds)


def _memory(meminfo: str) -> int | None:
    match = re.search(r"^MemTotal:\s*(\d+) kB", meminfo, re.MULTILINE)
    return round(1024 * int(match[1]) / STEP) * STEP if match else None
