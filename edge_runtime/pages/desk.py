"""The desk below a sheet of paper: wood, cloth, leather, a keyboard, stripes; the sheet's edge, shadow and binding."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.pages.background import Page, planes
from edge_runtime.pages.camera import Pose, places
from edge_runtime.pages.style import PageStyle
from edge_runtime.records import Uint8

Float32 = NDArray[np.float32]
Texture = Callable[[Float32, Float32, np.random.Generator], NDArray[np.float64]]
WOODS = ((60, 100, 150), (90, 140, 185), (30, 50, 80), (120, 150, 180))
DARK = ((25, 25, 30), (40, 35, 35), (60, 45, 40), (30, 40, 70), (45, 60, 30))
KEYS = "QWERTYUIPASDFGHJKLXCVNM"  # letters that do not look like a digit


def lay_on_desk(page: Page, style: PageStyle, view: Pose, rng: np.random.Generator, ground: Uint8 | None) -> None:
    """Draw a desk beyond the page's sides, in place.

    The desk is one of `style.desk`, or a part of `ground`, a picture uint8 (h, w, 3) of any size.
    """
    size = (page.shape[2], page.shape[1])
    sheet, shade = _sheet(style, size, view, rng)
    desk = _part_of(ground, size, rng) if ground is not None else drawn(style.desk, size, rng)
    offset, soft = rng.uniform(-8, 8, 2), float(rng.uniform(1, 8))
    moved = cv2.warpAffine(sheet, np.array([[1, 0, offset[0]], [0, 1, offset[1]]]), size)
    shadow = cv2.GaussianBlur(moved, (0, 0), soft) * np.float32(rng.uniform(0.2, 0.7))
    desk *= 1 - shadow
    page *= shade
    page -= desk
    page *= sheet
    page += desk


def drawn(kinds: Sequence[str], size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a desk of one of these kinds, float64 (3, H, W), turned by a random angle."""
    angle, scale = rng.uniform(0, np.pi), float(rng.uniform(0.7, 2.0))
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    across = np.asarray((x * np.cos(angle) + y * np.sin(angle)) / scale, np.float32)
    down = np.asarray((y * np.cos(angle) - x * np.sin(angle)) / scale, np.float32)
    return DESKS[kinds[int(rng.integers(len(kinds)))]](across, down, rng)


