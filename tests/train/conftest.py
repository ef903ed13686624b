from collections.abc import Iterator

import pytest

from tests.builds import few
from train import dataset


@pytest.fixture(scope="module")
def few_digits() -> Iterator[None]:
    """Let dataset.load return a few digits of each split."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "load", few)
        yield
