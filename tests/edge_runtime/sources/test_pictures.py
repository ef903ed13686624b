import io
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge_runtime.errors import PictureError, PictureTooLarge
from edge_runtime.records import Uint8
from edge_runtime.sources.pictures import MAX_PIXELS, decode, expand, load

GRAY = np.arange(0, 240, 2, dtype=np.uint8).reshape(10, 12)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels_of(data: bytes) -> Uint8:
    pixels = decode(data, "picture").pixels
    assert pixels.dtype == np.uint8
    return pixels


def three(gray: Uint8) -> Uint8:
    return np.repeat(gray[:, :, None], 3, axis=2)


def test_gray_stays_gray_to_the_byte() -> None:
    assert np.array_equal(pixels_of(encoded(Image.fromarray(GRAY))), GRAY)


def test_color_becomes_blue_green_red() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (10, 12, 3), np.uint8)
    assert np.array_equal(pixels_of(encoded(Image.fromarray(rgb))), rgb[:, :, ::-1])


@pytest.mark.parametrize("kind", ["BMP", "GIF", "PPM", "TGA", "TIFF", "WEBP"])
def test_other_formats_hold_the_same_picture(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = pixels_of(encoded(Image.fromarray(GRAY), kind, **options))
    assert np.array_equal(pixels if pixels.ndim == 3 else three(pixels), three(GRAY))


def test_a_frame_names_its_source_and_size() -> None:
    frame = decode(encoded(Image.fromarray(GRAY)), "notes/page.png")
    assert (frame.source, frame.index, frame.size) == ("notes/page.png", 0, (12, 10))


def test_black_and_white() -> None:
    bits = (GRAY > 100).astype(np.uint8) * 255
    assert np.array_equal(pixels_of(encoded(Image.fromarray(bits).convert("1"))), bits)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        pytest.param(GRAY.astype(np.uint16) * 257, "PNG", id="16-bit PNG"),
        pytest.param(GRAY.astype(np.uint16) * 257, "TIFF", id="16-bit TIFF"),
        pytest.param(GRAY.astype(np.uint16), "TIFF", id="8 bits in 16"),
        pytest.param(GRAY.astype(np.int32), "TIFF", id="8 bits in 32"),
        pytest.param(GRAY.astype(np.int32) * 257, "TIFF", id="16 bits in 32"),
        pytest.param(GRAY.astype(np.float32), "TIFF", id="floats to 255"),
        pytest.param(GRAY.astype(np.float32) / 255, "TIFF", id="floats to 1"),
    ],
)
def test_deep_gray_is_brought_to_8_bits(values: np.ndarray[Any, Any], kind: str) -> None:
    pixels = pixels_of(encoded(Image.fromarray(values), kind))
    assert np.abs(pixels.astype(int) - GRAY).max() <= (1 if values.dtype == np.float32 else 0)


def test_a_16_bit_maximum_is_white() -> None:
    assert pixels_of(encoded(Image.fromarray(np.full((3, 3), 65_535, np.uint16)))).tolist() == [[255] * 3] * 3


def test_gray_of_no_known_range_is_stretched() -> None:
    values = np.linspace(-1000, 1e6, 120).reshape(10, 12)
    for kind in (np.int32, np.float32):
        pixels = pixels_of(encoded(Image.fromarray(values.astype(kind)), "TIFF"))
        assert (pixels[0, 0], pixels[-1, -1]) == (0, 255)
        assert (np.diff(pixels.ravel().astype(int)) >= 0).all()


def test_nan_and_infinity_do_not_break_pictures() -> None:
    values = GRAY.astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    pixels = pixels_of(encoded(Image.fromarray(values), "TIFF"))
    assert pixels[0, :3].tolist() == [0, 0, 0]
    assert np.array_equal(pixels[1:], GRAY[1:])


@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (60, 255), (230, 0), (255, 0)])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_ground_contrasts_with_its_ink(mode: str, ink: int, ground: int) -> None:
    picture = np.zeros((20, 20, 4), np.uint8)  # what is transparent is black in most files
    picture[5:15, 8:12] = ink, ink, ink, 255
    pixels = pixels_of(encoded(Image.fromarray(picture).convert(mode)))
    assert pixels[10, 10].tolist() == [ink] * 3
    assert pixels[0, 0].tolist() == [ground] * 3


