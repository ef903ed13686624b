import subprocess
import sys
from pathlib import Path

import pytest

import edge_runtime
from edge_runtime.errors import DependencyMissing
from edge_runtime.system.dependencies import explain

ROOT = Path(edge_runtime.__file__).parents[1]
# A program whose arguments are the modules that are missing, then --, then those of edge-digits.
WITHOUT = """
import sys
split = sys.argv.index("--")
for module in sys.argv[1:split]:
    sys.modules[module] = None
sys.argv[1:split + 1] = []
from edge_runtime.cli.main import main
main()
"""


def run_without(*modules: str, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, *modules, "--", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize(
    ("module", "remedy"),
    [
        ("numpy", "pip install numpy"),
        ("cv2", "pip install opencv-python (or opencv-python-headless, or apt install python3-opencv)"),
        ("PIL.Image", "pip install pillow"),
        ("click", "pip install click"),
        ("paho.mqtt.client", "pip install 'edge-digits[mqtt]'"),
        ("starlette.types", "pip install 'edge-digits[serve]'"),
        ("uvicorn", "pip install 'edge-digits[serve]'"),
        ("prometheus_client", "pip install 'edge-digits[serve]'"),
        ("multipart", "pip install 'edge-digits[serve]'"),
        ("python_multipart.multipart", "pip install 'edge-digits[serve]'"),
        ("cryptography.x509", "pip install 'edge-digits[tls]'"),
    ],
)
def test_a_missing_package_names_what_to_install(module: str, remedy: str) -> None:
    error = explain(ModuleNotFoundError(f"No module named '{module}'", name=module))
    assert str(error) == f"No module named '{module}': {remedy}"
    assert error.exit_code == 2


def test_what_we_do_not_know_is_passed_on() -> None:
    assert str(explain(ModuleNotFoundError("No module named 'foo'", name="foo"))) == "No module named 'foo'"
    assert str(explain(ImportError("something else"))) == "something else"


def test_what_is_explained_already_stays() -> None:
    error = DependencyMissing("no TensorFlow Lite interpreter")
    assert explain(error) is error


@pytest.mark.parametrize("library", ["libGL.so.1", "libglib-2.0.so.0", "libgthread-2.0.so.0"])
@pytest.mark.parametrize("name", [None, "cv2"])
def test_a_library_opencv_lacks_names_both_remedies(library: str, name: str | None) -> None:
    message = f"{library}: cannot open shared object file: No such file or directory"
    error = str(explain(ImportError(message, name=name)))
    assert error.startswith(f"OpenCV needs {library}, which this system lacks: apt install libgl1 libglib2.0-0")
    assert error.endswith("pip install opencv-python-headless")


def test_an_opencv_of_another_numpy_names_remedies() -> None:
    error = str(explain(ImportError("numpy.core.multiarray failed to import")))
    assert "pip install --upgrade" in error
    assert "'numpy<2'" in error


def test_another_library_that_is_missing_is_named() -> None:
    message = "libfoo.so.1: cannot open shared object file: No such file or directory"
    assert str(explain(ImportError(message))) == message


def test_an_opencv_built_otherwise_names_both_remedies() -> None:
    error = str(explain(ImportError("numpy.core.multiarray failed to import")))
    remedy = "pip install --upgrade the OpenCV package, or 'numpy<2'"
    assert error == f"this OpenCV was built for another numpy version: {remedy}"


@pytest.mark.parametrize(
    ("modules", "remedy"),
    [
        (["cv2"], "pip install opencv-python"),
        (["PIL"], "pip install pillow"),
        (["ai_edge_litert", "tflite_runtime"], "pip install ai-edge-litert"),
    ],
)
def test_the_command_line_says_so_in_one_line(modules: list[str], remedy: str) -> None:
    done = run_without(*modules, arguments=("read", "page.png"))
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("edge-digits: error: ")
    assert remedy in line


def test_help_needs_neither_opencv_nor_an_interpreter() -> None:
    done = run_without("cv2", "ai_edge_litert", "tflite_runtime", "PIL", "numpy", arguments=("read", "--help"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Exit codes:" in done.stdout


def test_the_public_names_explain_themselves_too() -> None:
    code = "import sys; sys.modules['cv2'] = None; import edge_runtime; edge_runtime.DigitReader"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "edge_runtime.errors.DependencyMissing: " in done.stderr
    assert "pip install opencv-python" in done.stderr.splitlines()[-1]


def test_without_litert_the_fallback_interpreter_is_taken() -> None:
    code = """
import sys, types
from ai_edge_litert import interpreter
for name in [name for name in sys.modules if name.partition(".")[0] == "ai_edge_litert"]:
    sys.modules[name] = None
sys.modules["tflite_runtime"] = types.ModuleType("tflite_runtime")
sys.modules["tflite_runtime.interpreter"] = interpreter
import edge_runtime.inference.interpreter
assert edge_runtime.inference.interpreter.Interpreter is interpreter.Interpreter
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
