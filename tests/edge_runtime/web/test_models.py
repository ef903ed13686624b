"""A server whose model becomes another one: what it answers is of the one that reads."""

from pathlib import Path

from edge_runtime import DigitReader
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import changes
from edge_runtime.store.history import Entry
from edge_runtime.store.hot_swap import HotSwapReader
from tests.edge_runtime.inference.model_variants import variant
from tests.edge_runtime.web.site import site
from tests.log import Log


def test_the_server_names_the_model_that_reads(tmp_path: Path, samples: Path, messages: Log) -> None:
    new = variant(tmp_path / "new.tflite", "new")
    picture = (samples / "digit.png").read_bytes()
    with (
        HotSwapReader(tmp_path / "models", lambda path, warmed: DigitReader(path), poll=0.01) as reader,
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
                changes.install(tmp_path / "models", data, Entry(id=new.id))
                messages.wait(lambda lines: any("is in use now" in line for line in lines))
        assert model["bytes"] == len(data)
