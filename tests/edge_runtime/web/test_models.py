"""A server whose model becomes another one: what it answers is of the one that reads."""

import queue
from collections.abc import Callable
from pathlib import Path

from edge_runtime import DigitReader
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import changes
from edge_runtime.store.history import Entry
from edge_runtime.store.hot_swap import Swapping
from tests.edge_runtime.inference.model_variants import variant
from tests.edge_runtime.web.site import site


def test_what_the_server_says_and_reads_is_of_the_model_that_reads(tmp_path: Path, samples: Path) -> None:
    new = variant(tmp_path / "new.tflite", "new")
    notes = queue.SimpleQueue[str]()
    tell: Callable[[str], None] = notes.put
    picture = (samples / "digit.png").read_bytes()
    with (
        Swapping(tmp_path / "models", lambda path, warmed: DigitReader(path), tell, poll=0.01) as reader,
        site(reader, None) as served,
    ):
        for sha256 in (model_file.read(SHIPPED).sha256, new.sha256):
            model = served.ask("/api/model").json
            assert model["sha256"] == sha256
            assert served.ask("/api/read", picture).json["model"] == sha256[:12]
            assert f'sha256="{sha256}"' in served.ask("/metrics").body.decode()
            assert served.ask("/readyz").status == 200
            if sha256 != new.sha256:
                data = (tmp_path / "new.tflite").read_bytes()
                changes.install(tmp_path / "models", data, Entry(id=new.sha256[:12]))
                assert "reads from now on" in notes.get(timeout=30)
        assert model["bytes"] == len(data)
