"""Picture files -> frames: every format that Pillow reads, upright, in 8 bits."""

import io
import stat
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from edge_runtime.errors import EdgeError, PictureError, PictureTooLarge
from edge_runtime.records import Frame, Uint8

MAX_PIXELS = 50_000_000
UPRIGHT = 1  # EXIF's value
POSTSCRIPT = (b"%!PS", b"\xc5\xd0\xd3\xc6")
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
# In a folder, files of these formats are no pictures: Pillow can write, name or forward them, but not read them.
NO_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "PALM", "PDF", "WMF"}
# Transparent pictures get a white background, or a black one if their visible part is lighter than this.
LIGHT = 160


def expand(paths: Iterable[Path]) -> Iterator[Path | PictureError]:
    """Yield the pictures that `paths` name: files as they are, for a folder the pictures directly in it, by name.

    Yields an error for each path that is missing or holds no picture.
    """
    for path in paths:
        try:
            yield from _expanded(path)
        except OSError as error:  # a folder without access permission, a name that is too long
            yield PictureError(f"{path}: cannot be read: {error.strerror or error}")


def inside(folder: Path) -> list[Path]:
    """Return the picture files directly in a folder, selected by suffix, ordered by name. Raises OSError."""
    readable = suffixes()
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in readable and path.is_file())


def _expanded(path: Path) -> Iterator[Path | PictureError]:
    try:
        mode = path.stat().st_mode  # is_dir() and the like hide errors from Python 3.14 on
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the name
        yield PictureError(f"{path}: no such file")
        return
    if stat.S_ISDIR(mode):
        files = inside(path)
        if not files:
            yield PictureError(f"{path}: no picture in this folder")
        yield from files
    elif stat.S_ISREG(mode):
        yield path
    else:
        yield PictureError(f"{path}: not a file")


def load(path: Path) -> Frame:
    """Read one picture file. Raises PictureError if it cannot be read, PictureTooLarge beyond MAX_PIXELS."""
    try:
        return decode(path.read_bytes(), str(path))
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror or error}") from error


def decode(data: bytes, name: str) -> Frame:
    """Decode a picture file's bytes; for an animation, the first frame. Raises what `load` raises."""
    if not data:
        raise PictureError(f"{name}: the file is empty")
    if data.startswith(POSTSCRIPT):  # Pillow would pass it to Ghostscript, which runs it
        raise PictureError(f"{name}: PostScript is a program, not a picture; convert it to PNG first")
    return converted(lambda: _open(data, name), name)


def converted(opened: Callable[[], Image.Image], name: str, number: int = 0) -> Frame:
    """Return frame `number` of the picture that a function opens, upright. Raises what `load` raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with opened() as image:
                if number:
                    image.seek(number)
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError(f"{image.width}x{image.height}")
                turned = image.getexif().get(ExifTags.Base.Orientation, UPRIGHT) != UPRIGHT
                # exif_transpose also copies an upright picture.
                return Frame(_pixels(ImageOps.exif_transpose(image) if turned else image), name)
    except Image.DecompressionBombError as error:
        raise PictureTooLarge(f"{name}: larger than {MAX_PIXELS // 1_000_000} megapixels; scale it down") from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{name}: not a picture that Pillow can read") from error
    except EdgeError:
        raise
    except Exception as error:  # boundary: on hostile bytes, Pillow's plugins may raise anything
        raise PictureError(f"{name}: damaged or truncated: {str(error) or type(error).__name__}") from error


def _open(data: bytes, name: str) -> Image.Image:
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        try:
            from edge_runtime.sources import heic
        except ImportError as error:
            raise PictureError(f"{name}: to read HEIC, pip install 'edge-digits[heic]'") from error
        return heic.open_heic(data)
    return Image.open(io.BytesIO(data))


def suffixes() -> frozenset[str]:
    """Return the suffixes of picture files, in lower case with their dots."""
    Image.init()
    readable = (suffix for suffix, kind in Image.registered_extensions().items() if kind not in NO_PICTURES)
    return frozenset(readable) | {".heic", ".heif"}


def _pixels(image: Image.Image) -> Uint8:
    """Return uint8 (H, W) gray, or (H, W, 3) blue-green-red."""
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(np.asarray(image))
    if _is_transparent(image):
        image = image.convert("RGBA")
        rgb, alpha = np.asarray(image.convert("RGB")), np.asarray(image.getchannel("A"))
        visible = rgb[alpha > 127]
        ground = 0 if visible.size and visible.mean() > LIGHT else 255
        background = Image.new("RGBA", image.size, (ground, ground, ground, 255))
        image = Image.alpha_composite(background, image)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _is_transparent(image: Image.Image) -> bool:
    # Pillow 9 has no Image.has_transparency_data.
    modes = [image.mode] if image.palette is None else [image.mode, image.palette.mode]
    return "transparency" in image.info or any(mode.endswith(("A", "a")) for mode in modes)


def _eight_bits(values: np.ndarray) -> Uint8:
    """Scale 16-bit and floating-point gray to 0-255: from the type's range if the values fit, else from their own."""
    numbers = np.where(np.isfinite(values), values, 0).astype(np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    if low >= 0 and high <= 1 and values.dtype.kind == "f":
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    elif low >= 0 and high <= 65_535:
        low, high = 0.0, 65_535.0
    return ((numbers - low) * (255 / max(high - low, 1e-300))).astype(np.uint8)
