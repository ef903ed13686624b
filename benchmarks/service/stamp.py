"""A timestamp drawn into a picture that survives JPEG: how old is a frame?

The lowest rows hold a cell for each bit, slightly lighter or darker than gray: the time in tenths of a millisecond, and
a checksum. The contrast is too low to count as ink.
"""

import numpy as np

from edge_runtime.records import Uint8

CELL, CELLS = 16, 40  # side of a cell in pixels; number of cells, in a picture 640 wide
CHECK = 4  # cells of the checksum
GRAY, DEPTH = 205, 8
TICK = 1e-4  # seconds
RANGE = 1 << (CELLS - CHECK)  # ticks until wraparound: 79 days


def stamp(pixels: Uint8, moment: float) -> None:
    """Draw `moment`, in seconds, into the lowest 16 rows of a picture, uint8 (H, 640, 3), in place."""
    ticks = int(moment / TICK) % RANGE
    number = ticks << CHECK | _check(ticks)
    bits = [(number >> i) & 1 for i in range(CELLS)]
    row = np.repeat(np.where(bits, GRAY + DEPTH, GRAY - DEPTH), CELL).astype(np.uint8)
    pixels[-CELL:, : row.size] = row[None, :, None]


def age(pixels: Uint8, now: float) -> float | None:
    """Return the seconds from a picture's stamp to `now`; None without a stamp."""
    if pixels.shape[0] < CELL or pixels.shape[1] < CELL * CELLS:
        return None
    strip = pixels[-CELL:, : CELL * CELLS].reshape(CELL, CELLS, CELL, -1)[4:-4, :, 4:-4]
    bits = strip.mean(axis=(0, 2, 3)) > GRAY
    number = sum(1 << i for i, bit in enumerate(bits.tolist()) if bit)
    ticks = number >> CHECK
    if _check(ticks) != number & (1 << CHECK) - 1:
        return None
    return (int(now / TICK) - ticks) % RANGE * TICK


def _check(ticks: int) -> int:
    """Return the exclusive or of all half bytes, with a nonzero start value to detect a missing stamp."""
    check = 0b1010
    while ticks:
        check ^= ticks & 0xF
        ticks >>= 4
    return check
