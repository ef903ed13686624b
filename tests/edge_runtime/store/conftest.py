from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.edge_runtime.inference.model_variants import filled_store, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a store in which a model reads that must not change."""
    return filled_store(tmp_path)


@pytest.fixture
def refused(folder: Path) -> Callable[..., str]:
    return partial(refusal, folder)
