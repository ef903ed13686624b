"""Files of every kind become rows, each page with its id: read in this process."""

import io
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

fsspec = pytest.importorskip("fsspec")
pa = pytest.importorskip("pyarrow")
pytest.importorskip("pypdfium2")

import pyarrow.parquet as pq  # noqa: E402

from edge_runtime.batch import addresses, documents, inputs, pages  # noqa: E402
from edge_runtime.batch.contents import Sheet  # noqa: E402
from edge_runtime.errors import DependencyMissing, OptionError  # noqa: E402
from edge_runtime.records import Uint8  # noqa: E402
from tests.edge_runtime.batch.images import encoded, picture, tar, zipped  # noqa: E402
from tests.edge_runtime.batch.runs import read, texts  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def out(folder: Path) -> Path:
    return folder / "out"


@pytest.fixture(scope="module")
def pngs(digits: tuple[Uint8, Uint8]) -> list[bytes]:
    """Return two pictures: of a 2, and of a 0."""
    images, labels = digits
    return [encoded(picture(images, labels.tolist().index(label))) for label in (2, 0)]


def test_files_of_every_kind_are_read(folder: Path, out: Path, pngs: list[bytes]) -> None:
    images = [Image.open(io.BytesIO(png)) for png in pngs]
    scans = folder / "scans"
    scans.mkdir()
    (scans / "a.png").write_bytes(pngs[0])
    (scans / "b.tif").write_bytes(encoded(images[0], "TIFF", save_all=True, append_images=images[1:]))
    (scans / "c.tiff").write_bytes(encoded(images[1], "TIFF"))
    (scans / "d.pdf").write_bytes(encoded(images[0], "PDF", save_all=True, append_images=images[1:]))
    (scans / "e.zip").write_bytes(zipped({"1.png": pngs[1], "2.tif": (scans / "b.tif").read_bytes()}))
    (scans / "f.tgz").write_bytes(tar({"1.png": pngs[0], "3.pdf": (scans / "d.pdf").read_bytes()}, "w:gz"))
    pq.write_table(pa.table({"image": pngs}), scans / "g.parquet")
    assert read(out, "scans").read == 14
    assert texts(out) == {
        f"scans/{name}": [digit]
        for name, digit in [
            ("a.png", "2"), ("b.tif#1", "2"), ("b.tif#2", "0"), ("c.tiff", "0"), ("d.pdf#1", "2"), ("d.pdf#2", "0"),
            ("e.zip#1.png", "0"), ("e.zip#2.tif#1", "2"), ("e.zip#2.tif#2", "0"), ("f.tgz#1.png", "2"),
            ("f.tgz#3.pdf#1", "2"), ("f.tgz#3.pdf#2", "0"), ("g.parquet#0", "2"), ("g.parquet#1", "0"),
        ]
    }  # fmt: skip


def test_what_cannot_be_read_is_a_row(folder: Path, out: Path, pngs: list[bytes]) -> None:
    for name, data in {
        "a.png": b"seven", "b.jpg": b"", "c.tif": b"II*\0", "d.pdf": b"%PDF-1.4", "e.zip": b"PK", "f.tar": b"tar",
        "g.parquet": b"PAR1", "h.tif": pngs[0],
    }.items():  # fmt: skip
        (folder / name).write_bytes(data)
    follower = read(out, "a.png", "b.jpg", "c.tif", "d.pdf", "e.zip", "f.tar", "g.parquet", "h.tif")
    reasons = dict(follower.errors)
    assert [*reasons] == ["a.png", "b.jpg", "c.tif", "d.pdf", "e.zip", "f.tar", "g.parquet"]
    assert reasons["a.png"] == "not a picture that Pillow can read"
    assert reasons["b.jpg"] == "the file is empty"
    assert reasons["d.pdf"] == "cannot be read: Failed to load document (PDFium: Data format error)."
    assert reasons["e.zip"] == "not a zip file, or cut short: File is not a zip file"
    assert reasons["g.parquet"].startswith("cannot be read: Parquet ")
    assert all("\n" not in reason for reason in reasons.values())
    assert texts(out)["h.tif"] == ["2"]  # by its content, whatever its name


def test_files_in_memory_are_read(out: Path, pngs: list[bytes]) -> None:
    images = [Image.open(io.BytesIO(png)) for png in pngs]
    system = fsspec.filesystem("memory")
    system.pipe({
        "/pages/a.png": pngs[0], "/pages/b.tar": tar({"1.png": pngs[1]}),
        "/pages/c.pdf": encoded(images[0], "PDF", save_all=True, append_images=images[1:]),
    })  # fmt: skip
    read(out, "memory://pages")
    assert texts(out) == {
        "memory:///pages/a.png": ["2"], "memory:///pages/b.tar#1.png": ["0"],
        "memory:///pages/c.pdf#1": ["2"], "memory:///pages/c.pdf#2": ["0"],
    }  # fmt: skip


