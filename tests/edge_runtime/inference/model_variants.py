"""Models that are not the one that ships: made from it, so that they read as well, or broken in a way of their own."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import SHIPPED, ModelFile
from edge_runtime.store import catalog, install
from edge_runtime.store.install import Trust

# Behaves as LiteRT does, but for models that say otherwise at the end of their flatbuffer.
INTERPRETER = """
import importlib.util, os, signal, time
spec = importlib.util.spec_from_file_location("ai_edge_litert.real", {real!r} + "/interpreter.py")
real = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real)

class Interpreter(real.Interpreter):
    def __init__(self, model_content, **settings):
        self.end, self.good = model_content[-40:], int(os.environ.get("GOOD_CALLS", "0"))
        super().__init__(model_content=model_content, **settings)

    def invoke(self):
        self.good -= 1
        if self.good < 0 and b"crash" in self.end:
            os.kill(os.getpid(), signal.SIGSEGV)
        while self.good < 0 and b"hang" in self.end:
            time.sleep(3600)
        if self.good < 0 and b"raise" in self.end:
            raise RuntimeError("node 3 failed to invoke")
        super().invoke()
"""


def variant(path: Path, tail: str = "variant", *, wrong: bool = False, **card: Any) -> ModelFile:
    """Write a model that is another one by the `tail` of its flatbuffer, which no interpreter looks at; return it.

    `wrong` gives it the golden answers of other inputs; `card` changes what its card says.
    """
    shipped = model_file.read(SHIPPED)
    golden = shipped.golden()
    if wrong:
        golden["outputs"] = np.roll(golden["outputs"], 1, axis=0)
    assert shipped.card is not None
    model_file.write(path, shipped.flatbuffer + tail.encode(), {**shipped.card, **card}, golden)
    return model_file.read(path) if "contract" not in card else shipped


def fragile_interpreter(folder: Path) -> Path:
    """Make a folder to be imported from first: models crash, hang or raise there, after $GOOD_CALLS that do not."""
    spec = importlib.util.find_spec("ai_edge_litert")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    real = spec.submodule_search_locations[0]
    package = folder / "ai_edge_litert"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"__path__.append({real!r})\n")
    (package / "interpreter.py").write_text(INTERPRETER.format(real=real))
    return folder


def filled_store(folder: Path) -> Path:
    """Return a store in which a model reads."""
    variant(folder / "first.tflite", "first")
    install.install(str(folder / "first.tflite"), folder / "models", Trust())
    return folder / "models"


def refusal(
    folder: Path, name: Path | str, kind: type[Exception] = ModelError, trust: Trust | None = None, seconds: float = 60
) -> str:
    """Return why a model is not installed in the store in `folder`; nothing has changed by it."""
    before = [*sorted(folder.iterdir()), catalog.pointer(folder), (folder / "history.json").read_bytes()]
    with pytest.raises(kind) as error:
        install.install(str(name), folder, trust or Trust(), seconds)
    assert [*sorted(folder.iterdir()), catalog.pointer(folder), (folder / "history.json").read_bytes()] == before
    assert "/edge-digits-" not in str(error.value)  # by its own name, not by that of the copy that was tried
    return str(error.value)
