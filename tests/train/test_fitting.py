"""What the fits of weights have in common."""

import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edge_runtime.inference import model_file
from tests.commands import Call
from train import fitting, line_confidence, rejection
from train.dataset import DataError


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("module", [line_confidence, rejection])
def test_examples_of_one_kind_are_too_few(
    module: ModuleType, flag: bool, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Path(shutil.copy(model_file.SHIPPED, tmp_path / "model.tflite"))
    columns = [np.zeros((3, len(module.FEATURES))), *[np.zeros(3)] * (len(module.Sample._fields) - 2)]
    monkeypatch.setattr(module, "gather", lambda *_: module.Sample(*columns, np.full(3, flag)))
    done = call(module.main, "--model", model, "--write")
    assert done.code == DataError.exit_code
    assert "draw more pages" in done.err
    assert model.read_bytes() == model_file.SHIPPED.read_bytes()


def test_the_error_names_what_is_missing() -> None:
    with pytest.raises(DataError, match="5 pages contain no digit, or no other thing"):
        fitting.check_both(np.zeros(4, np.bool_), 5, "digit", "other thing")
    fitting.check_both(np.array([True, False]), 5, "digit", "other thing")


def test_every_fit_has_the_same_options(call: Call) -> None:
    for module in (line_confidence, rejection):
        shown = call(module.main, "--help").out
        assert shown.index("--pages") < shown.index("--model") < shown.index("--write")
