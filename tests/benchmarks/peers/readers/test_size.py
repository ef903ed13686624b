"""What a reader takes on disk: its packages and what these require, without what edge-digits requires too."""

import shutil
import subprocess

import pytest

from benchmarks.peers.readers import size
from benchmarks.peers.readers.catalog import EDGE


def test_packages_count_with_what_they_require() -> None:
    required = size.required(["onnxruntime>=1", "opencv-python"])
    assert {"onnxruntime", "numpy", "protobuf"} <= required.keys()
    assert any(name.startswith("opencv-") for name in required)  # whichever is installed
    assert size.required(["no-such-package"]) == {}


def test_only_what_edge_digits_lacks_is_beyond() -> None:
    ours, sample = size.of_reader(EDGE), size.of_reader("OpenCV sample")
    assert ours is not None
    assert sample is not None
    assert 1e6 < ours.beyond < 20e6 < ours.whole  # the package, its model among it
    assert sample.beyond == 0 < sample.whole < ours.whole


def test_debian_packages_count_without_the_base_system(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("tesseract") is None or shutil.which("dpkg-query") is None:
        pytest.skip("no Tesseract of Debian is here")
    whole = size.debian("tesseract-ocr")
    assert whole is not None
    assert 10e6 < whole < 1e9
    assert size.debian("no-such-package") is None
    assert size.debian("libc6") == 0
    monkeypatch.setenv("PATH", "/nowhere")
    assert size.debian("tesseract-ocr") is None


# Name, KiB, essential, dependencies, as in size.FORMAT.
LISTING = """\
reader\t100\tno\t, absent | models, library (>= 1.2) | other, shared, no-such-package
models\t30\tno\t, reader
library\t7\tno\tdeep (= 2:1~b), base
deep\t2\t\t, virtual
other\t1000\tno\t, 
virtual\t\tno\t, 
shared\t500\tno\t, 
python3\t60\tno\t, shared
base\t3000\tyes\t, base-library
base-library\t4000\tno\t, 
"""  # noqa: W291 - as dpkg-query prints it


def test_dependencies_of_debian_packages_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 0, LISTING)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert size.debian("reader") == 1024 * (100 + 30 + 7 + 2)
    assert size.debian("library") == 1024 * (7 + 2)
    assert size.debian("shared") == size.debian("base-library") == 0
    assert size.debian("virtual") is None
    assert size.debian("absent") is None