def _part_of(ground: Uint8, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a part of a picture, randomly scaled to cover `size`, as float64 (3, H, W)."""
    least = max(size[0] / ground.shape[1], size[1] / ground.shape[0])
    scale = least * float(rng.uniform(1, 2.5))
    whole = cv2.resize(ground, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    whole = cv2.copyMakeBorder(whole, 0, 2, 0, 2, cv2.BORDER_REPLICATE)  # rounding may leave a row too few
    left, top = (int(rng.integers(have - want + 1)) for have, want in zip(whole.shape[1::-1], size, strict=True))
    part = whole[top : top + size[1], left : left + size[0]]
    return np.asarray(np.moveaxis(part[:, :: rng.choice((-1, 1))], -1, 0), np.float64)


def _sheet(style: PageStyle, size: tuple[int, int], view: Pose, rng: np.random.Generator) -> tuple[Float32, Float32]:
    """Return the sheet's mask in the picture, 0-1, and its brightness as a factor, both float32 (H, W)."""
    x, y = (np.broadcast_to(way, size[::-1]) for way in places(size, view))
    binding = style.binding[int(rng.integers(len(style.binding)))] if style.binding else "none"
    side = int(rng.integers(4))  # left, top, right, bottom
    depths = [x + 0.5, y + 0.5, size[0] - 0.5 - x, size[1] - 0.5 - y]  # page pixels from each of its sides
    depth, along = depths[side].copy(), (y, x)[side % 2]
    reach = {"none": 0.0, "spiral": 0.06 * min(size), "book": 0.8 * size[side % 2]}[binding]
    depths[side] = depth + np.float32(reach)
    rough = rng.normal(0, 1, (size[1] // 12 + 2, size[0] // 12 + 2)).astype(np.float32)
    ragged = cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC) * np.float32(style.torn * min(size))
    inside = np.minimum.reduce(depths) * np.float32(view.scale) + ragged
    sheet = np.clip(inside + 0.5, 0, 1)
    shade = np.ones_like(sheet)
    if view.curl:
        shade -= np.float32(0.8 * np.pi * view.curl / size[0]) * np.sin(np.pi * (x / size[0] - 0.5))
    if binding == "book":
        shade *= 1 - 0.75 * np.exp(-np.abs(depth) / np.float32(rng.uniform(0.01, 0.04) * size[side % 2]))
    if binding == "spiral":
        pitch = float(rng.uniform(0.04, 0.08)) * min(size)
        step = np.abs(np.mod(along, pitch) - pitch / 2)
        hole = np.clip((0.22 * pitch - np.hypot(step, depth + reach / 2)) * view.scale + 0.5, 0, 1)
        wire = np.clip((0.1 * pitch - step) * view.scale + 0.5, 0, 1) * (np.abs(depth + reach) < reach / 2)
        sheet = np.maximum(sheet * (1 - hole), wire)
        shade *= 1 - wire * np.float32(rng.uniform(0.1, 0.9))
    return np.asarray(sheet, np.float32), np.asarray(shade, np.float32)


def _noise(like: Float32, across: float, down: float, rng: np.random.Generator) -> Float32:
    """Return noise of standard deviation about 1, its grains `across` by `down` pixels, as float32 (H, W)."""
    height, width = like.shape
    small = rng.normal(0, 1, (int(height / down) + 3, int(width / across) + 3)).astype(np.float32)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


def _color(among: Sequence[tuple[int, int, int]], rng: np.random.Generator) -> NDArray[np.float64]:
    return planes(np.array(among[int(rng.integers(len(among)))]) * rng.uniform(0.8, 1.2))


def _any_color(rng: np.random.Generator) -> NDArray[np.float64]:
    return planes(rng.uniform(10, 245) + rng.uniform(-40, 40, 3))


def _plain(across: Float32, down: Float32, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.clip(
        _any_color(rng) + 4 * _noise(across, 90, 90, rng) + rng.uniform(0, 5) * _noise(across, 1.5, 1.5, rng), 0, 255
    )


def _wood(across: Float32, down: Float32, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return planks with year rings: bands along one axis, bent by slow noise."""
    bend = 14 * _noise(across, 160, 40, rng)
    rings = np.sin((down + bend) * 2 * np.pi / rng.uniform(9, 30)) + 0.5 * np.sin((down + 2 * bend) / 2.3)
    fibers = _noise(across, 40, 1.5, rng)
    board = float(rng.uniform(60, 220))
    gap = np.exp(-np.abs(np.mod(down, board) - board / 2) / 0.9)
    return np.asarray(np.clip(_color(WOODS, rng) * (1 + 0.07 * rings + 0.05 * fibers) * (1 - 0.6 * gap), 0, 255))


def _cloth(across: Float32, down: Float32, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a weave of two threads, in folds."""
    pitch = float(rng.uniform(3, 9))
    weave = np.sin(across * 2 * np.pi / pitch) * np.sin(down * 2 * np.pi / pitch)
    folds = _noise(across, 150, 60, rng)
    return np.asarray(
        np.clip(_any_color(rng) * (1 + 0.15 * weave + 0.2 * folds + 0.05 * _noise(across, 2, 2, rng)), 0, 255)
    )


def _leather(across: Float32, down: Float32, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return dark grain with lighter or darker creases where noise crosses zero."""
    grain = float(rng.uniform(4, 14))
    creases = np.exp(-np.abs(_noise(across, grain, grain, rng)) / 0.15)
    sheen = _noise(across, 120, 120, rng)
    return np.asarray(
        np.clip(_color(DARK, rng) * (1 + rng.uniform(-0.5, 0.8) * creases + 0.3 * sheen) + 6 * sheen, 0, 255)
    )


def _keyboard(across: Float32, down: Float32, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return rows of keys with letters on them, light on dark or dark on light."""
    pitch = float(rng.uniform(28, 60))
    tile = 64  # pixels of a drawn key
    keys = np.zeros((tile * 4, tile * 8), np.uint8)
    letters = np.zeros_like(keys)
    for row in range(4):
        for column in range(8):
            x, y = column * tile, row * tile
            cv2.rectangle(keys, (x + 5, y + 5), (x + tile - 6, y + tile - 6), 255, cv2.FILLED)
            name = KEYS[rng.integers(len(KEYS))]
            cv2.putText(letters, name, (x + 18, y + 42), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 255, 2, cv2.LINE_AA)
    shift = np.floor(np.mod(down, 4 * pitch) / pitch) * pitch / 4  # rows are staggered
    u = np.asarray(np.mod(across + shift, 8 * pitch) * (tile / pitch), np.float32)
    v = np.asarray(np.mod(down, 4 * pitch) * (tile / pitch), np.float32)
    key, letter = (cv2.remap(cv2.GaussianBlur(drawn, (0, 0), tile / pitch / 2), u, v, cv2.INTER_LINEAR,
                             borderMode=cv2.BORDER_WRAP) / np.float64(255) for drawn in (keys, letters))  # fmt: skip
    between, top, legend = (20.0, 55.0, 215.0) if rng.random() < 0.6 else (150.0, 225.0, 60.0)
    shade = between + (top - between) * key + (legend - top) * letter
    return np.asarray(shade * planes(rng.uniform(0.9, 1.05, 3)))


def _stripes(across: Float32, down: Float32, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return stripes of two colors, sometimes crossed by others, as on a tablecloth."""
    light, dark = _any_color(rng), _any_color(rng)
    wide = float(np.exp(rng.uniform(np.log(6), np.log(80))))
    share = np.clip((np.abs(np.mod(across, wide) - wide / 2) - wide / 4) + 0.5, 0, 1)
    if rng.random() < 0.4:
        share = (share + np.clip((np.abs(np.mod(down, wide) - wide / 2) - wide / 4) + 0.5, 0, 1)) / 2
    return np.asarray(np.clip(light + (dark - light) * share + 3 * _noise(across, 3, 3, rng), 0, 255))


DESKS: dict[str, Texture] = {
    "plain": _plain, "wood": _wood, "cloth": _cloth, "leather": _leather, "keyboard": _keyboard, "stripes": _stripes,
}  # fmt: skip
