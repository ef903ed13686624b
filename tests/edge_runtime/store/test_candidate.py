"""Which model a command may install: one that a trusted key has signed, the newest in its folder."""

import os
from pathlib import Path

import pytest

from edge_runtime.errors import OptionError
from edge_runtime.store.candidate import Candidates
from tests.edge_runtime.inference.model_variants import variant
from tests.edge_runtime.store.maker import Maker
from tests.log import Log


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def written(path: Path, seconds: int) -> str:
    """Write a model that was last changed at this time, and return its id."""
    id = variant(path, path.stem).id
    os.utime(path, (seconds, seconds))
    return id


def test_the_newest_file_of_a_folder_is_it(maker: Maker, place: Path, messages: Log) -> None:
    new = written(place / "a.tflite", 2_000)
    written(place / "b.tflite", 1_000)
    (place / "c.txt").touch()
    (place / "d.tflite").mkdir()
    maker.sign(place / "a.tflite")
    candidates = Candidates(place, [maker.public])
    assert candidates.path() == place / "a.tflite"
    candidate = candidates.newest()
    assert candidate is not None
    assert candidate.id == new
    assert candidate.summary == "recipe adapted, 99.53 % of the test digits, commit 927df5ba0e8d"
    assert candidates.newest() is candidate  # nothing has changed: nothing is read again
    assert messages == []


def test_an_unsigned_candidate_is_reported_once(maker: Maker, place: Path, tmp_path: Path, messages: Log) -> None:
    path = place / "a.tflite"
    candidates = Candidates(path, [maker.public])
    new = written(path, 1_000)
    assert [candidates.newest(), candidates.newest()] == [None, None]
    assert messages == [f"no update is offered: {path} is not signed: there is no {path}.sig"]
    Maker(tmp_path / "stranger").sign(path)
    assert candidates.newest() is None
    assert messages[1].startswith(f"no update is offered: {path}: its signature was not made with a trusted key")
    maker.sign(path)
    candidate = candidates.newest()
    assert candidate is not None
    assert candidate.id == new
    path.write_bytes(path.read_bytes() + b"x")  # not what was signed
    assert candidates.newest() is None
    assert len(messages) == 3


def test_without_a_file_nothing_is_offered(maker: Maker, place: Path, messages: Log) -> None:
    for at, reason in (
        (place, f"there is no .tflite file in {place}"),
        (place / "none.tflite", f"there is no {place / 'none.tflite'}"),
        (Path("/dev/null"), "/dev/null is not a file"),
        (Path("https://models.example/a.tflite"), "there is no https:/models.example/a.tflite"),
    ):
        candidates = Candidates(at, [maker.public])
        assert [candidates.newest(), candidates.newest()] == [None, None]
        assert messages == [f"no update is offered: {reason}"]
        messages.clear()


def test_a_foreign_file_is_not_offered(maker: Maker, place: Path, messages: Log) -> None:
    path = place / "a.tflite"
    path.write_bytes(b"no model")
    maker.sign(path)
    assert Candidates(place, [maker.public]).newest() is None
    assert len(messages) == 1
    assert messages[0].startswith(f"no update is offered: {path}")


def test_without_a_trusted_key_nothing_begins(place: Path) -> None:
    with pytest.raises(OptionError, match="requires a trusted key"):
        Candidates(place, [])
