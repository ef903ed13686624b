import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")

from edge_runtime.batch import addresses, archives
from edge_runtime.batch.contents import Encoded, Entry, Sheet, Unreadable
from edge_runtime.batch.pages import is_picture
from edge_runtime.records import Uint8
from tests.edge_runtime.batch.images import encoded, picture, tar, zipped

PNG = b"\x89PNG" + bytes(range(256)) * 40
MEMBERS = {"a.png": PNG, "b.png": PNG, "c.png": PNG}
Entries = Callable[..., Iterator[Entry]]


def loaded(entries: Entries, data: bytes, name: str = "x") -> dict[str, Any]:
    """Return the bytes of each page by its id, or the reason without them."""
    contents = {entry.id: entry.load() for entry in entries(name, io.BytesIO(data), is_picture)}
    return {
        id: content.data
        if isinstance(content, Encoded)
        else content.reason
        if isinstance(content, Unreadable)
        else content
        for id, content in contents.items()
    }


def skipped(entries: Entries, data: bytes) -> list[str]:
    """Return the ids of pages that are not loaded, as where an earlier run has read them."""
    return [entry.id for entry in entries("x", io.BytesIO(data), is_picture)]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_members_of_tar_are_pages(mode: str) -> None:
    members = {"./7.png": PNG, "7.cls": b"7", "in/8.input.jpg": b"j", "__MACOSX/7.png": b"m", "in/.9.png": b"h"}
    data = tar(members, mode)
    assert loaded(archives.tar_entries, data) == {"x#./7.png": PNG, "x#in/8.input.jpg": b"j"}
    assert skipped(archives.tar_entries, data) == ["x#./7.png", "x#in/8.input.jpg"]


def test_members_of_zip_are_pages() -> None:
    data = zipped({"b.png": PNG, "a.txt": b"a", "a.png": b"p", "__MACOSX/._a.png": b"m", "folder/": b""})
    assert loaded(archives.zip_entries, data) == {"x#b.png": PNG, "x#a.png": b"p"}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("left", [0.3, 0.5, 0.8])
def test_a_cut_tar_is_one_line(mode: str, left: float, rng_bytes: bytes) -> None:
    data = tar(dict.fromkeys(MEMBERS, rng_bytes), mode)
    data = data[: int(len(data) * left)]
    pages = loaded(archives.tar_entries, data)
    *whole, last = pages
    assert whole == [f"x#{name}" for name in MEMBERS][: len(whole)]
    assert all(pages[page] == rng_bytes for page in whole)
    assert last == "x"
    assert pages["x"].startswith(f"damaged or cut short after {len(whole)} of its pages: ")
    assert skipped(archives.tar_entries, data) == [*pages]


@pytest.fixture(scope="module")
def rng_bytes() -> bytes:
    """Return bytes that no compression makes shorter."""
    import random

    return random.Random(1).randbytes(20_000)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:11264], "the end is missing"),  # all of a.png, and no more
        (lambda data: data[:11400], "the end is missing"),  # a part of the next header
        (lambda data: data[:11264] + b"x" * 512 + data[11776:], "damaged header: invalid header"),
    ],
)
def test_a_tar_that_stops_at_a_header(damage: Callable[[bytes], bytes], reason: str) -> None:
    data = tar(MEMBERS)
    assert data[11264:11269] == b"b.png"
    assert loaded(archives.tar_entries, damage(data)) == {
        "x#a.png": PNG,
        "x": f"damaged or cut short after 1 of its pages: {reason}",
    }


@pytest.mark.parametrize("data", [b"", b"seven", b"\x1f\x8b\x08", bytes(100)])
def test_what_is_no_archive_is_one_line(data: bytes) -> None:
    assert loaded(archives.tar_entries, data)["x"].startswith("damaged or cut short after 0 of its pages: ")
    assert loaded(archives.zip_entries, data) == {"x": "not a zip file, or cut short: File is not a zip file"}


def test_an_empty_tar_has_no_pages() -> None:
    assert loaded(archives.tar_entries, tar({})) == {}


def test_a_cut_zip_is_one_line() -> None:
    data = zipped(MEMBERS)
    assert [*loaded(archives.zip_entries, data[: len(data) // 2])] == ["x"]


def patched(data: bytes, member: bytes, offset: int, value: bytes) -> bytes:
    """Return a zip file with other bytes in the entry of a member in the directory."""
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(member)) + offset
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (8, struct.pack("<H", 1), "encrypted, or compressed"),
        (10, struct.pack("<H", 9), "encrypted, or compressed in a way that Python cannot read"),  # Deflate64
        (16, bytes(4), "damaged: Bad CRC-32 for file 'b.png'"),
        (42, b"\xff\xff\xff\x7f", "damaged: "),  # where it is: beyond the end
    ],
)
def test_a_bad_member_of_zip_is_a_page(offset: int, value: bytes, reason: str) -> None:
    data = patched(zipped(MEMBERS), b"b.png", offset, value)
    pages = loaded(archives.zip_entries, data)
    assert [*pages] == ["x#a.png", "x#b.png", "x#c.png"]
    assert pages["x#a.png"] == pages["x#c.png"] == PNG
    assert pages["x#b.png"].startswith(reason)


def test_damaged_compressed_data_is_a_page() -> None:
    data = zipped({"a.png": PNG})
    at = data.index(b"a.png") + 5
    pages = loaded(archives.zip_entries, data[:at] + b"\xff" * 40 + data[at + 40 :])
    assert pages["x#a.png"].startswith("damaged: Error -3 while decompressing")


def test_members_too_large_are_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MAX_BYTES", 5_000_000)
    members = {"a.png": bytes(5_000_001), "b.png": PNG}
    expected = {"x#a.png": "larger than 5 MB", "x#b.png": PNG}
    assert loaded(archives.zip_entries, zipped(members)) == expected
    assert loaded(archives.tar_entries, tar(members, "w:gz")) == expected


def test_documents_in_archives_are_pages(digits: tuple[Uint8, Uint8]) -> None:
    pytest.importorskip("pypdfium2")
    images = [picture(digits[0], at) for at in range(2)]
    tiff = encoded(images[0], "TIFF", save_all=True, append_images=images[1:])
    pdf = encoded(images[0], "PDF", save_all=True, append_images=images[1:])
    for entries, made in ((archives.zip_entries, zipped), (archives.tar_entries, tar)):
        pages = loaded(entries, made({"a.tif": tiff, "b.pdf": pdf}))
        assert pages == {
            "x#a.tif#1": Sheet("tiff", tiff, 0), "x#a.tif#2": Sheet("tiff", tiff, 1),
            "x#b.pdf#1": Sheet("pdf", pdf, 0), "x#b.pdf#2": Sheet("pdf", pdf, 1),
        }  # fmt: skip


def test_zip_of_stored_members() -> None:
    assert loaded(archives.zip_entries, zipped(MEMBERS, zipfile.ZIP_STORED))["x#c.png"] == PNG
