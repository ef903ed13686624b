import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import edge_runtime
from edge_runtime import DigitReader, errors, records

ROOT = Path(edge_runtime.__file__).parents[1]


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after `code`."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_everything_promised_can_be_imported() -> None:
    assert edge_runtime.__all__ == sorted(edge_runtime.__all__)
    for name in edge_runtime.__all__:
        assert getattr(edge_runtime, name).__name__ == name


def test_every_error_and_record_is_promised() -> None:
    for module in (errors, records):
        own = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
        assert own - {"Timings"} <= {*edge_runtime.__all__}
    assert {*edge_runtime.__all__} <= {*dir(edge_runtime)}


def test_a_source_is_opened_and_read(reader: DigitReader, samples: Path) -> None:
    with closing(edge_runtime.open_source(str(samples / "digit.png"))) as frames:
        assert [reader.read(frame).text for frame in frames if isinstance(frame, edge_runtime.Frame)] == [("2",)]


def test_all_names_come_with_a_star() -> None:
    names: dict[str, object] = {}
    exec("from edge_runtime import *", names)
    assert set(edge_runtime.__all__) <= set(names)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'edge_runtime' has no attribute 'Classifyer'"):
        edge_runtime.Classifyer  # noqa: B018
    assert not hasattr(edge_runtime, "reader_of_minds")


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not modules_after("import edge_runtime") & {"cv2", "numpy", "PIL", "click", "ai_edge_litert"}


def test_reading_a_picture_loads_no_training_framework() -> None:
    code = """
from pathlib import Path
import edge_runtime
from edge_runtime.sources.pictures import load
with edge_runtime.DigitReader() as reader:
    print(reader.read(load(Path(edge_runtime.__file__).with_name("samples") / "digit.png")).text)
"""
    loaded = modules_after(code)
    assert {"cv2", "ai_edge_litert"} <= loaded or {"cv2", "tflite_runtime"} <= loaded
    assert not loaded & {"tensorflow", "keras", "scipy", "matplotlib", "train", "convert", "benchmarks"}


@pytest.mark.parametrize(
    ("error", "builtin", "code"),
    [
        (errors.OptionError, ValueError, 2),
        (errors.DependencyMissing, ImportError, 2),
        (errors.PictureError, ValueError, 1),
        (errors.PictureTooLarge, errors.PictureError, 1),
        (errors.ModelError, ValueError, 4),
        (errors.ModelCorrupt, errors.ModelError, 4),
        (errors.ContractMismatch, errors.ModelError, 4),
        (errors.OutputError, OSError, 6),
    ],
)
def test_errors_have_a_root_builtin_and_code(
    error: type[errors.EdgeError], builtin: type[Exception], code: int
) -> None:
    assert issubclass(error, errors.EdgeError)
    assert issubclass(error, builtin)
    assert error.exit_code == code
    assert str(error("one line")) == "one line"
    assert error.__name__ in (errors.__doc__ or "")
