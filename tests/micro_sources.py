"""The C sources of `python -m convert --micro`, compiled here; what several test modules share."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from convert.micro.arena import Arena
from convert.micro.export import SOURCES, Engine, export
from edge_runtime.inference import model_file
from edge_runtime.records import Uint8

HERE = Path(__file__).parent / "convert" / "micro"
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-O2")
C99 = ("gcc", "-std=c99", *STRICT)
SHIPPED_ARENA = Arena(3744, 4768)  # bytes: of the model that ships, as test_arena.py measures


def exported(build: Path, engine: Engine) -> Path:
    """Export the model that ships into a new folder."""
    build.mkdir(parents=True)
    shutil.copy(model_file.SHIPPED, build)
    return export(build, engine, arena=SHIPPED_ARENA)


def compiled(command: tuple[str | Path, ...], folder: Path) -> str:
    """Run a compiler in a folder, and return what it says; if it fails, that is the test's failure."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


class Sources:
    """The exported sources of the engine c, as a library in this process."""

    def __init__(self, folder: Path) -> None:
        compiled((*C99, "-shared", "-fPIC", "-o", "digits.so", "digits.c", *SOURCES), folder)
        self.library = ctypes.CDLL(str(folder / "digits.so"))

    def scores(self, image: Uint8) -> NDArray[np.int8]:
        """Return the scores of a digit, int8 (11,); the label is that of the highest."""
        out = np.empty(11, np.int8)
        label = self.library.digits_classify(_pointer(np.ascontiguousarray(image)), _pointer(out))
        assert label == out.argmax()
        return out

    def normalized(self, pixels: Uint8, kind: str = "ink") -> Uint8:
        """Return uint8 (28, 28) of ink, or of a gray crop, uint8 (H, W)."""
        out, work = np.empty((28, 28), np.uint8), pixels.copy()
        normalize = getattr(self.library, f"digits_normalize_{kind}")
        assert normalize(_pointer(work), pixels.shape[1], pixels.shape[0], _pointer(out)) == 0
        return out

    def normalized_bitmap(self, bitmap: Uint8) -> Uint8:
        """Return uint8 (28, 28) of a bitmap, 0 or 1 (H, W)."""
        out, work = np.empty((28, 28), np.uint8), np.empty(bitmap.shape, np.uint8)
        bits, size = np.packbits(bitmap, axis=1), (bitmap.shape[1], bitmap.shape[0])
        assert self.library.digits_normalize_bitmap(_pointer(bits), *size, _pointer(work), _pointer(out)) == 0
        return out

    def confidence(self, scores: NDArray[np.int8], label: int) -> int:
        """Return the probability of a label in percent."""
        return int(self.library.digits_confidence(_pointer(scores), label))


def crops(images: Uint8, count: int) -> list[Uint8]:
    """Return ink of digits, in sizes of 12 to 170 pixels, with pens, darkness and noise of all kinds."""
    rng = np.random.default_rng(20)
    made = []
    for i in range(count):
        scale = rng.uniform(0.6, 6)
        across = scale * rng.uniform(0.8, 1.25)
        ink = cv2.resize(images[i % len(images)], None, fx=across, fy=scale, interpolation=cv2.INTER_CUBIC)
        pen = int(rng.integers(1, 5))
        ink = cv2.dilate(ink, np.ones((pen, pen), np.uint8))
        noisy = ink * rng.uniform(0.3, 1) + rng.normal(0, rng.choice([0, 3, 8]), ink.shape)
        made.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return made


def _pointer(array: NDArray[np.uint8] | NDArray[np.int8]) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)
