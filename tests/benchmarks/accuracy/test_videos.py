from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.accuracy import videos
from benchmarks.accuracy.videos import HIDDEN, PAGES, SHOWN, SIZE, SLIDING, film
from edge_runtime import DigitReader
from edge_runtime.bench import result
from edge_runtime.records import Uint8
from tests.commands import Call
from train.dataset import Digits


@pytest.fixture
def pages() -> list[Uint8]:
    return [np.full((*SIZE[::-1], 3), shade, np.uint8) for shade in (230, 200, 170)]


def test_a_film_shows_every_page_then_the_desk(pages: list[Uint8]) -> None:
    shots = list(film(pages, 0.5, np.random.default_rng(3)))
    assert all(shot.pixels.shape == (480, 640, 3) and shot.pixels.dtype == np.uint8 for shot in shots)
    order = [shot.page for shot in shots if shot.page is not None]
    assert order == [page for page in range(PAGES) for _ in range(SLIDING + SHOWN)]
    assert [shot.page for shot in shots[:HIDDEN]] == [shot.page for shot in shots[-HIDDEN:]] == [None] * HIDDEN
    # What is said to be whole is the page's own paper, in its middle, up to flicker and noise.
    for shot in shots:
        if shot.whole and shot.page is not None:
            assert abs(float(shot.pixels[200:280, 280:360].mean()) - (230, 200, 170)[shot.page]) < 15


def test_the_same_generator_gives_the_same_film(pages: list[Uint8]) -> None:
    one, other = (list(film(pages, 0.5, np.random.default_rng(5))) for _ in range(2))
    assert len(one) == len(other)
    assert all(np.array_equal(a.pixels, b.pixels) and a[1:] == b[1:] for a, b in zip(one, other, strict=True))


def test_a_reader_that_reads_nothing_is_never_exact(digits: tuple[Uint8, Uint8]) -> None:
    known = Digits(*digits)
    with DigitReader(min_confidence=1.0) as blind:
        watched = videos.watch(blind, known, 0.5, np.random.default_rng(1))
    assert (watched.exact, watched.still, watched.wrong) == (False, False, 0)


@pytest.mark.slow
def test_the_command_counts_and_writes_what_it_found(call: Call, tmp_path: Path) -> None:
    done = call(main, "videos", "--videos", "1", "--out", tmp_path)
    assert done.code == 0
    written = result.read(tmp_path / "videos.json")
    assert (written["benchmark"], written["settings"]) == ("videos", {"videos": 1, "seed": 7, "hands": 0.0})
    (record,) = written["details"]["videos"]
    measures = result.measures(written)
    assert (measures["all/exact"].count, measures["all/exact"].of) == (int(record["exact"]), 1)
    assert measures["raw/wrong reports"].value == pytest.approx(record["wrong_raw"] / (record["frames"] / 10))
    assert set(record) == {"frames", "exact", "still", "wrong", "wrong_raw"}
    assert f"{int(record['exact'])} of 1 videos reported exactly" in done.out
    assert f"of the {int(record['still'])} whose pages are read right" in done.out
    assert "wrong reports a minute: " in done.out
