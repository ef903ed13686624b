"""The options of sources; each kind uses those that concern it. Raises ValueError if a value makes no sense."""

from collections.abc import Callable
from dataclasses import dataclass

PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before each further attempt to open; the last value repeats


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """Which frames of a video to take: each `every`-th one, from `start` to before `end`, both in seconds."""

    every: int = 1
    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        if self.every < 1 or self.start < 0:
            raise ValueError("every must be at least 1, and start not negative")
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"the end, {self.end:g} s, must come after the start, {self.start:g} s")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to request from a camera; None leaves a setting unchanged. A camera takes the nearest value it supports.

    `size` is (width, height) in pixels, `fps` is frames a second; `focus` is "auto" or a number in the driver's units,
    and `exposure` is a number in the driver's units.
    """

    size: tuple[int, int] | None = (640, 480)
    fps: float | None = None
    focus: str | None = None
    exposure: float | None = None


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How to handle a live source that gives no frame.

    After `stall` seconds, the source logs the stall. It reopens after `pauses`, without limit, or `retries` times in a
    row. A source that cannot be opened at first is an error at once, unless `retries` is given.
    """

    stall: float = 5.0
    retries: int | None = None
    pauses: tuple[float, ...] = PAUSES


@dataclass(frozen=True, kw_only=True)
class Options:
    """All options of a source: at most `frames` frames, and none after `until`, in time.monotonic().

    With `watch`, a folder has no end: the source yields its new pictures as they arrive, and calls `idle` after each
    scan of the folder.
    """

    excerpt: Excerpt = Excerpt()
    settings: Settings = Settings()
    timeouts: Timeouts = Timeouts()
    frames: int | None = None
    until: float | None = None
    watch: bool = False
    idle: Callable[[], None] = lambda: None
