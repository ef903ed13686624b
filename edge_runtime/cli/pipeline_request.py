"""The settings of sources and of the pipeline, from the options of `read` and `serve`."""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from edge_runtime.cli.options import ReadingOptions, is_debugging
from edge_runtime.cli.terminal import print_err
from edge_runtime.errors import OptionError, OutputError, PictureError

if TYPE_CHECKING:
    from edge_runtime.pipeline import Report
    from edge_runtime.sources.options import Options
    from edge_runtime.sources.view import View


class Request(NamedTuple):
    """The settings of sources, their reporting, and the view of their frames.

    `failed` prints an error, or raises it with --debug, and adds its exit code to `codes`.
    """

    options: "Options"
    report: "Report"
    view: "View"
    failed: Callable[[PictureError | OutputError], None]
    codes: set[int]


def requested(reading: ReadingOptions, idle: Callable[[], None]) -> Request:
    """Return the settings from the options; `idle` is called after each scan of a folder.

    Raises OptionError where options conflict.
    """
    from edge_runtime.pipeline import Report
    from edge_runtime.records import Box
    from edge_runtime.sources.options import Excerpt, Options, Settings, Timeouts
    from edge_runtime.sources.view import View

    debugging, codes = is_debugging(), set[int]()

    def failed(error: PictureError | OutputError) -> None:
        if debugging:
            raise error
        codes.add(error.exit_code)
        print_err(f"error: {error}")

    look, camera, report = reading.look, reading.camera, reading.report
    try:
        options = Options(
            excerpt=Excerpt(every=look.every, start=look.start, end=look.end),
            settings=Settings(size=camera.size, fps=camera.fps, focus=camera.focus, exposure=camera.exposure),
            timeouts=Timeouts(stall=camera.stall, retries=camera.retries),
            frames=look.frames,
            until=None if look.duration is None else monotonic() + look.duration,
            watch=look.watch,
            idle=idle,
        )
        need, of = report.steady
        reported = Report(need=need, of=of, raw=report.raw, skip_still=look.skip_still)
    except ValueError as error:
        raise OptionError(str(error)) from error
    view = View(rotate=int(look.rotate), flip=look.flip, roi=look.roi and Box(*look.roi))  # type: ignore[arg-type]
    return Request(options, reported, view, failed, codes)
