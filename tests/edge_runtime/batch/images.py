"""Pictures and archives to read."""

import io
import tarfile
import zipfile
from typing import Any

import numpy as np
from PIL import Image

from edge_runtime.records import Uint8


def picture(digits: Uint8, number: int = 0) -> Image.Image:
    """Return a small page with one of MNIST's digits, dark on light."""
    page = np.full((64, 64), 230, np.uint8)
    page[18:46, 18:46] = 230 - (digits[number].astype(int) * 200 // 255).astype(np.uint8)
    return Image.fromarray(page)


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def tar(members: dict[str, bytes], mode: Any = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()
