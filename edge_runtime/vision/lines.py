"""Boxes of digits -> lines of text, each of words, in reading order."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from edge_runtime.records import Box

REACH = 5.0  # heights: boxes further apart are no neighbors, here and in `page_model`
# The tilt is estimated from neighbors whose slope in pixels per pixel is at most this: 20 degrees, which excludes most
# diagonal neighbors in a grid, or 45 degrees, if that gives far fewer lines.
STEEP, STEEPER = 0.36, 1.0
# A gap separates words if it exceeds both the first times the line's median digit height and the second times the
# page's median gap.
WORD_GAP = 1.0
WIDER = 2.0


def group_into_lines(boxes: Sequence[Box]) -> list[list[list[int]]]:
    """Return the indices of `boxes` as lines, top to bottom; each is a list of words, each of them left to right.

    Lines may slope by up to 20 degrees, or by up to 45 if the boxes then make at most half as many lines. The boxes of
    a grid make more lines along its diagonals.
    """
    lines, steeper = (_lines(boxes, tilt(boxes, steepest)) for steepest in (STEEP, STEEPER))
    return _words(boxes, steeper if 2 * len(steeper) <= len(lines) else lines)


def _lines(boxes: Sequence[Box], slope: float) -> list[list[int]]:
    """Return the indices of boxes on lines that fall by `slope` per pixel, top to bottom, left to right."""
    # Tops and bottoms after a shear that makes the lines level and keeps the left edge in place.
    level = [(b.y - slope * b.center[0], b.bottom - slope * b.center[0]) for b in boxes]
    lines: list[list[int]] = []
    ends: list[tuple[float, float]] = []  # top and bottom of the last digit of each line
    for i in sorted(range(len(boxes)), key=lambda i: boxes[i].x):
        top, bottom = level[i]
        # Each digit joins the line whose last digit it overlaps most, by at least half the height of the shorter of the
        # two. Only the last digit counts, so a line may drift.
        most, best = 0.0, -1
        for number, (other_top, other_bottom) in enumerate(ends):
            if other_bottom <= top or bottom <= other_top:
                continue
            shared = min(bottom, other_bottom) - max(top, other_top)
            if shared / min(bottom - top, other_bottom - other_top) > most:
                most, best = shared / min(bottom - top, other_bottom - other_top), number
        if most >= 1 / 2:
            lines[best].append(i)
            ends[best] = level[i]
        else:
            lines.append([i])
            ends.append(level[i])
    lines.sort(key=lambda line: sum(sum(level[i]) for i in line) / len(line))
    return lines


def tilt(boxes: Sequence[Box], steepest: float) -> float:
    """Return how far the lines of `boxes` fall per pixel to the right, at most `steepest` either way.

    It is 0 if the boxes do not determine it.
    """
    middles = sorted((*b.center, b.height) for b in boxes)
    slopes = []
    for i, (x, y, height) in enumerate(middles):
        for next_x, next_y, next_height in middles[i + 1 :]:
            taller, across, down = max(height, next_height), next_x - x, next_y - y
            if across > REACH * taller:
                break
            if across > 0 and abs(down) < steepest * across:
                slopes.append(down / across)
                break
    slope = median(slopes) if len(slopes) > 1 else 0.0
    return slope if abs(slope) <= steepest else 0.0


def _words(boxes: Sequence[Box], lines: list[list[int]]) -> list[list[list[int]]]:
    """Split each line into words at wide gaps."""
    gaps = [[boxes[j].x - boxes[i].right for i, j in pairwise(line)] for line in lines]
    every = sorted(gap for line in gaps for gap in line)
    usual = every[(len(every) - 1) // 2] if every else 0
    parted = []
    for line, between in zip(lines, gaps, strict=True):
        least = max(WORD_GAP * sorted(boxes[i].height for i in line)[len(line) // 2], WIDER * usual)
        words = [[line[0]]]
        for i, gap in zip(line[1:], between, strict=True):
            if gap > least and len(every) > 1:
                words.append([i])
            else:
                words[-1].append(i)
        parted.append(words)
    return parted