def test_half_transparent_ink_is_mixed_with_the_ground() -> None:
    picture = Image.new("RGBA", (4, 4), (0, 0, 0, 51))
    assert pixels_of(encoded(picture))[0, 0].tolist() == [204, 204, 204]


def test_a_transparent_picture_is_bare_paper() -> None:
    assert pixels_of(encoded(Image.new("RGBA", (4, 4), (9, 9, 9, 0)))).min() == 255


@pytest.mark.parametrize("mode", ["P", "L", "1"])
def test_a_color_declared_transparent_is_not_seen(mode: str) -> None:
    picture = Image.new(mode, (20, 20), 1)
    picture.putpalette([255, 0, 0, 0, 0, 0]) if mode == "P" else None
    picture.paste(0, (0, 0, 20, 10))
    pixels = pixels_of(encoded(picture, transparency=0))
    assert pixels[0, 0].tolist() == ([0] * 3 if mode == "1" else [255] * 3)
    assert pixels[15, 0].tolist() == ([255] * 3 if mode == "1" else [mode == "L"] * 3)


def test_a_palette_without_transparency_is_color() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    assert pixels_of(encoded(picture)).tolist() == [[[30, 20, 10], [60, 50, 40]]]


def test_printing_inks_become_colors() -> None:
    picture = Image.new("CMYK", (8, 8), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 4, 8))
    pixels = pixels_of(encoded(picture, "TIFF"))
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[0, 7].tolist() == [255, 255, 255]


TILES = np.array([[0, 90, 160], [240, 40, 200]], np.uint8)
# What a camera has stored that a person sees upright, for each EXIF orientation.
STORED: dict[int, Callable[[Uint8], Uint8]] = {
    1: lambda seen: seen,
    2: np.fliplr,
    3: lambda seen: np.rot90(seen, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda seen: np.rot90(seen, 1),
    7: lambda seen: np.rot90(seen, 2).T,
    8: lambda seen: np.rot90(seen, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_pictures_come_out_the_right_way_up(orientation: int, kind: str) -> None:
    seen = TILES.repeat(16, 0).repeat(16, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](seen)))
    pixels = pixels_of(encoded(stored, kind, exif=exif))
    assert pixels.shape == seen.shape
    assert np.abs(pixels.astype(int) - seen).max() <= 4  # JPEG


def test_of_an_animation_the_first_frame_is_read() -> None:
    first, second = Image.new("L", (9, 7), 10), Image.new("L", (9, 7), 200)
    data = encoded(first, "GIF", save_all=True, append_images=[second], duration=50)
    assert np.unique(pixels_of(data)).tolist() == [10]


def heic(image: Image.Image, **options: Any) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=-1, **options)
    return buffer.getvalue()


def test_pictures_as_telephones_take_them() -> None:
    seen = TILES.repeat(64, 0).repeat(64, 1)
    assert np.abs(pixels_of(heic(Image.fromarray(three(seen)))).astype(int) - three(seen)).max() <= 4


def test_a_telephone_held_upright() -> None:
    seen = TILES.repeat(64, 0).repeat(64, 1)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(three(np.ascontiguousarray(STORED[6](seen))))
    pixels = pixels_of(heic(stored, exif=exif.tobytes()))
    assert pixels.shape == (128, 192, 3)
    assert np.abs(pixels.astype(int) - three(seen)).max() <= 4


def test_without_the_extra_heic_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\0\0\0\x18ftypheic"
    monkeypatch.delitem(sys.modules, "edge_runtime.sources.heic", raising=False)
    monkeypatch.delattr("edge_runtime.sources.heic", raising=False)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PictureError) as caught:
        decode(data, "photo.heic")
    assert str(caught.value) == "photo.heic: to read HEIC, pip install 'edge-digits[heic]'"


def test_damaged_heic_is_one_line() -> None:
    data = heic(Image.fromarray(three(GRAY)))
    with pytest.raises(PictureError, match=r"^photo\.heic: .+$"):
        decode(data[: len(data) // 2], "photo.heic")


def png_declaring(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    idat = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_000, 5001), (13_000, 13_000), (60_000, 60_000)])
def test_a_picture_of_too_many_pixels_stays_undecoded(size: tuple[int, int]) -> None:
    assert size[0] * size[1] > MAX_PIXELS
    with pytest.raises(PictureTooLarge, match=r"^bomb\.png: larger than 50 megapixels; scale it down$"):
        decode(png_declaring(*size), "bomb.png")


