import shutil
from pathlib import Path

import pytest

from tests.micro_sources import Sources, exported


@pytest.fixture(scope="session", autouse=True)
def compilers() -> None:
    if not (shutil.which("gcc") and shutil.which("g++")):
        pytest.skip("no C compiler: apt install gcc g++")


@pytest.fixture(scope="session")
def folder_c(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("micro") / "c", "c")


@pytest.fixture(scope="session")
def folder_tflm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("micro") / "tflm", "tflm")


@pytest.fixture(scope="session")
def sources(folder_c: Path) -> Sources:
    return Sources(folder_c)
