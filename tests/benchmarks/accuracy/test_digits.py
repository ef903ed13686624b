import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main
from edge_runtime.bench import result
from edge_runtime.inference.model_file import SHIPPED
from tests.commands import Call


@pytest.fixture
def characters(tmp_path: Path) -> Path:
    folder = tmp_path / "characters"
    folder.mkdir()
    np.savez(folder / "ones.npz", images=np.full((3, 28, 28), 255, np.uint8), labels=np.array(["1"] * 3))
    np.savez(folder / "letters.npz", images=np.zeros((2, 28, 28), np.uint8), labels=np.array(["A", "O"]))
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "blank.png"), np.full((80, 100), 230, np.uint8))
    rows = [{"file": "blank.png", "lines": [], "category": "blank"}, {"file": "none.png", "lines": ["7"]}]
    (folder / "truth.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


def test_one_table_holds_characters_letters_size_and_speed(tmp_path: Path, characters: Path, call: Call) -> None:
    done = call(main, "digits", characters, "--beside", SHIPPED, "--out", tmp_path / "out")
    assert done.code == 0
    for said in ("MNIST test", "ones", "letters: accepts 99 % of MNIST test", "bytes", "takes 1.00 times"):
        assert said in done.out
    written = result.read(tmp_path / "out" / "digits.json")
    assert written["benchmark"] == "digits"
    assert written["settings"] == {
        "characters": ["MNIST test", "letters", "ones"], "pictures": [], "full": False,
        "beside": written["environment"]["model"],
    }  # fmt: skip
    measures = result.measures(written)
    assert measures["int8 MNIST test/read"].of == 10_000
    assert measures["int8 ones/read"].of == 3
    own = "int8 letters: the model's own"
    assert [(measures[f"{own}/{kind} rejected"].count, measures[f"{own}/{kind} rejected"].of)
            for kind in ("letters", "look-alikes")] == [(1, 1), (1, 1)]  # fmt: skip
    record = written["details"]
    rows = {row["name"]: row for row in record["models"]["int8"]["digits"]}
    assert measures["int8 MNIST test/NLL"].value == rows["MNIST test"]["nll"]
    assert measures["int8 MNIST test/read"].value == pytest.approx(rows["MNIST test"]["read"])
    assert rows["MNIST test"]["count"] == 10_000
    assert rows["MNIST test"]["read"] > 99
    assert rows["ones"]["count"] == 3
    assert record["bytes"] == SHIPPED.stat().st_size
    assert record["latency_ratio"] == 1


def test_pictures_are_read_whole_unreadable_ones_named_last(tmp_path: Path, pictures: Path, call: Call) -> None:
    done = call(main, "digits", pictures, "--out", tmp_path / "out")
    assert done.code == 1
    assert "1 pictures could not be read" in done.err
    assert "none.png" in done.err
    written = result.read(tmp_path / "out" / "digits.json")
    assert written["settings"]["pictures"] == ["photos"]
    assert result.measures(written)["int8 photos: everything/false digits a page"].value == 0
    summaries = written["details"]["models"]["int8"]["pages"]
    assert summaries["photos: everything"]["pages_without_digits"] == 1
    assert summaries["photos: everything"]["false_digits"] == 0
    assert "photos: everything" in done.out
