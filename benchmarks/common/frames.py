"""Hard frames for timing the reader: the pictures that take it longest. `pages.timing` draws the plain ones."""

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages import timing
from edge_runtime.records import Uint8

SIZE = timing.SIZES["640x480"]  # (width, height)
PAPER, PEN, PENCIL = 235, 25, 180  # gray levels; PENCIL strokes join PEN strokes into one connected component
Shades = NDArray[np.float32]


def frames() -> dict[str, Uint8]:
    """Return the hard frames by name: uint8 (480, 640, 3) blue-green-red, the same ones on every call.

    Each frame precedes its negative, whose name ends in ", inverted".
    """
    images = {}
    for name, gray in _grays():
        images[name] = np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
        images[f"{name}, inverted"] = np.asarray(cv2.bitwise_not(images[name]), dtype=np.uint8)
    return images


def _grays() -> Iterator[tuple[str, Uint8]]:
    """Yield each hard frame, uint8 (480, 640), with its name."""
    rng = np.random.default_rng(timing.SEED)
    yield from _noises(rng)
    yield from _patterns()
    yield from _writings(rng)
    yield from _fields(rng)


def _noises(rng: np.random.Generator) -> Iterator[tuple[str, Uint8]]:
    width, height = SIZE
    noise = rng.standard_normal((height, width), np.float32)
    yield "uniform noise", rng.integers(0, 256, (height, width), np.uint8)
    for deviation in (10, 20, 40, 80):
        yield f"Gaussian noise {deviation}", _gray(128 + deviation * noise)
        yield f"dark Gaussian noise {deviation}", _gray(PAPER - deviation * np.maximum(0, noise))
    for percent in (1, 2, 5, 10, 20, 35, 50):
        chance = rng.random((height, width), np.float32) * 200
        salted = np.select([chance < percent, chance > 200 - percent], [0, 255], 128)
        yield f"salt and pepper {percent} %", _gray(salted)
        yield f"pepper {percent} %", _inked(chance < 2 * percent)
    for name, across, down in (("sand", 1.0, 1.0), ("gravel", 2.5, 2.5), ("pebbles", 5.0, 5.0), ("grass", 0.8, 5.0)):
        texture = _texture(noise, across, down)
        yield name, _gray(128 + 50 * texture)
        yield f"black and white {name}", _inked(texture > 0.7)


