"""Files by address: local paths, and what fsspec knows, such as s3://bucket/key."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO

from edge_runtime.errors import DependencyMissing, EdgeError, OptionError, PictureError, SourceError
from edge_runtime.system.dependencies import explain

# Bytes: a larger file is no picture that can be read, since 50 megapixels of three 16-bit channels have 300 MB.
MAX_BYTES = 512_000_000
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)(://|::)", re.IGNORECASE)
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}  # by the scheme that needs one


def filesystem(address: str) -> tuple[Any, str]:
    """Return the fsspec file system of an address, and the path in it. Raises DependencyMissing, OptionError."""
    try:
        import fsspec
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise explain(error) from error
    scheme = SCHEME.match(address)
    if scheme is None:  # not by its address: a local path may hold any characters
        return fsspec.filesystem("file"), os.path.abspath(address)
    try:
        system, path = url_to_fs(address, use_listings_cache=False)
    except ImportError as error:
        package = PACKAGES.get(scheme[1].lower())
        remedy = f"pip install {package}" if package else str(error)
        raise DependencyMissing(f"{address}: to read {scheme[1]}://, {remedy}") from error
    except ValueError as error:
        raise OptionError(f"{address}: {error}") from error
    return system, path


def reaching(address: str) -> AbstractContextManager[None]:
    """Raise SourceError where a file system cannot be reached during the block, OptionError where a path is missing."""
    missing = OptionError(f"{address}: no such file or folder")
    return _translated(missing, lambda why: SourceError(f"{address}: cannot be reached: {why}"))


def readable(name: str) -> AbstractContextManager[None]:
    """Raise PictureError where a file is missing or cannot be read during the block."""
    missing = PictureError(f"{name}: no such file")
    return _translated(missing, lambda why: PictureError(f"{name}: cannot be read: {why}"))


@contextmanager
def _translated(missing: EdgeError, other: Callable[[str], EdgeError]) -> Iterator[None]:
    """Raise `missing` for a FileNotFoundError of the block, and `other` of its message for any other error but ours."""
    try:
        yield
    except EdgeError:
        raise
    except FileNotFoundError as error:
        raise missing from error
    except Exception as error:  # boundary: each file system raises the errors of its own client library
        raise other(one_line(error)) from error


@contextmanager
def opened(address: str) -> Iterator[BinaryIO]:
    """Open a file for reading. Raises PictureError."""
    system, path = filesystem(address)
    with readable(address), system.open(path, "rb") as file:
        yield file


def content(address: str) -> bytes:
    """Return a file's bytes. Raises PictureError where it cannot be read, or is larger than MAX_BYTES."""
    with opened(address) as file:
        return limited(file, address)


def limited(file: BinaryIO, name: str) -> bytes:
    """Return all bytes of an open file. Raises PictureError where there are more than MAX_BYTES."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise too_large(name)
    return data


def too_large(name: str) -> PictureError:
    """Return the error for a picture file of more than MAX_BYTES."""
    return PictureError(f"{name}: larger than {MAX_BYTES // 1_000_000} MB")


def one_line(error: BaseException) -> str:
    """Return what an error says, on one line: its message, without the path that comes apart, else its type."""
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(said).split())
