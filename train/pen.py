"""Change the stroke width of drawn ink."""

import cv2
import numpy as np

from edge_runtime.records import Uint8


def with_pen(ink: Uint8, pen: int) -> Uint8:
    """Return ink, uint8 (H, W), bright on 0, with strokes `pen` pixels wider, or narrower where `pen` is negative.

    Strokes that are too thin to get narrower stay as they are: erosion alone would remove them, and with them a part of
    a character, or all of it.
    """
    if pen >= 0:
        return np.asarray(cv2.dilate(ink, _round(pen + 1)), np.uint8)
    thinner, reach = cv2.erode(ink, _round(1 - pen)), _round(1 - 2 * pen)
    lost = cv2.subtract(ink, cv2.dilate(thinner, reach))  # farther from all that is left than erosion moves an edge
    return np.asarray(cv2.max(thinner, cv2.min(ink, cv2.dilate(lost, reach))), np.uint8)


def _round(size: int) -> Uint8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
