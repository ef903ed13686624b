"""The light on a drawn page: a shadow's edge, a gradient, a vignette, a color cast, a spot of glare."""

import numpy as np

from edge_runtime.pages.background import Page, planes
from edge_runtime.pages.style import PageStyle

NONE = (1.0, 1.0)


def lit(page: Page, style: PageStyle, rng: np.random.Generator) -> Page:
    """Return a page under the style's light; glare may raise values above 255."""
    height, width = page.shape[1:]
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j].astype(np.float32)
    x, y = x * np.float32(width), y * np.float32(height)  # pixels from the middle
    shadow, gradient, vignette = (float(rng.uniform(*span)) for span in (style.shadow, style.gradient, style.vignette))
    angles = rng.uniform(0, 2 * np.pi, 2)
    edge = rng.uniform(-0.25, 0.25) * min(width, height)
    penumbra = float(rng.uniform(*style.penumbra))
    light = np.ones((height, width), np.float32)
    if style.shadow != NONE:
        beyond = x * np.cos(angles[0]) + y * np.sin(angles[0]) - edge
        light *= 1 - (1 - shadow) * np.clip(beyond / penumbra + 0.5, 0, 1)
    if style.gradient != NONE:
        across, down = np.cos(angles[1]), np.sin(angles[1])
        reach = abs(width * across) + abs(height * down)
        light *= 1 - (1 - gradient) * ((x * across + y * down) / reach + 0.5)
    if style.vignette != NONE:
        light *= 1 - (1 - vignette) * 4 * (x * x + y * y) / (width * width + height * height)
    channels = rng.uniform(1 - style.cast, 1, 3)
    page = np.asarray(page * light * planes(channels), np.float64)
    glare, middle, sides = float(rng.uniform(*style.glare)), rng.uniform(-0.4, 0.4, 2), rng.uniform(0.04, 0.15, 2)
    if glare:
        wide, high = sides * max(width, height)
        spot = np.exp(-((x - middle[0] * width) ** 2) / (2 * wide**2) - (y - middle[1] * height) ** 2 / (2 * high**2))
        page = page + glare * spot
    return page


def is_plain(style: PageStyle) -> bool:
    """Return whether the style's light changes nothing."""
    return style.shadow == style.gradient == style.vignette == NONE and not style.cast and style.glare[1] == 0
