import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import edge_runtime
from edge_runtime import Classifier, DigitReader
from edge_runtime.cli.terminal import logged
from edge_runtime.records import Uint8
from tests.commands import Call, Done
from tests.log import Log

# Where everything must hold, the same code is tested by the same examples each time; elsewhere, by new ones.
ALIKE = "CI" in os.environ
settings.register_profile("tests", deadline=None, max_examples=60, derandomize=ALIKE)
settings.register_profile("again", deadline=None, max_examples=10, derandomize=ALIKE)  # where all runs a second time
settings.register_profile("emulated", deadline=None, max_examples=3)  # where a test takes twenty times as long
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def nobodys_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever runs the tests may have installed a model of their own, and have their own ways: neither counts here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.delenv("STATE_DIRECTORY", raising=False)
        patch.delenv("PYTHONUNBUFFERED", raising=False)
        yield


@pytest.fixture(autouse=True)
def figures_are_closed() -> Iterator[None]:
    """Let pyplot forget what a test has drawn: it keeps every figure, and warns of the twenty-first."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture
def messages() -> Iterator[Log]:
    """Return the messages that edge_runtime logs meanwhile, from any thread."""
    log = Log()
    with logged("edge_runtime", log.append):
        yield log


@pytest.fixture(scope="session")
def samples() -> Path:
    return Path(edge_runtime.__file__).with_name("samples")


@pytest.fixture(scope="session")
def digits(samples: Path) -> tuple[Uint8, Uint8]:
    with np.load(samples / "digits.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


@pytest.fixture(scope="session")
def classifier() -> Iterator[Classifier]:
    with Classifier() as classifier:
        yield classifier


@pytest.fixture(scope="session")
def reader() -> Iterator[DigitReader]:
    with DigitReader() as reader:
        yield reader


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command's main() in this process, as if with these arguments: TensorFlow starts only once."""

    def run(main: Callable[[], None], *arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def smoke_build(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return a folder that `python -m train` and `python -m convert` have filled; only to be read.

    The first worker that needs it builds it for all, as pytest-xdist's documentation does (FileLock).
    """
    from filelock import FileLock

    from tests.builds import built

    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent  # the workers' folders lie side by side
    with FileLock(shared / "smoke.lock"):
        if not (shared / "smoke-made").exists():
            built(shared / "smoke", "smoke")
            (shared / "smoke-made").touch()
    return shared / "smoke"


@pytest.fixture
def smoke_copy(smoke_build: Path, tmp_path: Path) -> Path:
    """Return a copy of the smoke build that a test may change."""
    return Path(shutil.copytree(smoke_build, tmp_path / "build"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where EDGE_DIGITS_NO_SKIP is set, as in .ci/run, a test that skips has failed: what it needs should be there."""
    report = yield
    if report.skipped and os.environ.get("EDGE_DIGITS_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though nothing may skip here: {report.longrepr}"
    return report
