import shutil
from pathlib import Path

import pytest

from tests.edge_runtime.store.maker import Maker


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    pytest.importorskip("cryptography")
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    return Maker(tmp_path / "maker")
