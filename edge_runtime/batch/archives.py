"""Archives: the pictures and documents in zip and tar files, such as WebDataset's shards, in the archive's order."""

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Self

from edge_runtime.batch import addresses, documents
from edge_runtime.batch.contents import Content, Encoded, Entry, Unreadable, failed, printable

ZIP = (".zip",)
TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
# What zipfile and tarfile raise on hostile or unsupported bytes, beside their own errors: zlib.error, LZMAError and
# OSError (bz2's) for damaged compressed data, EOFError for data that ends early, RuntimeError for an encrypted member
# or a compression that Python lacks, such as Deflate64, ValueError for impossible numbers.
DAMAGES = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError,
)  # fmt: skip


def zip_entries(name: str, file: BinaryIO, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    """Yield the wanted members of a zip file; one entry with the reason where its directory cannot be read."""
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGES as error:
        yield failed(name, name, f"not a zip file, or cut short: {addresses.one_line(error)}")
        return
    with archive:
        for info in archive.infolist():
            if not info.is_dir() and _is_wanted(info.filename, wanted):
                yield from _member(
                    name, info.filename, info.file_size, lambda info=info: archive.read(info)  # type: ignore[misc]
                )  # fmt: skip


def tar_entries(name: str, file: BinaryIO, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    """Yield the wanted members of a tar file, compressed or not, then one entry with the reason if it is cut short.

    A member that is not there as a whole is no entry of its own: what was cut with it is not known.
    """
    count = 0
    try:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        with tarfile.open(fileobj=file, tarinfo=_Checked) as archive:
            plain = archive.fileobj is file
            for member in archive:
                # As WebDataset does: tarfile would keep all members, and memory would grow with the archive.
                archive.members = []  # type: ignore[attr-defined]
                if not member.isfile() or not _is_wanted(member.name, wanted):
                    continue
                if plain and not member.issparse() and member.offset_data + member.size > size:
                    raise tarfile.ReadError(f"{member.name} is cut")
                load = _loader(archive, member)
                if not plain and member.size <= addresses.MAX_BYTES:
                    data = load()  # not later: in a compressed archive, reading alone shows whether all of it is there
                    load = lambda data=data: data  # type: ignore[misc] # noqa: E731
                yield from _member(name, member.name, member.size, load)
                count += 1
    except DAMAGES as error:
        yield failed(name, name, f"damaged or cut short after {count} of its pages: {addresses.one_line(error)}")


class _Checked(tarfile.TarInfo):
    """A header that is checked: tarfile takes one that is cut, missing or damaged for the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:  # not frombuf(), which Python 3.13 does not call here
        """Return the next header. Raises tarfile.ReadError where it is damaged, EOFHeaderError at the archive's end."""
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # the block of zeros that ends an archive
            raise
        except (tarfile.EmptyHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError("the end is missing") from error
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"damaged header: {error}") from error


def _loader(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], bytes]:
    def load() -> bytes:
        file = archive.extractfile(member)
        assert file is not None  # a regular file has content
        with file:
            return file.read()

    return load


def _is_wanted(path: str, wanted: Callable[[str], bool]) -> bool:
    """Return whether a member is read: hidden ones are not, nor what macOS adds to archives."""
    *folders, name = path.removeprefix("./").split("/")
    return wanted(name) and "__MACOSX" not in folders and not any(part.startswith(".") for part in (*folders, name))


def _member(name: str, member: str, size: int, load: Callable[[], bytes]) -> Iterator[Entry]:
    """Yield the entry of a member, or those of its pages if it is a document."""
    id = f"{name}#{printable(member)}"
    if size > addresses.MAX_BYTES:
        yield failed(id, name, str(addresses.too_large(id)).removeprefix(f"{id}: "))
        return

    def loaded() -> Content:
        try:
            return Encoded(load())
        except DAMAGES as error:
            return Unreadable(_reason(error))

    if not member.lower().endswith(documents.TIFF + documents.PDF):
        yield Entry(id, name, loaded)
        return
    content = loaded()
    if isinstance(content, Encoded):
        yield from documents.entries(id, name, content.data, io.BytesIO(content.data))
    else:
        yield Entry(id, name, lambda: content)


def _reason(error: Exception) -> str:
    if isinstance(error, RuntimeError):
        return "encrypted, or compressed in a way that Python cannot read"
    return f"damaged: {addresses.one_line(error)}"
