"""The parity gate, over a real build: it passes, and it fails where a model was damaged."""

import json
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.common import limits
from convert import calibration, package, quantize
from convert.fold import fold
from convert.layers import Dense
from convert.recipes import CONVERSIONS
from edge_runtime.bench import result
from edge_runtime.inference import model_file
from edge_runtime.system.native_logs import stderr_silenced
from tests.commands import Call

NAMES = list(CONVERSIONS)


def card(folder: Path, name: str) -> dict[str, Any]:
    return model_file.read(folder / f"digits-{name}.tflite").card or {}


def flatbuffer(folder: Path, name: str) -> bytes:
    return model_file.read(folder / f"digits-{name}.tflite").flatbuffer


def damage(folder: Path, factor: float, units: int) -> None:
    """Convert to int8 anew, with the weights into the first hidden units multiplied by `factor`."""
    first, *rest = fold(keras.models.load_model(folder / "digits.keras"))
    kernel = first.kernel.copy()
    kernel[:, :units] *= factor
    digits = calibration.choose()
    with stderr_silenced():
        made = quantize.quantize([Dense(kernel, first.bias), *rest], CONVERSIONS["int8"], digits.images)
    run = json.loads((folder / "run.json").read_text())
    package.package(folder / "digits-int8.tflite", made, package.card(CONVERSIONS["int8"], digits, run))


def test_good_build_passes_and_the_cards_say_so(smoke_build: Path, smoke_copy: Path, call: Call) -> None:
    done = call(main, "parity", smoke_copy)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == f"every limit is met; {smoke_copy / 'parity.json'} holds the figures"
    assert [line.split()[0] for line in done.out.splitlines()[:-1]] == ["model", "full", *NAMES]
    written = result.read(smoke_copy / "parity.json")
    record = written["details"]
    assert (record["passed"], record["missed"]) == (True, [])
    assert (written["benchmark"], written["warnings"]) == ("parity", [])
    assert written["settings"] == {"split": "MNIST test", "recipe": "smoke"}
    assert written["environment"]["model"] == model_file.read(smoke_copy / "digits-int8.tflite").id
    measures = result.measures(written)
    run = json.loads((smoke_copy / "run.json").read_text())
    for name in NAMES:
        figures, measured = record["models"][name], card(smoke_copy, name)["measured"]
        assert figures["full_accuracy"] == pytest.approx(100 * run["test_accuracy"])
        assert measures[f"{name}/accuracy"].of == measures[f"{name}/agreement"].of == 10_000
        assert measures[f"{name}/accuracy"].value == pytest.approx(figures["accuracy"])
        assert 10_000 - (measures[f"{name}/agreement"].count or 0) == len(figures["flipped"])
        assert measured["split"] == "MNIST test, 10,000 digits"
        for figure in ("accuracy", "full_accuracy", "drop", "agreement", "mcnemar_p", "largest_difference"):
            assert measured[figure] == pytest.approx(figures[figure], abs=1e-6)
        bins = measured["reliability"]["bins"]
        assert sum(count for _, _, count in bins) == 10_000
        assert sum(share * count for _, share, count in bins) / 100 == pytest.approx(figures["accuracy"], abs=0.01)
        # Nothing but what was measured has changed.
        assert flatbuffer(smoke_copy, name) == flatbuffer(smoke_build, name)
        assert {**card(smoke_copy, name), "measured": None} == card(smoke_build, name)
        assert (smoke_copy / "report" / f"flipped-{name}.png").exists() == bool(figures["flipped"])


@pytest.mark.slow
def test_gate_that_was_passed_is_passed_again(smoke_copy: Path, call: Call) -> None:
    assert call(main, "parity", smoke_copy).code == 0
    before = {name: (smoke_copy / f"digits-{name}.tflite").read_bytes() for name in NAMES}
    assert call(main, "parity", smoke_copy).code == 0
    assert {name: (smoke_copy / f"digits-{name}.tflite").read_bytes() for name in NAMES} == before


@pytest.mark.parametrize(("factor", "units"), [(0.0, 20), (0.0, 128)], ids=["a little", "beyond recognition"])
def test_damaged_model_fails_and_nothing_is_removed(smoke_copy: Path, call: Call, factor: float, units: int) -> None:
    damage(smoke_copy, factor, units)
    before = {path.name: path.read_bytes() for path in smoke_copy.glob("digits*")}
    done = call(main, "parity", smoke_copy)
    assert done.code == 5
    record = result.read(smoke_copy / "parity.json")["details"]
    figures = record["models"]["int8"]
    drop = re.search(r"int8: drop ([\d.]+) points, ([\d.]+) above the limit of 0.10", done.err)
    assert drop is not None
    assert float(drop[1]) == pytest.approx(figures["drop"], abs=0.006)
    assert float(drop[2]) == pytest.approx(figures["drop"] - 0.10, abs=0.006)
    assert f"int8: agreement {figures['agreement']:.2f} %" in done.err
    assert re.fullmatch(r"error: the parity gate is missed: int8: .*\n", done.err)
    assert "float32:" not in done.err
    assert record["passed"] is False
    assert record["missed"] == done.err.removeprefix("error: the parity gate is missed: ").strip().split("; ")
    assert {path.name: path.read_bytes() for path in smoke_copy.glob("digits*")} == before
    assert all(card(smoke_copy, name)["measured"] is None for name in NAMES)
    with Image.open(smoke_copy / "report" / "flipped-int8.png") as picture:
        picture.load()
        assert np.ptp(np.asarray(picture.convert("L"))) > 100


def test_picture_of_flipped_digits_goes_when_none_flips(smoke_copy: Path, call: Call) -> None:
    stale = smoke_copy / "report" / "flipped-float32.png"
    stale.write_bytes(b"from an earlier run")
    assert call(main, "parity", smoke_copy).code == 0
    assert result.read(smoke_copy / "parity.json")["details"]["models"]["float32"]["flipped"] == []
    assert not stale.exists()


def test_limits_come_from_the_file(
    smoke_copy: Path, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = limits.THRESHOLDS.read_text().replace("smoke = ", "smoke = 99.99  # ")
    (tmp_path / "thresholds.toml").write_text(text)
    monkeypatch.setattr(limits, "THRESHOLDS", tmp_path / "thresholds.toml")
    done = call(main, "parity", smoke_copy)
    assert done.code == 5
    assert re.fullmatch(
        r"error: the parity gate is missed: int8: accuracy [\d.]+ %, [\d.]+ below the limit of 99.99 %\n", done.err
    )


@pytest.mark.parametrize("name", ["digits.keras", "digits-int8.tflite"])
def test_missing_model_is_one_line(smoke_copy: Path, call: Call, name: str) -> None:
    (smoke_copy / name).unlink()
    done = call(main, "parity", smoke_copy)
    assert (done.code, done.out) == (4, "")
    assert re.fullmatch(rf"error: .*{name}.*\n", done.err)
    assert not (smoke_copy / "parity.json").exists()


def test_damaged_file_is_one_line(smoke_copy: Path, call: Call) -> None:
    path = smoke_copy / "digits-int8.tflite"
    data = bytearray(path.read_bytes())
    data[50_000] ^= 1
    path.write_bytes(data)
    line = call(main, "parity", smoke_copy).one_line(4)
    assert "digits-int8.tflite is damaged: its card says SHA-256" in line
