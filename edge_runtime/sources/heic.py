"""HEIC pictures, the format of many phones; needs the extra edge-digits[heic]."""

import io

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()


def open_heic(data: bytes) -> Image.Image:
    """Open a HEIC file's bytes, rotated by the file's own orientation."""
    return Image.open(io.BytesIO(data), formats=["HEIF"])
