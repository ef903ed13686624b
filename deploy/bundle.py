"""The bundle: one file with all that an offline computer needs; the same commit always gives the same bytes.

edge-digits-VERSION-MACHINE/
install.sh  edge-digits.service  edge-digits-user.service  config.toml
about                     version, machine and Pythons, a word each
digits-int8.tflite        the model; the wheel also holds it
requirements-3.13.txt     for each Python: its wheels, by hash
wheels/
SHA256SUMS                of everything else
"""

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from deploy import wheels

MACHINE = "aarch64"
PYTHONS = ("3.11", "3.13")  # of Debian 12 and 13
SUMS = "SHA256SUMS"
BUILD_ONLY = {"flit-core"}  # the lock file lists it for building the wheel
FILES = ("install.sh", "edge-digits.service", "edge-digits-user.service", "config.toml")  # of this folder
MODEL = Path("edge_runtime", "models", "digits-int8.tflite")


def export(checkout: Path, folder: Path) -> int:
    """Write the files of the checked-out commit into a folder; return the commit time in Unix seconds.

    Raises OSError if git finds no commit.
    """
    archive = _run(["git", "archive", "--format=tar", "HEAD"], checkout)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return int(_run(["git", "log", "-1", "--format=%ct"], checkout))


def is_changed(checkout: Path) -> bool:
    """Return whether tracked files have uncommitted changes. Raises OSError without git."""
    return bool(_run(["git", "status", "--porcelain", "--untracked-files=no"], checkout))


def build(source: Path, out: Path, made_at: int, *, machine: str = MACHINE, pythons: tuple[str, ...] = PYTHONS) -> Path:
    """Write the bundle of a source tree into a folder, and return its path.

    `made_at` is the time of all files in it, in Unix seconds. Raises OSError if a wheel is unavailable.
    """
    with tempfile.TemporaryDirectory() as scratch:
        ours = _our_wheel(source, Path(scratch, "ours"), made_at)
        version = ours.name.split("-")[1]
        top = Path(scratch, f"edge-digits-{version}-{machine}")
        (top / "wheels").mkdir(parents=True)
        for name in FILES:
            shutil.copy(source / "deploy" / name, top)
        shutil.copy(source / MODEL, top)
        (top / "about").write_text(f"{version} {machine} {' '.join(pythons)}\n")
        lock = (source / "requirements" / "bundle.txt").read_text()
        for python in pythons:
            wanted = [pin for pin in wheels.pins(lock, python, machine) if pin.name not in BUILD_ONLY]
            folder = Path(scratch, python)
            folder.mkdir()
            wheel_files = [ours, *wheels.fetch(wanted, python, machine, folder)]
            for wheel in wheel_files:
                shutil.copy(wheel, top / "wheels")
            (top / f"requirements-{python}.txt").write_text("".join(f"{wheels.line(wheel)}\n" for wheel in wheel_files))
        (top / SUMS).write_text(sums(top))
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"{top.name}.tar.gz"
        pack(top, path, made_at)
    return path


def sums(top: Path) -> str:
    """Return a line for each file under a folder, in the format of sha256sum."""
    names = sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())
    return "".join(f"{wheels.sha256(top / name)}  {name}\n" for name in names if name != SUMS)


def pack(top: Path, path: Path, made_at: int) -> None:
    """Write a folder as .tar.gz; the same files give the same bytes, regardless of user, place and time."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = made_at
        entry.mode = 0o755 if entry.isdir() or entry.name.endswith(".sh") else 0o644
        return entry

    draft = path.with_name(f".{path.name}.part")
    try:
        with (
            draft.open("wb") as file,
            # Wheels are already compressed. No name and no time, as with gzip --no-name.
            gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=1, mtime=0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for entry in [top, *sorted(top.rglob("*"))]:
                tar.add(entry, Path(top.name, entry.relative_to(top)).as_posix(), recursive=False, filter=plain)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _our_wheel(source: Path, folder: Path, made_at: int) -> Path:
    command = [
        sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--no-build-isolation", f"--wheel-dir={folder}", str(source),
    ]  # fmt: skip
    _run(command, source, SOURCE_DATE_EPOCH=str(made_at))
    (wheel,) = folder.glob("edge_digits-*.whl")
    return wheel


def _run(command: list[str], folder: Path, **environment: str) -> bytes:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, check=False)
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip() or "no reason given"
        raise OSError(f"{' '.join(command[:4])}: {message.splitlines()[-1]}")
    return done.stdout
