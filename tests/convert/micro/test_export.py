"""`python -m convert BUILD --micro`: the folder, and what is refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convert.__main__ import main
from convert.micro import arena, layers
from convert.micro.arena import Arena
from convert.micro.export import FOLDER, Engine, export
from edge_runtime.errors import DependencyMissing
from edge_runtime.inference import model_file
from tests.builds import ROOT
from tests.commands import Call
from tests.micro_sources import SHIPPED_ARENA

COMMON = {
    ".clang-format", "CMakeLists.txt", "digits.h", "digits_confidence.c", "digits_ink.c", "digits_resize.c",
    "digits_resize.h", "examples", "golden.h", "idf_component.yml", "library.json", "library.properties", "model.c",
    "model.h", "normalize.c", "normalize.h", "selftest.c",
}  # fmt: skip


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    folder.mkdir()
    shutil.copy(model_file.SHIPPED, folder)
    return folder


def test_each_engine_has_its_own_source(folder_c: Path, folder_tflm: Path) -> None:
    assert {path.name for path in folder_c.iterdir()} - {"digits.so"} == COMMON | {"digits.c"}
    assert {path.name for path in folder_tflm.iterdir()} == COMMON | {"digits.cc"}
    assert sorted(path.name for path in (folder_c / "examples").iterdir()) == [
        "esp32_cam", "pico_serial", "serial_input", "touch_screen"
    ]  # fmt: skip


def test_model_h_describes_the_model(folder_c: Path) -> None:
    text = (folder_c / "model.h").read_text()
    model = model_file.read(model_file.SHIPPED)
    assert f'#define DIGITS_MODEL_SHA256 "{model.sha256}"' in text
    assert "#define DIGITS_CLASSES 11" in text
    assert "#define DIGITS_NOT_A_DIGIT (10) " in text
    assert "#define DIGITS_OUTPUT_ZERO_POINT (36)" in text
    assert "#define DIGITS_OUTPUT_SCALE 1.4830877e-01f" in text
    assert "#define DIGITS_CONTRACT_VERSION 2" in text
    assert "Recipe adapted; made with python " in text


def test_the_arena_has_a_stated_margin(folder_tflm: Path) -> None:
    text = (folder_tflm / "digits.h").read_text()
    assert "Bytes of the arena: 3744 were measured" in text
    assert "#define DIGITS_ARENA_BYTES 4768" in text
    assert arena.MARGIN == 1024


def test_the_resolver_has_the_used_operators_alone(folder_tflm: Path) -> None:
    text = (folder_tflm / "digits.cc").read_text()
    assert "MicroMutableOpResolver<3>" in text
    assert [name for name in layers.MICRO_OPERATORS.values() if f".{name}()" in text] == [
        "AddFullyConnected", "AddQuantize", "AddReshape"
    ]  # fmt: skip


@pytest.fixture
def smoke(smoke_build: Path, tmp_path: Path) -> Path:
    """Return a folder with a small network of ten classes."""
    (tmp_path / "smoke").mkdir()
    return Path(shutil.copy(smoke_build / "digits-int8.tflite", tmp_path / "smoke")).parent


@pytest.mark.parametrize("engine", ["c", "tflm"])
def test_the_sources_are_formatted(engine: Engine, smoke: Path) -> None:
    program = Path(sys.executable).with_name("clang-format")
    if not program.exists():
        pytest.skip("no clang-format: pip install clang-format")
    folder = export(smoke, engine, arena=SHIPPED_ARENA)
    names = [str(path) for path in folder.rglob("*") if path.suffix in (".c", ".h", ".cc", ".ino")]
    done = subprocess.run([program, "--dry-run", "--Werror", *names], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_networks_of_ten_classes_know_no_other(smoke: Path) -> None:
    text = (export(smoke, "c") / "model.h").read_text()
    assert "#define DIGITS_CLASSES 10" in text
    assert "#define DIGITS_NOT_A_DIGIT (-1) " in text


def test_the_command_says_what_it_wrote(build: Path, call: Call) -> None:
    done = call(main, build, "--micro", "--engine", "c")
    size = sum(path.stat().st_size for path in (build / FOLDER).rglob("*") if path.is_file())
    assert (done.code, done.out, done.err) == (0, f"{build / FOLDER}: {size:,} bytes\n", "")
    assert sorted(path.name for path in build.iterdir()) == ["digits-int8.tflite", FOLDER]


def test_export_needs_no_tensorflow() -> None:
    code = "import convert.__main__, sys; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# How it fails


def test_existing_folder_stays_without_force(build: Path, call: Call) -> None:
    (build / FOLDER).mkdir()
    (build / FOLDER / "mine.c").write_text("int mine;")
    line = call(main, build, "--micro", "--engine", "c").one_line(6)
    assert f"{build / FOLDER} exists: overwrite it with --force" in line
    assert [path.name for path in (build / FOLDER).iterdir()] == ["mine.c"]
    assert call(main, build, "--micro", "--engine", "c", "--force").code == 0
    assert not (build / FOLDER / "mine.c").exists()
    assert sorted(path.name for path in build.iterdir()) == ["digits-int8.tflite", FOLDER]


def test_a_failed_export_leaves_the_folder_before(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (export(build, "c") / "model.h").read_text()
    monkeypatch.setattr("convert.micro.export.METADATA", ("no-such-file",))
    with pytest.raises(Exception, match="no-such-file"):
        export(build, "c", force=True)
    assert (build / FOLDER / "model.h").read_text() == before
    assert sorted(path.name for path in build.iterdir()) == ["digits-int8.tflite", FOLDER]


def test_missing_model_is_one_line(tmp_path: Path, call: Call) -> None:
    assert "cannot read the model" in call(main, tmp_path, "--micro", "--engine", "c").one_line(4)
    assert list(tmp_path.iterdir()) == []


def test_model_without_a_card_is_one_line(build: Path, call: Call) -> None:
    (build / "digits-int8.tflite").write_bytes(model_file.read(model_file.SHIPPED).flatbuffer)
    assert "has no card" in call(main, build, "--micro", "--engine", "c").one_line(4)


def test_float_model_is_one_line(smoke_build: Path, tmp_path: Path, call: Call) -> None:
    shutil.copy(smoke_build / "digits-float32.tflite", tmp_path)
    line = call(main, tmp_path / "digits-float32.tflite", "--micro", "--engine", "c").one_line(4)
    assert "does not take bytes and give int8 scores" in line
    assert [path.name for path in tmp_path.iterdir()] == ["digits-float32.tflite"]


@pytest.mark.parametrize("options", [["--micro", "--recipe", "int8"], ["--micro", "--output", "x"], ["--engine", "c"]])
def test_options_that_do_not_go_together(options: list[str], build: Path, call: Call) -> None:
    assert "--micro" in call(main, build, *options).one_line(2)


def test_without_tflite_micro_the_package_is_named(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    with pytest.raises(DependencyMissing, match=r"pip install tflite-micro, or take --engine c"):
        export(build)
    assert [path.name for path in build.iterdir()] == ["digits-int8.tflite"]
    assert export(build, arena=SHIPPED_ARENA).is_dir()  # nothing else needs it


def test_arena_is_taken_as_it_is(build: Path) -> None:
    text = (export(build, arena=Arena(16, 32)) / "digits.h").read_text()
    assert "#define DIGITS_ARENA_BYTES 32" in text
