"""HEIC pictures, as telephones take them; needs the extra edge-digits[heic]."""

import io

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()


def open_heic(data: bytes) -> Image.Image:
    """Open a HEIC file's bytes, turned as its own orientation says."""
    return Image.open(io.BytesIO(data), formats=["HEIF"])
