"""Rotation, flipping and cropping of frames, and detection of unchanged frames."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from edge_runtime.errors import PictureError, SourceError
from edge_runtime.records import Box, Frame, Uint8

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
FLIPS = {"horizontal": 1, "vertical": 0, "both": -1}
# A frame is still if no cell, CELL pixels square, changes its mean by CHANGE, of 255. A pen stroke across a cell
# changes it several times as much; sensor noise of standard deviation 10, by less than a fourth.
CELL, CHANGE = 8, 8.0


@dataclass(frozen=True, kw_only=True)
class View:
    """Rotated clockwise by `rotate` degrees, then flipped by `flip`, then cropped to `roi`, in pixels of the result."""

    rotate: Literal[0, 90, 180, 270] = 0
    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    roi: Box | None = None


def viewed(frames: Iterator[Frame | PictureError], view: View) -> Iterator[Frame | PictureError]:
    """Yield frames transformed by `view`, and errors unchanged.

    A picture that does not contain the region becomes an error; for a moving source, raises SourceError.
    """
    for frame in frames:
        if isinstance(frame, PictureError) or view == View():
            yield frame
            continue
        pixels = _seen(frame.pixels, view)
        if pixels.size:
            yield replace(frame, pixels=pixels)
            continue
        outside = f"{frame.source}: --roi {view.roi and ','.join(map(str, view.roi))} is outside this picture"
        if frame.moving:
            raise SourceError(outside)
        yield PictureError(outside)


def _seen(pixels: Uint8, view: View) -> Uint8:
    """Return the visible part of a picture; empty if the region is not in it."""
    if view.rotate:
        pixels = np.asarray(cv2.rotate(pixels, TURNS[view.rotate]), np.uint8)
    if view.flip != "none":
        pixels = np.asarray(cv2.flip(pixels, FLIPS[view.flip]), np.uint8)
    if view.roi is not None:
        if view.roi.within(pixels.shape[1::-1]) != view.roi:
            return np.zeros((0, 0), np.uint8)
        pixels = np.ascontiguousarray(pixels[view.roi.slices])
    return pixels


def cells(pixels: Uint8) -> Uint8:
    """Return the mean of every cell of a frame, uint8 (H / CELL, W / CELL), for comparison with the next frame."""
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    size = tuple(max(1, side // CELL) for side in gray.shape[::-1])
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def still(before: Uint8 | None, now: Uint8) -> bool:
    """Return whether the cells of two frames show the same picture."""
    if before is None or before.shape != now.shape:
        return False
    return float(cv2.absdiff(before, now).max()) < CHANGE