def _patterns() -> Iterator[tuple[str, Uint8]]:
    """Yield regular patterns over the whole frame."""
    width, height = SIZE
    rows, columns = np.mgrid[:height, :width]
    for side in (1, 2, 3, 4, 6, 8):
        yield f"checkerboard of {side}", _inked((rows // side + columns // side) % 2 == 0)
    for pitch in (3, 4, 5, 6, 8):
        yield f"dots every {pitch}", _inked((rows % pitch == 0) & (columns % pitch == 0))
        yield f"blots every {pitch + 3}", _inked((rows % (pitch + 3) < pitch) & (columns % (pitch + 3) < pitch))
    for pitch in (4, 8, 16, 32):
        yield f"grid every {pitch}", _inked((rows % pitch == 0) | (columns % pitch == 0))
        yield f"diagonals every {pitch}", _inked((rows * 4 + columns * 3) % (pitch * 4) < 5)
        yield f"nested corners every {pitch}", _inked(np.minimum(rows, columns) % pitch < 1)
        yield f"rings every {pitch}", _inked(np.hypot(rows - height / 2, columns - width / 2) % pitch < 1.5)


def _writings(rng: np.random.Generator) -> Iterator[tuple[str, Uint8]]:
    """Yield lines, text, and cells of strokes, alone and joined by a lattice."""
    for count in (30, 100, 300):
        yield f"{count} crossing lines", _lines(count, rng)
    for font_size in (0.3, 0.4, 0.6):
        yield f"text at {font_size}", _text(font_size, rng)
    for side in (12, 16, 24):
        yield f"digits {side} high", _tiled(side, side, _digits(side, rng))
        yield f"digits {side} high on a lattice", _on_lattice(_tiled(side, side, _digits(side, rng)), side)
    for name, cell_height, cell_width in (("narrow", 14, 34), ("broad", 20, 62)):
        waves = _tiled(cell_height, cell_width, _wave(cell_height, cell_width))
        yield f"{name} waves", waves
        yield f"{name} waves on a lattice", _on_lattice(waves, cell_height)
    for side in (20, 30, 60):
        meshes = _tiled(side, side, _mesh(side))
        yield f"meshes of {side}", meshes
        yield f"meshes of {side} on a lattice", _on_lattice(meshes, side)
    for side in (24, 36):
        for pitch in (8, 12):
            windows = _tiled(side, side, _mesh(side, pitch))
            yield f"windows of {side} every {pitch} on a lattice", _on_lattice(windows, side)


def _fields(rng: np.random.Generator) -> Iterator[tuple[str, Uint8]]:
    """Yield small strokes, alone and on fields that join them."""
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    yield "dashes", _inked((rows % 4 < 2) & (columns % 6 < 4))
    yield "dashes on fields", _on_fields(_inked((rows % 4 < 2) & (columns % 6 < 4)))
    yield "strokes", _inked(((rows + columns // 5 * 7) % 13 < 9) & (columns % 5 < 2))
    yield "strokes on fields", _on_fields(_inked(((rows + columns // 5 * 7) % 13 < 9) & (columns % 5 < 2)))
    yield "blots on fields", _on_fields(_inked((rows % 12 < 9) & (columns % 12 < 9)))
    yield "digits on fields", _on_fields(_tiled(12, 12, _digits(12, rng)))
    yield "waves on fields", _on_fields(_tiled(14, 24, _wave(14, 24)))
    yield "mesh on fields", _on_fields(_inked((rows % 4 < 1) | (columns % 4 < 1)))


def _gray(levels: NDArray[Any]) -> Uint8:
    return np.asarray(np.clip(levels, 0, 255), dtype=np.uint8)


def _inked(ink: NDArray[np.bool_]) -> Uint8:
    return np.asarray(np.where(ink, PEN, PAPER), dtype=np.uint8)


def _texture(noise: Shades, across: float, down: float) -> Shades:
    """Return noise with grains of about the given size in pixels, mean 0 and standard deviation 1."""
    coarse, coarser = (
        cv2.GaussianBlur(noise, (0, 0), sigmaX=wide * across, sigmaY=wide * down).astype(np.float32) for wide in (1, 3)
    )
    band = coarse - coarser
    return band / np.float32(band.std())


def _lines(count: int, rng: np.random.Generator) -> Uint8:
    """Return straight lines from edge to edge."""
    page = np.full(SIZE[::-1], PAPER, np.uint8)
    for i, (start, end) in enumerate(rng.random((count, 2))):
        if i % 2:
            ends = (int(start * SIZE[0]), 0), (int(end * SIZE[0]), SIZE[1])
        else:
            ends = (0, int(start * SIZE[1])), (SIZE[0], int(end * SIZE[1]))
        cv2.line(page, *ends, PEN, 1, cv2.LINE_AA)
    return page


def _text(font_size: float, rng: np.random.Generator) -> Uint8:
    """Return letters and numerals in a font of straight strokes, line by line over the whole frame."""
    page = np.full(SIZE[::-1], PAPER, np.uint8)
    characters = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    for bottom in range(round(24 * font_size), SIZE[1], round(30 * font_size)):
        line = "".join(rng.choice(characters, 160))
        cv2.putText(page, line, (2, bottom), cv2.FONT_HERSHEY_SIMPLEX, font_size, PEN, 1, cv2.LINE_AA)
    return page


def _tiled(cell_height: int, cell_width: int, draw: Callable[[], Shades]) -> Uint8:
    """Fill the frame with cells of the given pixels; `draw` returns the ink of one, 0-1, float32 (rows, columns)."""
    ink = np.zeros(SIZE[::-1], np.float32)
    for top in range(1, SIZE[1] - cell_height, cell_height + 2):
        for left in range(1, SIZE[0] - cell_width, cell_width + 2):
            ink[top : top + cell_height, left : left + cell_width] = draw()
    return _gray(PAPER + (PEN - PAPER) * ink)


def _digits(side: int, rng: np.random.Generator) -> Callable[[], Shades]:
    images = [
        cv2.resize(image[4:24, 4:24], (side, side), interpolation=cv2.INTER_AREA) for image in timing.samples()[0]
    ]
    inks = [image.astype(np.float32) / 255 for image in images]
    return lambda: inks[rng.integers(len(inks))]


def _wave(height: int, width: int) -> Callable[[], Shades]:
    """Return a function that draws a wavy stroke, similar to joined letters, with many possible cuts."""
    x = np.arange(width)
    y = np.rint((height - 2) / 2 * (1 - np.cos(2 * np.pi * x / (0.7 * height)))).astype(int)
    ink = np.zeros((height, width), np.float32)
    points = np.stack([x, y], axis=1).astype(np.int32)
    cv2.polylines(ink, [points], False, 1.0, 2)
    return lambda: ink


def _mesh(side: int, pitch: int = 4) -> Callable[[], Shades]:
    """Return a function that draws a square of crossing lines."""
    rows, columns = np.mgrid[:side, :side]
    ink = ((rows % pitch == 0) | (columns % pitch == 0)).astype(np.float32)
    return lambda: ink


def _on_lattice(page: Uint8, cell: int) -> Uint8:
    """Return a page with pencil lines that join everything into one connected component."""
    joined = page.copy()
    for middle in range(1 + cell // 2, SIZE[1], cell + 2):
        joined[middle] = np.minimum(page[middle], PENCIL)
    joined[:, 1 + cell // 2] = np.minimum(page[:, 1 + cell // 2], PENCIL)
    return joined


def _on_fields(page: Uint8) -> Uint8:
    """Return a page limited to 20 broad pencil fields, each one connected component, with bars at the edges."""
    apart = np.full_like(page, PAPER)
    for left in range(14, SIZE[0], 128):
        for top in range(23, SIZE[1], 120):
            field = slice(top, top + 74), slice(left, left + 100)
            apart[field] = np.minimum(page[field], PENCIL)
    for left in range(0, SIZE[0], 128):  # without these the reader takes the frame for light ink on a dark background
        apart[:16, left : left + 40] = apart[-16:, left : left + 40] = 0
    return apart
