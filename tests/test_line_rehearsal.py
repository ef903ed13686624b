"""Every step of the line network, from a few lines: trained, resumed, converted, compared, put into a model file."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from benchmarks.accuracy import lines
from edge_runtime import DigitReader
from edge_runtime.inference import model_file
from edge_runtime.sources.pictures import load
from tests.builds import python

pytestmark = pytest.mark.slow
FEW = ("--epochs", "2", "--lines", "128")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("line")
    done = python("-m", "train.line", "--output", folder, *FEW)
    assert done.code == 0, done.err
    assert "epoch 2/2: loss" in done.err
    done = python("-m", "convert.line", folder)
    assert done.code == 0, done.err
    return folder


def test_the_record_says_how_it_was_trained(build: Path) -> None:
    record = json.loads((build / "line.json").read_text(encoding="utf-8"))
    assert {name: record[name] for name in ("recipe", "epochs", "lines", "seed", "rate", "done")} == {
        "recipe": "line", "epochs": 2, "lines": 128, "seed": 1, "rate": 0.002, "done": 2,
    }  # fmt: skip
    assert 0 <= record["held_out_exact"] <= 1


def test_finished_steps_are_kept_other_settings_refused(build: Path) -> None:
    before = (build / "line.keras").read_bytes()
    done = python("-m", "train.line", "--output", build, *FEW, "--resume")
    assert done.code == 0, done.err
    assert (build / "line.keras").read_bytes() == before
    done = python("-m", "train.line", "--output", build, "--epochs", "3", "--resume")
    assert done.code == 4
    assert "has other settings" in done.err


def test_another_network_may_be_the_start(build: Path, tmp_path: Path) -> None:
    before = build / "line.keras"
    done = python("-m", "train.line", "--output", tmp_path, "--start", before, "--epochs", "1", "--lines", "64")
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "line.json").read_text(encoding="utf-8"))
    assert record["start"] == hashlib.sha256(before.read_bytes()).hexdigest()
    done = python("-m", "train.line", "--output", tmp_path, "--start", build / "line.json", "--epochs", "1")
    assert done.code == 4
    assert "cannot start from" in done.err


def test_training_goes_on_from_the_shipped_network(tmp_path: Path) -> None:
    shipped = model_file.SHIPPED
    few = "--epochs", "1", "--lines", "64", "--start", shipped, "--average", shipped
    done = python("-m", "train.line", "--output", tmp_path, *few)
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "line.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(shipped.read_bytes()).hexdigest()
    assert (record["start"], record["averaged_with"]) == (digest, digest)
    assert record["held_out_exact"] > 0.3  # one step from the network that ships
    averaged = (tmp_path / "line.keras").read_bytes()
    done = python("-m", "train.line", "--output", tmp_path, *few, "--resume")
    assert done.code == 0, done.err
    assert (tmp_path / "line.keras").read_bytes() == averaged  # not averaged twice
    done = python("-m", "train.line", "--output", tmp_path, *few[:4], "--resume")  # without --start and --average
    assert done.code == 4
    assert "has other settings" in done.err


def test_what_cannot_be_averaged_is_said_first(build: Path, tmp_path: Path) -> None:
    start = "--output", tmp_path / "out", "--start", build / "line.keras"
    done = python("-m", "train.line", *start, "--average", build / "line.json")
    assert done.code == 4
    assert done.err.strip().splitlines()[-1].startswith("error: ")
    assert "epoch" not in done.err
    done = python("-m", "train.line", "--output", tmp_path / "out", "--average", model_file.SHIPPED)
    assert done.code == 2
    assert "--average requires --start" in done.err


def test_a_model_file_takes_it_and_reads_on(build: Path, tmp_path: Path, samples: Path) -> None:
    model = Path(shutil.copy(model_file.SHIPPED, tmp_path / "model.tflite"))
    done = python("-m", "convert.line", build, "--into", model)
    assert done.code == 0, done.err
    attached, shipped = model_file.read(model), model_file.read(model_file.SHIPPED)
    assert attached.line == (build / "line-int8.tflite").read_bytes()
    assert attached.sha256 == shipped.sha256
    assert (attached.card or {})["line_network"]["training"]["epochs"] == 2
    assert attached.golden()["line_outputs"].shape == (8, 128, 11)
    with DigitReader(model, check="always") as reader:
        trace = reader.trace(load(samples / "paper.jpg"))
    assert trace.reading.lines
    assert all(trace.checks)


def test_the_gate_measures_drawn_lines(build: Path) -> None:
    missed = " ".join(lines.run(build).missed)
    record = json.loads((build / "lines.json").read_text(encoding="utf-8"))
    assert record["settings"]["lines"] == 5120
    values = {measure["name"]: measure["value"] for measure in record["measures"]}
    assert ("agreement" in missed) == (values["agreement"] < 92)
    assert ("drop" in missed) == (values["drop"] > 0.5)
    assert values["drop"] == pytest.approx(values["full"] - values["int8"])


def test_what_is_no_network_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "line.keras").write_bytes(b"nothing")
    done = python("-m", "convert.line", tmp_path)
    assert done.code == 4
    assert done.err.strip().splitlines()[-1].startswith("error: cannot load")
