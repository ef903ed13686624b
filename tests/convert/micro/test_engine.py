"""The engine c against LiteRT, and both engines' sources against the compiler."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from convert.micro.export import SOURCES
from edge_runtime import Classifier
from edge_runtime.records import Uint8
from tests.micro_sources import C99, HERE, STRICT, Sources, compiled
from train import dataset

STUBS = HERE / "stubs"
CPP17 = ("g++", "-std=c++17", *STRICT, "-fsyntax-only", "-I.", f"-I{STUBS}")
SANITIZE = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def test_golden_vectors_pass_on_this_machine(folder_c: Path, tmp_path: Path) -> None:
    program = tmp_path / "selftest"
    compiled((*C99, "-DDIGITS_SELFTEST_MAIN", "-o", program, "digits.c", *SOURCES), folder_c)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "30 of 30 golden vectors pass\n")


def test_a_damaged_weight_fails_the_selftest(folder_c: Path, tmp_path: Path) -> None:
    program, model = tmp_path / "selftest", tmp_path / "model.c"
    text = (folder_c / "model.c").read_text()
    model.write_text(text.replace("bias_4[] __attribute__", "bias_4[]").replace("static const int32_t bias_4[] = {",
                     "static const int32_t bias_4[] = {\n    9999,", 1))  # fmt: skip
    others = [name for name in SOURCES if name != "model.c"]
    compiled((*C99, "-DDIGITS_SELFTEST_MAIN", "-I.", "-o", program, "digits.c", model, *others), folder_c)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "30 of 30" not in done.stdout


def test_1000_digits_have_the_labels_of_litert(sources: Sources, classifier: Classifier) -> None:
    images = dataset.load("test").images[:1000]
    expected = classifier.scores(images)
    scores = np.stack([sources.scores(image) for image in images])
    assert (scores.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert np.abs(scores.astype(int) - expected).max() <= 1


def test_confidence_is_the_softmax_in_percent(
    sources: Sources, classifier: Classifier, digits: tuple[Uint8, Uint8]
) -> None:
    scores = classifier.scores(digits[0][:200])
    expected = 100 * classifier.confidences(digits[0][:200])
    for row, percents in zip(scores, expected, strict=True):
        assert all(abs(sources.confidence(row, label) - percents[label]) < 0.6 for label in range(11))
    assert sources.confidence(scores[0], -1) == sources.confidence(scores[0], 11) == 0


def test_sanitizers_find_nothing_in_2000_crops(folder_c: Path, tmp_path: Path) -> None:
    check_random_crops(folder_c, tmp_path, 2000)


@pytest.mark.micro
def test_sanitizers_find_nothing_in_100000_crops(folder_c: Path, tmp_path: Path) -> None:
    check_random_crops(folder_c, tmp_path, 100_000)


def check_random_crops(folder: Path, tmp_path: Path, count: int) -> None:
    program = tmp_path / "crops"
    compiled((*C99, *SANITIZE, "-I.", "-o", program, HERE / "crops.c", "digits.c", *SOURCES), folder)
    done = subprocess.run([program, str(count)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{count} crops, none failed\n", "")


def test_tflm_sources_compile_without_a_warning(folder_tflm: Path) -> None:
    assert compiled((*C99, "-fsyntax-only", *SOURCES), folder_tflm) == ""
    assert compiled((*CPP17, "digits.cc"), folder_tflm) == ""


@pytest.mark.parametrize("name", ["serial_input", "touch_screen", "esp32_cam"])
def test_arduino_examples_compile_without_a_warning(name: str, folder_c: Path) -> None:
    assert compiled((*CPP17, "-x", "c++", f"examples/{name}/{name}.ino"), folder_c) == ""


def test_the_pico_example_compiles_without_a_warning(folder_c: Path) -> None:
    command = ("gcc", "-std=c11", *STRICT, "-fsyntax-only", "-I.", f"-I{STUBS}", "examples/pico_serial/main.c")
    assert compiled(command, folder_c) == ""


def test_nothing_is_allocated(folder_c: Path, tmp_path: Path) -> None:
    for name in ("digits.c", *SOURCES):
        compiled((*C99, "-c", "-o", tmp_path / f"{name}.o", name), folder_c)
    listed = subprocess.run(["nm", "-u", *tmp_path.glob("*.o")], capture_output=True, text=True, check=True).stdout
    needed = {line.split()[-1] for line in listed.splitlines() if line.startswith(" ")}
    outside = {name for name in needed if not name.startswith("digits_")}
    assert outside <= {"memcpy", "memmove", "memset", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
