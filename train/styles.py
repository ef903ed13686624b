"""Random styles of training pages: every feature of the page generator occurs."""

from typing import Any, Literal

import numpy as np

from edge_runtime.pages.style import BINDINGS, DESKS, PageStyle

SIZES = ((320, 240), (480, 640), (640, 480), (640, 480), (800, 600))
HEIGHTS = (14.0, 72.0)  # range of digit heights in pixels, log-uniform
VERY_LARGE = 0.06  # share of pages with digits up to LARGEST of the shorter side high, as many as fit
LARGEST = 0.72
TOUCHING = 0.5  # share of pages with touching digits, except in cells
ON_A_DESK = 0.4  # share of pages that do not fill the picture
Scene = Literal["desk", "table", "sum", "large"]
LAYOUTS = {"lines": 0.58, "sum": 0.12, "column": 0.06, "table": 0.16, "sudoku": 0.08}
LAYOUTS_OF: dict[Scene, tuple[str, ...]] = {"table": ("table", "sudoku"), "sum": ("sum", "column")}
WRITTEN = {"letters": 5, "words": 5, "scribbles": 3, "smudges": 3, "dots": 4, "commas": 3, "rules": 2, "frames": 2,
           "coins": 2, "finger": 2, "signs": 5, "table": 2}  # fmt: skip
THINGS = {"hand": 3, "pen": 3, "note": 3, "stamp": 2, "cable": 3}  # on a desk: at least 1, fewer than this number


def style(rng: np.random.Generator, without: Scene | None = None) -> PageStyle:
    """Return a random style: any feature of the page generator may occur, except the kind of scene in `without`."""
    # One long function: the order of the random numbers decides the pages of a seed, and stands here line by line.

    def now_and_then(chance: float, least: float, most: float, off: float) -> tuple[float, float]:
        value = float(rng.uniform(least, most)) if rng.random() < chance else off
        return value, value

    def exactly(least: float, most: float) -> tuple[float, float]:
        value = float(rng.uniform(least, most))
        return value, value

    height = float(np.exp(rng.uniform(*np.log(HEIGHTS))))
    size = SIZES[rng.integers(len(SIZES))]
    height = min(height, min(size) / 5)
    scene = _scene(rng, without)
    if scene.get("desk"):  # the page becomes smaller
        height = min(height / scene["sheet"][0], min(size) / 5)
    if scene["layout"] in ("table", "sudoku"):
        height = min(height, min(size) / 9 if scene["layout"] == "table" else min(size) / 16)
    among = rng.random() < 0.6
    kinds = WRITTEN | (THINGS if scene.get("desk") else {})
    distractors = tuple(
        (name, int(rng.integers(1, most))) for name, most in kinds.items() if among and rng.random() < 0.35
    )
    ruled = rng.random()
    very_large = rng.random() < VERY_LARGE and without != "large"
    if very_large:
        height = float(rng.uniform(0.2, LARGEST)) * min(size)
        scene |= {"layout": "lines", "desk": ()}
    return PageStyle(
        size=size,
        digit_height=(height, height),
        pen=exactly(0.45, 2.2) if rng.random() < 0.6 else None,
        contrast=exactly(0.2, 0.9) if rng.random() < 0.4 else None,
        light_on_dark=bool(rng.random() < 0.15),
        grain=float(rng.uniform(0, 5)),
        blur=now_and_then(0.5, 0.3, min(height, HEIGHTS[1]) / 12, 0.3),
        noise=now_and_then(0.2, 2, 25, 0),
        jpeg=(int(rng.integers(15, 95)),) * 2 if rng.random() < 0.4 else None,
        shadow=now_and_then(0.2, 0.35, 0.9, 1),
        gradient=now_and_then(0.2, 0.3, 0.9, 1),
        vignette=now_and_then(0.15, 0.4, 0.9, 1),
        glare=now_and_then(0.1, 20, 90, 0),
        tilt=now_and_then(0.4, 0, 14, 0),
        perspective=now_and_then(0.2, 0, 20, 0),
        touching=float(rng.uniform(0.2, 1)) if rng.random() < TOUCHING else 0.0,
        gaps=int(rng.integers(1, 4)) if rng.random() < 0.15 else 0,
        spread=(0.75, 1.3) if rng.random() < 0.3 else (1, 1),
        ruling="lines" if ruled < 0.1 else "squares" if ruled < 0.2 else "none",
        boxes=1.0 if 0.2 < ruled < 0.3 else 0.0,
        ruling_strength=exactly(0.15, 0.8),
        distractors=distractors,
        **scene,
    )


def _scene(rng: np.random.Generator, without: Scene | None) -> dict[str, Any]:
    """Return the position of the sheet and the layout of its contents."""
    layout = str(rng.choice(list(LAYOUTS), p=list(LAYOUTS.values())))
    if without is not None and layout in LAYOUTS_OF.get(without, ()):
        layout = "lines"
    scene: dict[str, Any] = {"layout": layout, "grid": "hand" if rng.random() < 0.5 else "print"}
    scene["drift"] = bool(rng.random() < 0.6)
    if layout == "sum":
        scene |= {"word_length": (1, int(rng.integers(1, 4))), "word_gap": (1.3, 2.2)}
    elif layout == "lines" and rng.random() < 0.25:
        scene["gap"] = (0.25, float(rng.uniform(0.6, 4)))
    if rng.random() < ON_A_DESK and without != "desk":
        smaller = float(rng.uniform(0.45, 0.95))
        scene |= {"desk": DESKS, "sheet": (smaller, smaller), "flap": bool(rng.random() < 0.1)}
        if rng.random() < 0.3:
            scene["binding"] = BINDINGS
        if rng.random() < 0.3:
            scene["torn"] = float(rng.uniform(0, 0.015))
        if rng.random() < 0.3:
            scene["curl"] = (0, float(rng.uniform(1, 9)))
    return scene