def test_50_megapixels_themselves_are_no_bomb() -> None:
    assert decode(encoded(Image.new("1", (10_000, 5000))), "scan.png").size == (10_000, 5000)


WHOLE = encoded(Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 90), np.uint8)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "x.png: the file is empty", id="empty"),
        pytest.param(b"Seven eleven.\n", "x.png: not a picture that Pillow can read", id="text"),
        pytest.param(WHOLE[:10], "x.png: not a picture that Pillow can read", id="first bytes"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF\n", "x.png: PostScript is a program, not a picture; convert it to PNG first",
                     id="PostScript"),
        pytest.param(b"\xc5\xd0\xd3\xc6" + bytes(40),
                     "x.png: PostScript is a program, not a picture; convert it to PNG first", id="DOS PostScript"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_one_line(data: bytes, message: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode(data, "x.png")
    assert str(caught.value) == message


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_a_truncated_picture_is_refused_in_one_line(kind: str) -> None:
    data = encoded(Image.fromarray(np.random.default_rng(1).integers(0, 256, (90, 90), np.uint8)), kind)
    with pytest.raises(PictureError, match=r"^x: .+$"):
        decode(data[: len(data) * 2 // 3], "x")


@given(st.data())
def test_damaged_pictures_give_frames_or_picture_errors(data: st.DataObject) -> None:
    picture = bytearray(
        encoded(Image.fromarray(GRAY), data.draw(st.sampled_from(["PNG", "GIF", "JPEG", "TIFF", "ICO"])))
    )
    for position, value in data.draw(st.lists(st.tuples(st.integers(0, len(picture) - 1), st.integers(0, 255)))):
        picture[position] = value
    try:
        frame = decode(bytes(picture), "x")
    except PictureError:
        return
    assert frame.pixels.dtype == np.uint8
    assert frame.pixels.size > 0


def test_loading_a_file(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(encoded(Image.fromarray(GRAY)))
    frame = load(path)
    assert frame.source == str(path)
    assert np.array_equal(frame.pixels, GRAY)


def test_loading_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PictureError) as caught:
        load(tmp_path / "page.png")
    assert str(caught.value) == f"{tmp_path / 'page.png'}: cannot be read: No such file or directory"


def found_in(*paths: Path) -> list[Path | str]:
    return [str(item) if isinstance(item, PictureError) else item for item in expand(paths)]


def test_a_folder_is_its_pictures_by_name(tmp_path: Path) -> None:
    for name in (
        "b.png",
        "a.JPG",
        "c.heic",
        "10.webp",
        "a.txt",
        "b.pdf",
        "c.eps",
        "d.ps",
        "e.mpg",
        "f.h5",
        ".x",
        "none",
    ):
        (tmp_path / name).touch()
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "d.png").touch()
    assert found_in(tmp_path) == [tmp_path / name for name in ("10.webp", "a.JPG", "b.png", "c.heic")]


def test_fake_pictures_in_folders_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "album.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    assert found_in(tmp_path) == [f"{tmp_path}: no picture in this folder"]


def test_files_are_taken_as_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "b.png").touch()
    assert found_in(tmp_path / "notes.txt", tmp_path, tmp_path / "b.png") == [
        tmp_path / "notes.txt",
        tmp_path / "b.png",
        tmp_path / "b.png",
    ]


def test_empty_files_are_reported_the_rest_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    too_long = tmp_path / ("x" * 300)
    paths = [tmp_path / name for name in ("none.png", "empty", "pipe.png")]
    assert found_in(*paths, too_long, Path("/dev/null"), tmp_path / "page.png") == [
        f"{tmp_path}/none.png: no such file",
        f"{tmp_path}/empty: no picture in this folder",
        f"{tmp_path}/pipe.png: not a file",
        f"{too_long}: cannot be read: File name too long",
        "/dev/null: not a file",
        tmp_path / "page.png",
    ]
