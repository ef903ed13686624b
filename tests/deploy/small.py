"""A bundle as the real one, with a stand-in for what it installs: a command that answers --help, read and selftest."""

import base64
import ensurepip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from deploy import bundle, wheels
from tests.commands import Done

DEPLOY = Path(bundle.__file__).parent
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
MACHINE = platform.machine()
COMMAND = """
import os, sys
def main():
    if "--help" in sys.argv: print("Commands:\\n  selftest  Try it.")
    elif sys.argv[1:] == ["selftest"]:
        print("{version} works" if not {fails} else "a digit is wrong")
        sys.exit({fails})
    elif sys.argv[1:] == ["model", "list", "--json"]: print("[]")
    else: print("{version}", *sys.argv[1:])
"""
CV2 = {"cv2.py": '__version__ = "5.0.0"\n'}


def make(folder: Path, version: str = "1.0", *, fails: str = "0", program: Path | None = None) -> Path:
    """Make a bundle's folder; `fails` is what its selftest exits with, as Python.

    `program` is a wheel to install instead of the stand-in: it imports what it needs from where the tests do.
    """
    top = folder / f"edge-digits-{version}-{MACHINE}"
    (top / "wheels").mkdir(parents=True)
    for name in bundle.FILES:
        shutil.copy(DEPLOY / name, top)
    (top / bundle.MODEL.name).write_bytes(b"a model")
    # The one Python that is sure to be here is this one; it may be another than Debian's.
    (top / "about").write_text(f"{version} {MACHINE} {PYTHON}\n")
    installer = _pip()
    files = {"edge_runtime.py": COMMAND.format(version=version, fails=fails)}
    if program:
        borrowed = {"borrowed.pth": f"{sysconfig.get_path('purelib')}\n"}
        ours = [Path(shutil.copy(program, top / "wheels")), _wheel(top / "wheels", "borrowed", "1.0", borrowed)]
    else:
        ours = [
            _wheel(top / "wheels", "edge_digits", version, files),
            _wheel(top / "wheels", "opencv_python_headless", "5.0", CV2),
        ]
    wheel_paths = [*ours, Path(shutil.copy(installer, top / "wheels"))]
    (top / f"requirements-{PYTHON}.txt").write_text("".join(f"{wheels.line(wheel)}\n" for wheel in wheel_paths))
    seal(top)
    return top


def packed(folder: Path, version: str, *, fails: str = "0", program: Path | None = None) -> Path:
    """Make a bundle as one file."""
    top = make(folder, version, fails=fails, program=program)
    bundle.pack(top, folder / f"{top.name}.tar.gz", 0)
    return folder / f"{top.name}.tar.gz"


def seal(top: Path) -> None:
    """Write down what a bundle holds now."""
    (top / bundle.SUMS).write_text(bundle.sums(top))


def install(script: Path, *options: object, **environment: str) -> Done:
    """Run an install.sh, with this Python as the first on PATH."""
    base = Path(sys.executable).resolve().parent
    done = subprocess.run(
        ["sh", script, *map(str, options)], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{base}:{os.environ['PATH']}", **environment},
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def installed(folder: Path) -> dict[str, str]:
    """Return all that is in a folder and what a change would change: links' targets, files' bytes, as hashes."""
    states = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            states[str(path)] = f"-> {os.readlink(path)}"
        elif path.is_file():
            states[str(path)] = f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
    return states


def _pip() -> Path:
    """Return the wheel of pip that comes with this Python, or with Debian's."""
    for folder in (Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")):
        for wheel in folder.glob("pip-*.whl"):
            return wheel
    pytest.skip("this Python brings no pip: apt install python3-venv")


def _wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> Path:
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if "edge_runtime.py" in files:
        files[f"{info}/entry_points.txt"] = "[console_scripts]\nedge-digits = edge_runtime:main\n"
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in [*files.items(), (f"{info}/RECORD", f"{record}{info}/RECORD,,\n")]:
            archive.writestr(zipfile.ZipInfo(member), text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
