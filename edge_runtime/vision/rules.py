"""Binary plane -> the same without rules: lines longer than any digit. Strokes that cross them stay whole.

Writing on a ruled line or in a drawn table forms one component with it if the rule is as dark as the pen.
"""

import cv2
import numpy as np

from edge_runtime.records import Uint8


def without_rules(binary: Uint8, longest: int, window: int) -> Uint8 | None:
    """Return a binary plane, uint8 (H, W), 0 or 255, without its rules; None if it has none.

    A rule is a chain of pixels across or down that is longer than `longest` pixels, and thinner than `window`, an odd
    number of them. Where the ink is thicker, over at most `window` pixels, a stroke crosses the rule and is kept; where
    two rules cross, nothing is left.
    """
    across, gaps_across = _across(binary, longest, window)
    down, gaps_down = (rules.T for rules in _across(np.ascontiguousarray(binary.T), longest, window))
    rules = cv2.bitwise_or(across, down)
    if not cv2.countNonZero(rules):
        return None
    return np.asarray(cv2.subtract(binary, cv2.bitwise_or(rules, cv2.bitwise_and(gaps_across, gaps_down))), np.uint8)


def _across(binary: Uint8, longest: int, window: int) -> tuple[Uint8, Uint8]:
    """Return the rules that run from left to right, and the same rules with the gaps at crossings filled."""
    thick = cv2.morphologyEx(binary, cv2.MORPH_OPEN, np.ones((window, 1), np.uint8))
    thin = cv2.subtract(binary, thick)
    linked = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, window), np.uint8))
    outlines, _ = cv2.findContours(linked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    long = [outline for outline in outlines if cv2.boundingRect(outline)[2] > longest]
    whole = np.zeros_like(binary)
    if long:
        cv2.drawContours(whole, long, -1, 255, cv2.FILLED)
        cv2.bitwise_and(whole, linked, whole)
    return np.asarray(cv2.bitwise_and(thin, whole), np.uint8), whole
