"""What may be asked of sources; each kind takes what concerns it. ValueError where something makes no sense."""

from collections.abc import Callable
from dataclasses import dataclass

PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before each further attempt to open; the last one from then on


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """Which frames of a video to take: every so many, from `start` to before `end`, both in seconds."""

    every: int = 1
    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        if self.every < 1 or self.start < 0:
            raise ValueError("every must be at least 1, and start not negative")
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"the end must come after the start, not at {self.end:g} s after {self.start:g} s")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to ask of a camera; None leaves it as it is. A camera that cannot do it takes what comes nearest.

    `size` is (width, height) in pixels, `fps` frames a second; `focus` is "auto" or a number of the driver's, and
    `exposure` a number of the driver's.
    """

    size: tuple[int, int] | None = (640, 480)
    fps: float | None = None
    focus: str | None = None
    exposure: float | None = None


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """What to do about a live source that gives no frame.

    After `stall` seconds that is said; it is opened again after `pauses`, for ever, or `retries` times in a row. What
    cannot even be opened at first is an error at once, unless `retries` is given.
    """

    stall: float = 5.0
    retries: int | None = None
    pauses: tuple[float, ...] = PAUSES


@dataclass(frozen=True, kw_only=True)
class Options:
    """All of these; no more than so many `frames` of each source, and none after `until`, in time.monotonic().

    With `watch`, a folder has no end: its new pictures are read as they arrive. `tell` gets a line at each change of a
    live source, and `idle` is called whenever a folder has been looked at.
    """

    excerpt: Excerpt = Excerpt()
    settings: Settings = Settings()
    timeouts: Timeouts = Timeouts()
    frames: int | None = None
    until: float | None = None
    watch: bool = False
    idle: Callable[[], None] = lambda: None