def test_cells_of_tables_are_pictures(folder: Path, out: Path, pngs: list[bytes]) -> None:
    cells = [
        {"bytes": pngs[0], "path": "a.png"},
        None,
        {"bytes": None, "path": "b.png"},
        {"bytes": pngs[1], "path": ""},
    ]
    pq.write_table(pa.table({"scan": cells}), folder / "a.parquet", row_group_size=2)
    pq.write_table(pa.table({"scan": pa.array([pngs[1]], pa.large_binary())}), folder / "b.parquet")
    read(out, "a.parquet", "b.parquet", column="scan")
    assert texts(out) == {
        "a.parquet#0": ["2"], "a.parquet#1": ["error: no picture: null"], "a.parquet#2": ["error: no picture: null"],
        "a.parquet#3": ["0"], "b.parquet#0": ["0"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("image", "a.parquet: no column image; it has id, scan: name one with --column"),
        ("id", "a.parquet: column id is int64, not the bytes of pictures: name another with --column"),
    ],
)
def test_a_table_without_the_column(folder: Path, out: Path, pngs: list[bytes], column: str, message: str) -> None:
    pq.write_table(pa.table({"id": [1], "scan": [pngs[0]]}), folder / "a.parquet")
    with pytest.raises(OptionError) as caught:
        read(out, "a.parquet", column=column)
    assert str(caught.value) == message
    assert not out.exists()
    read(out, "*.parquet", column=column)  # one of many tables is no reason to read none
    assert texts(out) == {"a.parquet": [f"error: {message.partition(': ')[2]}"]}


def test_rows_are_passed_over_without_loading(folder: Path, pngs: list[bytes]) -> None:
    pq.write_table(pa.table({"image": [b"%d" % row for row in range(100)]}), folder / "a.parquet", row_group_size=40)
    wanted = {37, 39, 41, 99}
    entries = enumerate(pages.entries([inputs.resolved("a.parquet")], "image"))
    loaded = {entry.id: entry.load() for row, entry in entries if row in wanted}
    assert loaded == {f"a.parquet#{row}": (b"%d" % row,) for row in wanted}


def test_a_cut_tiff_keeps_its_pages(folder: Path, out: Path, pngs: list[bytes]) -> None:
    images = [Image.open(io.BytesIO(png)) for png in pngs] * 2
    data = encoded(images[0], "TIFF", save_all=True, append_images=images[1:])
    (folder / "a.tif").write_bytes(data[: len(data) * 6 // 10])
    read(out, "a.tif")
    found = texts(out)
    assert [*found] == ["a.tif#1", "a.tif#2", "a.tif#3", "a.tif"]  # the third is known, but has no pixels
    assert (found["a.tif#1"], found["a.tif#2"]) == (["2"], ["0"])
    assert found["a.tif#3"][0].startswith("error: damaged or truncated: ")
    assert found["a.tif"][0].startswith("error: damaged or cut short after page 3: ")


def test_pdf_pages_are_drawn_in_dots(pngs: list[bytes]) -> None:
    pdf = encoded(Image.open(io.BytesIO(pngs[0])).convert("RGB"), "PDF", resolution=36)  # 64 pixels: 1.78 inches
    with documents.Documents() as drawer:
        pixels = drawer.draw(Sheet("pdf", pdf, 0), "a.pdf").pixels
    assert pixels.shape == (356, 356, 3)
    assert pixels.dtype == np.uint8
    assert int(pixels[0, 0, 0]) == 230


def test_huge_pdf_pages_are_rows(folder: Path, out: Path, pngs: list[bytes]) -> None:
    (folder / "a.pdf").write_bytes(encoded(Image.open(io.BytesIO(pngs[0])), "PDF", resolution=1))
    read(out, "a.pdf")
    assert texts(out) == {"a.pdf#1": ["error: larger than 50 megapixels at 200 DPI"]}


def test_a_pdf_stays_open_between_pages(folder: Path, pngs: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    images = [Image.open(io.BytesIO(png)) for png in pngs]
    for name in ("a.pdf", "b.pdf"):
        (folder / name).write_bytes(encoded(images[0], "PDF", save_all=True, append_images=images[1:]))
    opened: list[str] = []
    real = addresses.opened

    def counted(address: str) -> AbstractContextManager[BinaryIO]:
        opened.append(address)
        return real(address)

    monkeypatch.setattr(addresses, "opened", counted)
    with documents.Documents() as drawer:
        for name, number in [("a.pdf", 0), ("a.pdf", 1), ("b.pdf", 0), ("a.pdf", 0)]:
            drawer.draw(Sheet("pdf", name, number), name)
    assert opened == ["a.pdf", "b.pdf", "a.pdf"]


def test_without_the_extra_pdf_names_it(folder: Path, pngs: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.pdf").write_bytes(encoded(Image.open(io.BytesIO(pngs[0])), "PDF"))
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(DependencyMissing, match=r"pip install 'edge-digits\[batch\]'$"):
        list(pages.entries([inputs.resolved("a.pdf")], "image"))


def test_large_files_are_rows(folder: Path, out: Path, pngs: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MAX_BYTES", 1_000_000)
    (folder / "a.png").write_bytes(pngs[0] + bytes(1_000_000))
    read(out, "a.png")
    assert texts(out) == {"a.png": ["error: larger than 1 MB"]}
