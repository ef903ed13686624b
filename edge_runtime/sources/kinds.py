"""The kinds of sources: the first kind whose pattern matches a source's name opens it.

A source is an iterator of frames; `close` frees its file, thread or device. For an item that cannot be read, a source
yields a PictureError and goes on; a live source raises SourceError if it cannot go on. Each kind imports its
dependencies when it opens.
"""

import glob
import os
import re
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

from edge_runtime.errors import PictureError
from edge_runtime.records import Frame
from edge_runtime.sources.options import Options

DEFAULTS = Options()
Frames = Generator[Frame | PictureError, None, None]


class Kind(NamedTuple):
    """A kind of source: the pattern of its names, their form, a description, and the function that opens it.

    Frames of a `moving` kind follow each other, so they produce events; a `live` kind does not wait for its reader.
    """

    pattern: str
    form: str
    what: str
    frames: Callable[[str, Options], Frames]
    moving: bool = False
    live: bool = False


def open_source(name: str, options: Options = DEFAULTS) -> Frames:
    """Open the source that a name selects, as `edge-digits read --list-sources` shows names; close the result.

    Yields frames, and a PictureError in place of each picture that cannot be read. Raises SourceError if a camera or
    stream gives no frame.
    """
    return kind_of(name).frames(name, options)


def kind_of(name: str) -> Kind:
    """Return the kind of source that a name selects; a folder is always a folder, whatever its name."""
    kind = next(kind for kind in KINDS if re.fullmatch(kind.pattern, name, re.IGNORECASE | re.DOTALL))
    return KINDS[-1] if kind.frames is _video and os.path.isdir(name) else kind


def public(name: str) -> str:
    """Return a source's name for display: without user, password and keys."""
    if kind_of(name).frames is not _stream:
        return name
    from edge_runtime.sources import streams

    return streams.public(name)


def files(name: str) -> list[str]:
    """Return the paths that a name selects: the name itself if it exists as a path, else the pattern's matches."""
    if os.path.exists(name):
        return [name]
    return sorted(path for path in glob.glob(name, recursive=True) if not os.path.isdir(path)) or [name]


def _standard_input(name: str, options: Options) -> Frames:
    from edge_runtime.sources import pictures

    try:
        yield pictures.decode(sys.stdin.buffer.read() if sys.stdin else b"", name)
    except OSError as error:
        yield PictureError(f"-: cannot be read: {error.strerror or error}")
    except PictureError as error:
        yield error


def _synthetic(name: str, options: Options) -> Frames:
    from edge_runtime.sources import live, synthetic

    return live.newest(name, synthetic.opener(name), options)


def _camera(name: str, options: Options) -> Frames:
    from edge_runtime.sources import cameras, live

    return live.newest(name, cameras.opener(name, options), options)


def _picamera(name: str, options: Options) -> Frames:
    from edge_runtime.sources import live, picamera

    return live.newest(name, picamera.opener(name, options), options)


def _stream(name: str, options: Options) -> Frames:
    from edge_runtime.sources import live, streams

    return live.newest(streams.public(name), streams.opener(name, options.timeouts.stall), options)


def _video(name: str, options: Options) -> Frames:
    from edge_runtime.sources import videos

    try:
        yield from videos.frames(Path(name), options.excerpt)
    except PictureError as error:
        yield error


def _files(name: str, options: Options) -> Frames:
    """Yield one picture, a folder's pictures, or a pattern's matches; for a watched folder, new ones without end."""
    if options.watch:
        from edge_runtime.sources import watch

        yield from watch.watched(Path(name), options)
        return
    from edge_runtime.sources import pictures

    for path in pictures.expand(map(Path, files(name))):
        try:
            yield path if isinstance(path, PictureError) else pictures.load(path)
        except PictureError as error:
            yield error


KINDS = (
    Kind(r"-", "-", "a picture on standard input", _standard_input),
    Kind(r"synthetic(:\d{1,9})?", "synthetic[:SEED]", "generated pages, as a camera would show them", _synthetic,
         moving=True, live=True),
    Kind(r"camera(:\d+)?|/dev/(video\d+|v4l/.+)", "camera[:N], /dev/video0, /dev/v4l/by-id/...",
         "a camera; without a number, the first one", _camera, moving=True, live=True),
    Kind(r"picamera(:\d{1,9})?", "picamera[:N]", "a camera on a Raspberry Pi's ribbon cable, by picamera2", _picamera,
         moving=True, live=True),
    Kind(r"(https?|rtsps?)://.+", "http://..., https://..., rtsp://...",
         "a stream: Motion JPEG, RTSP, or an address that returns a picture", _stream, moving=True, live=True),
    Kind(r".+\.(avi|flv|m4v|mjpe?g|mkv|mov|mp4|mpe?g|ts|webm|wmv)", "clip.mp4, clip.avi, clip.mkv, ...",
         "a video file, every frame of it", _video, moving=True),
    Kind(r".*", "page.jpg, photos/, 'photos/**/*.png'", "pictures: a file, those in a folder, those of a pattern",
         _files),
)  # fmt: skip
