"""The wheel holds the runtime alone, and reads a picture where TensorFlow is not installed."""

import json
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ".")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("edge_digits-*.whl"))


def test_wheel_holds_the_runtime_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"edge_runtime"}
    assert "edge_runtime/models/digits-int8.tflite" in names
    assert "edge_runtime/samples/truth.jsonl" in names
    assert "edge_runtime/py.typed" in names
    assert "edge_runtime/schemas/reading.schema.json" in names
    assert {f"edge_runtime/web/static/{name}" for name in ("index.html", "app.js", "style.css", "icon.svg")} <= {*names}
    assert any(name.endswith("licenses/NOTICE") for name in names)


@pytest.mark.slow
def test_wheel_reads_a_picture_without_tensorflow(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    python = environment / "bin" / "python"
    assert run(sys.executable, "-m", "venv", environment).returncode == 0
    lock = ROOT / "requirements" / "runtime.txt"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    done = run(*pip, "--require-hashes", "-r", lock)
    assert done.returncode == 0, done.stderr
    done = run(*pip, "--no-deps", wheel)
    assert done.returncode == 0, done.stderr
    assert run(python, "-c", "import tensorflow", cwd=tmp_path).returncode == 1
    done = run(
        environment / "bin" / "edge-digits", "read", ROOT / "edge_runtime" / "samples" / "digit.png", cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
    done = run(environment / "bin" / "edge-digits", "bench", "--fast", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["benchmark"], record["environment"]["commit"]) == ("bench", None)
    done = run(environment / "bin" / "edge-digits", "serve", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'edge-digits[serve]'" in done.stderr
    done = run(*pip, "--require-hashes", "-r", ROOT / "requirements" / "serve.txt")
    assert done.returncode == 0, done.stderr
    with subprocess.Popen(
        [environment / "bin" / "edge-digits", "serve", "--port", "0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as serving:
        assert serving.stderr is not None
        address = serving.stderr.readline().split()[-1]
        with urllib.request.urlopen(address, timeout=60) as page:
            assert b"edge-digits" in page.read()
        serving.terminate()
        assert serving.wait(timeout=10) == 0


@pytest.mark.slow
def test_missing_package_is_one_line_with_its_remedy(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    python = environment / "bin" / "python"
    assert run(sys.executable, "-m", "venv", environment).returncode == 0
    assert run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, "click").returncode == 0
    done = run(environment / "bin" / "edge-digits", "read", "picture.png", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install" in done.stderr
