"""Readers in their own processes: what each reads, and what is said of one that fails."""

import importlib.util
import shutil
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.common.turns import ProcessFailed
from benchmarks.peers.readers.catalog import DIGIT, EDGE, LINE, PAGE, RAPIDOCR_MODELS, READERS
from benchmarks.peers.readers.turns import ReaderProcess, take
from edge_runtime.records import Uint8
from edge_runtime.sources import pictures

PRINTED = np.full((220, 300, 3), 240, np.uint8)
cv2.putText(PRINTED, "31425", (30, 130), cv2.FONT_HERSHEY_DUPLEX, 2, (20, 20, 20), 4)


@pytest.mark.parametrize(
    ("kind", "names", "pixels"),
    [(PAGE, ["RapidOCR", "Tesseract"], PRINTED), (LINE, ["RapidOCR, line alone", "Tesseract"], PRINTED[70:150])],
)
def test_programs_for_text_read_printed_digits(kind: str, names: list[str], pixels: Uint8) -> None:
    pytest.importorskip("rapidocr")
    if shutil.which("tesseract") is None:
        pytest.skip("Tesseract is not here")
    answers, memory = take(names, kind, [pixels])
    assert {name: "".join(of_one[0].lines) for name, of_one in answers.items()} == dict.fromkeys(names, "31425")
    assert all(of_one[0].ns > 0 and of_one[0].processor_ns > 0 for of_one in answers.values())
    if sys.platform == "linux":
        assert all(peak is not None and peak > 10e6 for peak in memory.values())


def test_answers_come_in_the_order_of_pictures(samples: Path) -> None:
    files = [samples / "paper.jpg", samples / "digit.png"]
    answers, _ = take([EDGE, "OpenCV sample"], PAGE, [pictures.load(file).pixels for file in files])
    assert [answer.lines for answer in answers[EDGE]] == [["48793968101", "0430355509", "043"], ["2"]]
    assert [len(of_one) for of_one in answers.values()] == [2, 2]
    digits = "".join(answers["OpenCV sample"][0].lines)
    assert digits.isdecimal()
    assert len(digits) > 10


def test_a_reader_that_fails_is_named(tmp_path: Path) -> None:
    with (tmp_path / "messages").open("w+") as messages, ReaderProcess(EDGE, DIGIT, messages) as reader:
        reader.ready()
        with pytest.raises(ProcessFailed, match=r"edge-digits ended with exit code 1: .*none\.pnm: not a picture"):
            reader.read(tmp_path / "none.pnm")


def test_a_missing_program_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert READERS["Tesseract"].missing() == "not installed: apt install tesseract-ocr"
    assert READERS[EDGE].missing() is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert READERS["RapidOCR"].missing() == "not installed: pip install 'edge-digits[peers]'"


def test_rapidocr_without_its_models_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = ModuleSpec("rapidocr", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / RAPIDOCR_MODELS[0]).touch()
    assert READERS["RapidOCR"].missing() == (
        f"this version of rapidocr has no {RAPIDOCR_MODELS[1]}: pip install 'edge-digits[peers]'"
    )
    (tmp_path / "models" / RAPIDOCR_MODELS[1]).touch()
    assert READERS["RapidOCR"].missing() is None
