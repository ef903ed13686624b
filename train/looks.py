"""What a page to train with looks like: every feature of the page generator is on now and then."""

import numpy as np

from edge_runtime.page_style import PageStyle


def style(rng: np.random.Generator) -> PageStyle:
    """Return a look: every feature of the page generator is on now and then."""

    def now_and_then(chance: float, least: float, most: float, off: float) -> tuple[float, float]:
        value = float(rng.uniform(least, most)) if rng.random() < chance else off
        return value, value

    def exactly(least: float, most: float) -> tuple[float, float]:
        value = float(rng.uniform(least, most))
        return value, value

    height = float(np.exp(rng.uniform(np.log(14), np.log(72))))
    size = ((320, 240), (480, 640), (640, 480), (640, 480), (800, 600))[rng.integers(5)]
    height = min(height, min(size) / 5)
    kinds = {"letters": 5, "words": 5, "scribbles": 3, "smudges": 3, "dots": 4, "commas": 3, "rules": 2, "frames": 2,
             "coins": 2, "finger": 2, "table": 2}  # fmt: skip
    among = rng.random() < 0.6
    distractors = tuple(
        (name, int(rng.integers(1, most))) for name, most in kinds.items() if among and rng.random() < 0.35
    )
    ruled = rng.random()
    return PageStyle(
        size=size,
        digit_height=(height, height),
        pen=exactly(0.45, 2.2) if rng.random() < 0.6 else None,
        contrast=exactly(0.2, 0.9) if rng.random() < 0.4 else None,
        light_on_dark=bool(rng.random() < 0.15),
        grain=float(rng.uniform(0, 5)),
        blur=now_and_then(0.5, 0.3, height / 12, 0.3),
        noise=now_and_then(0.2, 2, 25, 0),
        jpeg=(int(rng.integers(15, 95)),) * 2 if rng.random() < 0.4 else None,
        shadow=now_and_then(0.2, 0.35, 0.9, 1),
        gradient=now_and_then(0.2, 0.3, 0.9, 1),
        vignette=now_and_then(0.15, 0.4, 0.9, 1),
        tilt=now_and_then(0.4, 0, 14, 0),
        perspective=now_and_then(0.2, 0, 20, 0),
        touching=float(rng.uniform(0.2, 1)) if rng.random() < 0.4 else 0.0,
        gaps=int(rng.integers(1, 4)) if rng.random() < 0.15 else 0,
        spread=(0.75, 1.3) if rng.random() < 0.3 else (1, 1),
        ruling="lines" if ruled < 0.1 else "squares" if ruled < 0.2 else "none",
        boxes=1.0 if 0.2 < ruled < 0.3 else 0.0,
        ruling_strength=exactly(0.15, 0.8),
        distractors=distractors,
    )
