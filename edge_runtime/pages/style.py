"""The style of a drawn page: all parameters of `draw_page`, and their valid ranges."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

# Returns the random generator of a feature of a style, by name.
Streams = Callable[[str], np.random.Generator]
Range = tuple[float, float]
Color = tuple[int, int, int]
Layout = Literal["lines", "sum", "column", "table", "sudoku"]
DISTRACTORS = (
    "letters", "words", "scribbles", "smudges", "dots", "commas", "rules", "frames", "coins", "finger", "signs",
    "table", "hand", "pen", "note", "stamp", "cable",
)  # fmt: skip
# The distractors placed in the picture, independent of the page's view.
THINGS = ("hand", "pen", "note", "stamp", "cable")
DESKS = ("plain", "wood", "cloth", "leather", "keyboard", "stripes")
BINDINGS = ("spiral", "book")

# The least and the greatest value in a range, and the name of the unit.
LIMITS: dict[str, tuple[float, float, str]] = {
    "paper": (0, 255, ""),
    "blur": (0, 100, "pixels"),
    "pen": (0.4, 2.5, "times MNIST's stroke"),
    "contrast": (0.01, 1, ""),
    "spread": (0.2, 5, ""),
    "gap": (0, 8, "digit heights"),
    "word_gap": (1.2, 10, "digit heights"),
    "gap_width": (0.01, 0.3, "digit heights"),
    "ruling_spacing": (0.2, 10, "digit heights"),
    "ruling_width": (0.5, 20, "pixels"),
    "ruling_strength": (0, 1, ""),
    "shadow": (0.05, 1, ""),
    "penumbra": (0.5, 500, "pixels"),
    "gradient": (0.05, 1, ""),
    "vignette": (0.05, 1, ""),
    "glare": (0, 255, ""),
    "noise": (0, 100, ""),
    "jpeg": (1, 100, ""),
    "tilt": (0, 45, "degrees"),
    "perspective": (0, 35, "percent"),
    "curl": (0, 20, "percent"),
    "sheet": (0.2, 1.2, "times the picture's sides"),
}


@dataclass(frozen=True, slots=True)
class PageStyle:
    """The appearance of a page; ranges are (least, most), drawn uniformly once per page.

    Lengths are in pixels unless in digit heights, colors are blue-green-red 0-255, brightness is 0-255 or a factor.
    Each feature has its own random stream: with the same generator state, a page with one feature more differs only in
    that feature. Raises ValueError where a value is out of range.
    """

    size: tuple[int, int] = (640, 480)  # (width, height)
    digit_height: Range = (28.0, 64.0)  # height of a digit that fills MNIST's 20x20
    paper: tuple[int, int] = (205, 250)  # brightness
    inks: tuple[Color, ...] = ((35, 30, 30), (120, 50, 30), (60, 60, 60), (40, 40, 150))  # one is drawn
    grain: float = 3.0  # standard deviation of the paper's texture and the sensor's noise
    shade: float = 0.15  # how much darker one side of the page may be
    blur: Range = (0.0, 0.7)  # Gaussian sigma; up to 0.2 means no blur
    light_on_dark: bool = False  # chalk on a blackboard instead of a pen on paper

    # The writing.
    pen: Range | None = None  # factor on MNIST's stroke width
    contrast: Range | None = None  # how much darker the ink is than its paper, 0-1; None: from `inks`
    spread: Range = (1.0, 1.0)  # another factor on the height, drawn for each digit; digits share a baseline
    touching: float = 0.0  # share of the digits, 0-1, in groups of 2 to 4 whose ink overlaps
    layout: Layout = "lines"  # sum: signs between words; column: a column sum; table, sudoku: cells
    grid: Literal["hand", "print"] = "hand"  # lines between cells: in the page's pen, or like the ruling
    drift: bool = False  # lines begin anywhere on the page, not in the upper left corner
    gap: Range = (0.25, 0.6)  # between the digits of a line, in digit heights
    word_length: tuple[int, int] | None = None  # digits in a word, drawn for each word; None: lines have no words
    word_gap: Range = (1.2, 1.8)  # between words, in digit heights
    gaps: int = 0  # thin gaps cut through the strokes of each digit
    gap_width: Range = (0.04, 0.08)  # in digit heights, drawn for each gap

    # What is printed on the paper.
    ruling: Literal["none", "lines", "squares"] = "none"
    ruling_spacing: Range = (1.2, 1.8)  # in digit heights
    ruling_width: Range = (1.0, 2.0)
    ruling_ink: Color = (190, 140, 90)
    ruling_strength: Range = (0.4, 0.7)  # 0: the paper's color, 1: ruling_ink
    boxes: float = 0.0  # share of the digits, 0-1, in a printed box like the ruling
    flap: bool = False  # the creases of an envelope's flap

    # Where the sheet lies.
    desk: tuple[str, ...] = ()  # one of DESKS is drawn; none: the page fills the picture
    sheet: Range = (0.7, 0.9)  # sides of a page on a desk as a factor on the picture's; digits shrink too
    torn: float = 0.0  # raggedness of its edge: standard deviation, as a share of the picture's shorter side
    binding: tuple[str, ...] = ()  # one of BINDINGS is drawn; only where there is a desk
    curl: Range = (0.0, 0.0)  # offset of the page's middle up or down, percent of its height

    # The light.
    board: float = 0.0  # approximate share of the digits, 0-1, light on a dark board beside the paper
    shadow: Range = (1.0, 1.0)  # brightness beyond a straight edge somewhere on the page, as a factor
    penumbra: Range = (2.0, 6.0)  # width of that edge
    gradient: Range = (1.0, 1.0)  # brightness at the darkest corner, as a factor; falls evenly from the opposite one
    vignette: Range = (1.0, 1.0)  # brightness in the corners, as a factor; falls with the square of the radius
    glare: Range = (0.0, 0.0)  # brightness added in the middle of a soft spot
    cast: float = 0.0  # each color channel loses up to this share of its brightness, 0-1

    # The camera.
    noise: Range = (0.0, 0.0)  # standard deviation of the sensor's noise in each channel
    jpeg: tuple[int, int] | None = None  # quality; None: no compression
    tilt: Range = (0.0, 0.0)  # degrees, to either side
    perspective: Range = (0.0, 0.0)  # both corners of one side move toward each other by this percent of the side

    distractors: tuple[tuple[str, int], ...] = ()  # (name of DISTRACTORS, how many); beside the digits, never on them

    def __post_init__(self) -> None:  # noqa: C901 - one check for each field
        if min(self.size) < 1 or self.digit_height[0] <= 0 or not self.inks:
            raise ValueError("a page needs a size, a positive digit height and at least one ink")
        if self.digit_height[0] > self.digit_height[1]:
            raise ValueError(f"digit_height must be (minimum, maximum), not {self.digit_height}")
        for name, (least, most, unit) in LIMITS.items():
            span = getattr(self, name)
            if span is not None and not least <= span[0] <= span[1] <= most:
                unit = f" {unit}" if unit else ""
                raise ValueError(f"{name} must be (minimum, maximum) within {least}-{most}{unit}, not {span}")
        for name in ("shade", "touching", "boxes", "board", "cast"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be within 0-1, not {getattr(self, name)}")
        if self.grain < 0 or not 0 <= self.gaps <= 20:
            raise ValueError("the grain must not be negative, and the number of gaps must be 0 to 20")
        if self.word_length is not None and not 1 <= self.word_length[0] <= self.word_length[1]:
            raise ValueError(f"word_length must be (minimum, maximum) of at least 1, not {self.word_length}")
        if self.layout not in get_args(Layout) or self.grid not in ("hand", "print"):
            raise ValueError(f"unknown combination of layout {self.layout} and grid {self.grid}")
        if not 0 <= self.torn <= 0.1 or not set(self.desk) <= set(DESKS) or not set(self.binding) <= set(BINDINGS):
            raise ValueError(
                f"torn must be within 0-0.1, desk one of {', '.join(DESKS)}, binding one of {', '.join(BINDINGS)}"
            )
        if self.ruling not in ("none", "lines", "squares"):
            raise ValueError(f"ruling must be none, lines or squares, not {self.ruling}")
        if any(not 0 <= value <= 255 for color in (*self.inks, self.ruling_ink) for value in color):
            raise ValueError("colors must be blue-green-red from 0 to 255")
        for name, count in self.distractors:
            if name not in DISTRACTORS or count < 0:
                raise ValueError(f"distractors are pairs of a count and one of {', '.join(DISTRACTORS)}; not {name!r}")
