import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from train import dataset, fonts
from train.dataset import DataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an empty folder in place of the cache's."""
    monkeypatch.setattr(dataset, "cache_folder", lambda: tmp_path / "mnist")
    _clear()
    yield tmp_path / "fonts"
    _clear()


def _clear() -> None:
    for cached in (fonts._folder, fonts.typeface, fonts.stamp):
        cached.cache_clear()


def test_every_fifth_typeface_is_kept_to_choose_with() -> None:
    training, held_out = fonts.names(False), fonts.names(True)
    assert not set(training) & set(held_out)
    assert set(training) | set(held_out) == set(fonts.FONTS)
    assert len(held_out) == len(fonts.FONTS) // 5


def test_letters_that_look_like_digits_are_left_out() -> None:
    assert not set(fonts.LETTERS) & set("BDIOSZbgiloqsz0123456789")


@pytest.mark.parametrize("name", [fonts.names(False)[0], fonts.names(True)[0]])
def test_characters_are_cut_to_their_ink(name: str) -> None:
    for character in fonts.DIGITS + fonts.LETTERS:
        ink = fonts.stamp(name, character)
        assert ink.dtype == np.uint8
        assert ink.max() > 127
        assert all(edge.any() for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))


def test_the_cache_holds_what_the_hashes_say() -> None:
    for name, (_, sha256) in fonts.FONTS.items():
        assert hashlib.sha256((fonts._folder() / f"{name}.woff2").read_bytes()).hexdigest() == sha256


def test_without_npm_one_line_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(DataError, match=r"typefaces .* come from the npm registry.*: apt install npm"):
        fonts.stamp(fonts.names(False)[0], "A")


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_damaged_fonts_are_fetched_again_others_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "delius"
    monkeypatch.setattr(fonts, "FONTS", {name: fonts.FONTS[name]})
    folder.mkdir()
    (folder / f"{name}.woff2").write_bytes(b"not a font")
    assert fonts.stamp(name, "A").max() > 127
    monkeypatch.setattr(fonts, "FONTS", {name: (fonts.FONTS[name][0], "0" * 64)})
    _clear()
    with pytest.raises(DataError, match=r"delius\.woff2 of the typefaces has changed: expected SHA-256 0000"):
        fonts.stamp(name, "B")
