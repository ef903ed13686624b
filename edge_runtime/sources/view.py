"""A frame as a person wants it seen: turned, mirrored, and a part of it; and whether it changed at all."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from edge_runtime.errors import PictureError, SourceError
from edge_runtime.records import Box, Frame, Uint8

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
FLIPS = {"horizontal": 1, "vertical": 0, "both": -1}
# A frame is still if no cell of so many pixels has changed its mean by so much, of 255: a pen's stroke across one
# changes it several times as much, a sensor's noise of standard deviation 10 not a fourth.
CELL, CHANGE = 8, 8.0


@dataclass(frozen=True, kw_only=True)
class View:
    """Turned clockwise by `rotate` degrees, then mirrored by `flip`, then cut to `roi`, in pixels of the result."""

    rotate: Literal[0, 90, 180, 270] = 0
    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    roi: Box | None = None


def viewed(frames: Iterator[Frame | PictureError], view: View) -> Iterator[Frame | PictureError]:
    """Yield frames as `view` says, errors as they are.

    A picture that the region lies outside of is such an error; a moving one ends with SourceError.
    """
    for frame in frames:
        if isinstance(frame, PictureError) or view == View():
            yield frame
            continue
        pixels = _seen(frame.pixels, view)
        if pixels.size:
            yield replace(frame, pixels=pixels)
            continue
        outside = f"{frame.source}: --roi {view.roi and ','.join(map(str, view.roi))} lies outside of this picture"
        if frame.moving:
            raise SourceError(outside)
        yield PictureError(outside)


def _seen(pixels: Uint8, view: View) -> Uint8:
    """Return what is seen of a picture; nothing where the region is not in it."""
    if view.rotate:
        pixels = np.asarray(cv2.rotate(pixels, TURNS[view.rotate]), np.uint8)
    if view.flip != "none":
        pixels = np.asarray(cv2.flip(pixels, FLIPS[view.flip]), np.uint8)
    if view.roi is not None:
        height, width = pixels.shape[:2]
        if view.roi.right > width or view.roi.bottom > height:
            return np.zeros((0, 0), np.uint8)
        pixels = np.ascontiguousarray(pixels[view.roi.y : view.roi.bottom, view.roi.x : view.roi.right])
    return pixels


def cells(pixels: Uint8) -> Uint8:
    """Return the mean of every cell of a frame, uint8 (H / CELL, W / CELL), to tell whether the next one differs."""
    gray = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    size = tuple(max(1, side // CELL) for side in gray.shape[::-1])
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def still(before: Uint8 | None, now: Uint8) -> bool:
    """Tell from the cells of two frames whether the second shows the same."""
    if before is None or before.shape != now.shape:
        return False
    return float(cv2.absdiff(before, now).max()) < CHANGE
