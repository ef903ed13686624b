"""Feed garbage to the picture decoder, and what it takes for a picture to the reader: only PictureError may come of it.

    python tests/edge_runtime/sources/fuzz_read.py -atheris_runs=2000 -timeout=1

Takes libFuzzer's flags. Fails, too, where memory has grown by the end.
"""

import atexit
import contextlib
import io
import os
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import atheris

import edge_runtime
from edge_runtime import DigitReader
from edge_runtime.errors import PictureError

# What handles the bytes. Not the reader: atheris 3.0 leaks the result of every comparison that it instruments, and
# those of arrays are arrays.
with atheris.instrument_imports(include=["edge_runtime.sources", "PIL"]):
    from PIL import Image

    from edge_runtime.sources import pictures

    with contextlib.suppress(ImportError):
        from edge_runtime.sources import heic  # noqa: F401
    Image.init()  # all of Pillow's formats: they are modules of their own

# Less than the product's own limit, so that a picture as large as allowed does not look like a leak, nor like a hang.
pictures.MAX_PIXELS = 1_000_000
MAX_GROWTH = 200 * 2**20
READER = DigitReader()


def read(data: bytes) -> None:
    with contextlib.suppress(PictureError):
        READER.read(pictures.decode(data, "fuzz"))


def seeds() -> list[bytes]:
    """Return small pictures in every format and mode that Pillow writes, and the samples."""
    digit = Image.open(Path(edge_runtime.__file__).with_name("samples") / "digit.png").convert("L").resize((32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    encoded = []
    for kind in sorted(Image.SAVE.keys() - {"EPS", "PDF"}):
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"):
            buffer = io.BytesIO()
            with contextlib.suppress(OSError, KeyError, ValueError):
                digit.convert(mode).save(buffer, kind, **({"exif": exif} if kind in ("JPEG", "PNG", "WEBP") else {}))
                encoded.append(buffer.getvalue())
    return encoded + [path.read_bytes() for path in Path(edge_runtime.__file__).with_name("samples").glob("*g")]


def peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def finish(before: int, folder: str) -> None:
    # libFuzzer's timer still runs while Python shuts down and restores the default action of SIGALRM: to kill.
    signal.setitimer(signal.ITIMER_REAL, 0)
    shutil.rmtree(folder)
    growth = peak() - before
    print(f"memory grew by {growth / 2**20:.0f} MB", file=sys.stderr)
    if growth > MAX_GROWTH:
        os._exit(1)  # at this point an exception would no longer change the exit code


def main() -> None:
    noise = io.BytesIO()
    Image.frombytes("RGBA", (1000, 1000), os.urandom(4_000_000)).save(noise, "PNG")
    folder = tempfile.mkdtemp()
    for number, seed in enumerate([*seeds(), noise.getvalue()]):
        read(seed)
        if len(seed) < 100_000:
            Path(folder, f"{number:03}").write_bytes(seed)
    atexit.register(finish, peak(), folder)
    atheris.Setup([*sys.argv, folder], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
