"""Named conditions of drawn pages, each in five severities: each makes one property hard and leaves the others plain.

A reader should handle severity 3; severity 1 is about a third of it and 5 about twice.
"""

from typing import Any

from edge_runtime.pages.style import BINDINGS, DESKS, PageStyle, Range

SEVERITIES = (1, 2, 3, 4, 5)


def _exactly(name: str, *values: float, **others: Any) -> list[dict[str, Any]]:
    """Return a severity for each value: `name` takes this one value, and `others` are the same in all."""
    return [{name: (value, value), **others} for value in values]


def _inks(*colors: tuple[tuple[int, int, int], ...]) -> list[dict[str, Any]]:
    return [{"inks": inks} for inks in colors]


def _among(*counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"distractors": tuple(count.items())} for count in counts]


def _broken(*gaps: tuple[int, Range]) -> list[dict[str, Any]]:
    return [{"gaps": count, "gap_width": width} for count, width in gaps]


def _on_desk(desk: tuple[str, ...], sheet: float, **others: Any) -> dict[str, Any]:
    """Return a sheet that takes this share of the picture's sides, with digits that are always large enough."""
    return {"desk": desk, "sheet": (sheet, sheet), "digit_height": (40, 56), "drift": True, **others}


# Values that differ from PageStyle's defaults, from severity 1 to 5.
CONDITIONS: dict[str, list[dict[str, Any]]] = {
    "blur": _exactly("blur", 0.7, 1.3, 2.0, 3.0, 4.0),
    "noise": _exactly("noise", 7, 13, 20, 30, 40),
    "small": _exactly("digit_height", 28, 20, 16, 14, 12),
    "shadow": _exactly("shadow", 0.83, 0.67, 0.5, 0.35, 0.2),
    "gradient": _exactly("gradient", 0.8, 0.6, 0.4, 0.3, 0.2),
    "jpeg": _exactly("jpeg", 75, 50, 30, 18, 10),
    "tilt": _exactly("tilt", 3, 6, 9, 13, 18),
    "perspective": _exactly("perspective", 5, 10, 15, 22, 30),
    "contrast": _exactly("contrast", 0.75, 0.5, 0.35, 0.25, 0.18),
    "thin pen": _exactly("pen", 0.8, 0.65, 0.5, 0.45, 0.4),
    "thick pen": _exactly("pen", 1.3, 1.6, 2.0, 2.25, 2.5),
    "ruled": _exactly("ruling_strength", 0.15, 0.3, 0.5, 0.7, 0.9, ruling="lines"),
    "squared": _exactly("ruling_strength", 0.15, 0.3, 0.5, 0.7, 0.9, ruling="squares", ruling_spacing=(0.5, 0.9)),
    "boxes": _exactly("ruling_strength", 0.15, 0.3, 0.5, 0.7, 0.9, boxes=1.0),
    "light on dark": _exactly("contrast", 0.9, 0.7, 0.55, 0.4, 0.3, light_on_dark=True),
    "mixed polarity": [{"board": 0.5, "contrast": (least, 0.9)} for least in (0.8, 0.65, 0.5, 0.4, 0.3)],
    "touching": [{"touching": share} for share in (0.2, 0.4, 0.6, 0.8, 1.0)],
    "broken": _broken((1, (0.02, 0.04)), (1, (0.04, 0.06)), (2, (0.04, 0.08)), (3, (0.05, 0.1)), (4, (0.06, 0.12))),
    "words": _exactly("word_gap", 2.4, 2.0, 1.6, 1.4, 1.2, word_length=(1, 4), digit_height=(28, 48)),
    "mixed sizes": [
        {"spread": spread, "digit_height": (28, 40)}
        for spread in ((0.9, 1.1), (0.8, 1.25), (0.65, 1.5), (0.55, 1.75), (0.45, 2.0))
    ],
    # The gray of the ink approaches the paper's; its color still differs.
    "colored ink": _inks(
        ((150, 60, 20), (40, 30, 170), (50, 100, 20)),
        ((200, 110, 20), (60, 60, 220), (70, 150, 30)),
        ((60, 140, 245), (215, 160, 50), (180, 110, 235)),
        ((70, 180, 245), (225, 190, 90), (200, 150, 240)),
        ((70, 215, 245), (235, 210, 130), (215, 180, 245)),
    ),
    "distractors": _among(
        {"letters": 1, "dots": 1},
        {"letters": 2, "dots": 2, "commas": 1, "smudges": 1},
        {"words": 1, "letters": 1, "dots": 3, "commas": 2, "smudges": 1, "scribbles": 1},
        {"words": 2, "letters": 2, "dots": 4, "commas": 2, "smudges": 2, "scribbles": 1, "rules": 1, "coins": 1},
        {"words": 2, "letters": 4, "dots": 5, "commas": 3, "smudges": 2, "scribbles": 2, "rules": 1, "coins": 1,
         "frames": 1, "finger": 1, "table": 1},
    ),
    # A sheet on a desk: with severity it fills less of the picture, and the desk holds more.
    "desk": [
        _on_desk(("plain",), 0.9, tilt=(0, 2)),
        _on_desk(("plain", "wood"), 0.8, tilt=(0, 4)),
        _on_desk(DESKS, 0.7, tilt=(0, 6)),
        _on_desk(DESKS, 0.6, tilt=(0, 8), perspective=(0, 8), torn=0.004),
        _on_desk(DESKS, 0.5, tilt=(0, 12), perspective=(0, 15), torn=0.008),
    ],
    "hand": [
        _on_desk(("plain",), 0.9, distractors=(("hand", 1),)),
        _on_desk(("plain", "wood"), 0.85, tilt=(0, 3), distractors=(("hand", 1),)),
        _on_desk(DESKS, 0.8, tilt=(0, 5), distractors=(("hand", 1), ("pen", 1))),
        _on_desk(DESKS, 0.75, tilt=(0, 8), distractors=(("hand", 2), ("pen", 1), ("cable", 1))),
        _on_desk(DESKS, 0.7, tilt=(0, 12), distractors=(("hand", 2), ("pen", 2), ("cable", 2), ("note", 1))),
    ],
    "binding": [
        _on_desk(DESKS, 0.85, binding=BINDINGS, curl=(curl, curl), ruling="lines", ruling_strength=(strength, strength))
        for curl, strength in ((0, 0.1), (2, 0.2), (4, 0.3), (7, 0.4), (10, 0.5))
    ],
    "table": [
        {"layout": "table", "digit_height": (36, 42), "grid": grid, "ruling_strength": (strength, strength), **others}
        for grid, strength, others in (
            ("print", 0.25, {}),
            ("print", 0.6, {}),
            ("hand", 1, {}),
            ("hand", 1, {"tilt": (3, 6)}),
            ("hand", 1, {"tilt": (5, 9), "desk": DESKS, "sheet": (0.8, 0.9), "torn": 0.008}),
        )
    ],
    # More and more signs between the digits: `words` is the range of digits in a word.
    "sum": [
        {"layout": layout, "word_length": words, "word_gap": (1.3, 2.0), "digit_height": (34, 42), "drift": True}
        for layout, words in (("column", (2, 4)), ("sum", (4, 5)), ("sum", (2, 4)), ("sum", (1, 3)), ("sum", (1, 2)))
    ],
    "envelope": [
        _on_desk(DESKS[:kinds], sheet, tilt=(0, tilt), flap=True, distractors=(("words", words), ("stamp", 1)))
        for kinds, sheet, tilt, words in (
            (1, 0.9, 2, 1), (2, 0.85, 4, 2), (6, 0.8, 6, 3), (6, 0.75, 8, 4), (6, 0.7, 12, 5)
        )
    ],
    "sudoku": [
        {"layout": "sudoku", "grid": "print", "ruling_ink": (40, 40, 40), "ruling_strength": (strength, strength),
         "digit_height": (height, height)}
        for strength, height in ((0.3, 32), (0.5, 28), (0.8, 24), (0.9, 20), (1, 16))
    ],
    "large": _exactly("digit_height", 120, 180, 240, 320, 370, gap=(0.1, 0.2)),
    # The whole picture is small, and so are its digits.
    "small picture": [
        {"size": size, "digit_height": (height, height)}
        for size, height in (((480, 360), 36), ((360, 270), 29), ((280, 210), 23), ((220, 165), 18), ((160, 120), 14))
    ],
}  # fmt: skip
# Digits on a page, from severity 1 to 5, for conditions with another number than DIGITS.
DIGITS = 10
FEWER = {"large": (3, 1, 1, 1, 1)}


def style(condition: str, severity: int, **others: Any) -> PageStyle:
    """Return the page style of one of the CONDITIONS, severity 1 to 5; `others` are further values of PageStyle.

    Raises ValueError for another condition or severity.
    """
    if condition not in CONDITIONS:
        raise ValueError(f"the condition must be one of {', '.join(CONDITIONS)}, not {condition!r}")
    if severity not in SEVERITIES:
        raise ValueError(f"the severity must be a number from 1 to 5, not {severity!r}")
    return PageStyle(**{**others, **CONDITIONS[condition][severity - 1]})


def digits(condition: str, severity: int) -> int:
    """Return the number of digits on a page of one of the CONDITIONS, severity 1 to 5."""
    return FEWER[condition][severity - 1] if condition in FEWER else DIGITS
