import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import edge_runtime
from edge_runtime.system.native_logs import stderr_silenced


def open_files() -> int:
    return len(os.listdir("/dev/fd"))


def test_what_is_written_meanwhile_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with stderr_silenced():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate")
        os.write(1, b"result")
    os.write(2, b"after")
    assert capfd.readouterr() == ("result", "before after")


def test_an_error_passes_and_standard_error_is_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="inside"), stderr_silenced():
        raise RuntimeError("inside")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_no_file_stays_open() -> None:
    before = open_files()
    for _ in range(5):
        with stderr_silenced():
            pass
    assert open_files() == before


def test_two_threads_do_not_silence_it_forever(capfd: pytest.CaptureFixture[str]) -> None:
    second_inside = threading.Event()

    def second() -> None:
        with stderr_silenced():
            second_inside.set()

    with stderr_silenced():
        thread = threading.Thread(target=second)
        thread.start()
        second_inside.wait(0.05)  # never set where each waits its turn
    thread.join()
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"


def test_a_service_may_run_without_standard_error() -> None:
    code = """
import os
os.close(2)
from edge_runtime.system.native_logs import stderr_silenced
with stderr_silenced():
    print("ran")
"""
    root = Path(edge_runtime.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, cwd=root)
    assert done.stdout == b"ran\n"
