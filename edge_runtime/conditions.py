"""Named conditions under which digits have to be read, each in five severities: one thing is hard, all else is plain.

Severity 3 is what a reader should cope with, 1 is about a third of it and 5 about twice.
"""

from typing import Any

from edge_runtime.page_style import PageStyle, Range

SEVERITIES = (1, 2, 3, 4, 5)


def _exactly(name: str, *values: float, **others: Any) -> list[dict[str, Any]]:
    """Return a severity for each value: the range of this one value, and what is the same in all."""
    return [{name: (value, value), **others} for value in values]


def _inks(*colors: tuple[tuple[int, int, int], ...]) -> list[dict[str, Any]]:
    return [{"inks": inks} for inks in colors]


def _among(*counts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"distractors": tuple(count.items())} for count in counts]


def _broken(*gaps: tuple[int, Range]) -> list[dict[str, Any]]:
    return [{"gaps": count, "gap_width": width} for count, width in gaps]


# What differs from PageStyle's own values, from severity 1 to 5.
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
    # Ever nearer to the paper's gray, and still of another color.
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
}  # fmt: skip


def style(condition: str, severity: int, **others: Any) -> PageStyle:
    """Return how a page looks under one of the CONDITIONS, severity 1 to 5; `others` are further values of PageStyle.

    Raises ValueError for another condition or severity.
    """
    if condition not in CONDITIONS:
        raise ValueError(f"a condition is one of {', '.join(CONDITIONS)}; not {condition!r}")
    if severity not in SEVERITIES:
        raise ValueError(f"a severity is a number from 1 to 5, not {severity!r}")
    return PageStyle(**{**others, **CONDITIONS[condition][severity - 1]})
