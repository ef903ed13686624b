import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import ModelCorrupt, ModelError
from edge_runtime.inference import model_file
from edge_runtime.inference.contract import BLANK, COLUMNS, ROWS
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.ctc import greedy


def test_the_shipped_line_network_reads_its_strips() -> None:
    model = model_file.read(model_file.SHIPPED)
    assert model.line is not None
    golden, network = model.golden(), LineNetwork(model.path, model.line, 1)
    for strip, scores in zip(golden["line_inputs"], golden["line_outputs"], strict=True):
        answered = network.scores(strip)
        assert answered.shape == (COLUMNS // 2, BLANK + 1)
        assert np.abs(answered.astype(int) - scores.astype(int)).max() <= 2
        probabilities = network.probabilities(strip)
        assert np.allclose(probabilities.sum(axis=1), 1)
        assert greedy(probabilities) == greedy(answered)
    network.close()
    network.close()
    with pytest.raises(ValueError, match="closed"):
        network.scores(np.zeros((ROWS, COLUMNS), np.uint8))


def test_another_network_in_its_place_is_refused() -> None:
    model = model_file.read(model_file.SHIPPED)
    with pytest.raises(ModelError, match="has a line network with unsupported input"):
        LineNetwork(model.path, model.flatbuffer, 1)


def test_a_line_network_unlike_the_card_is_refused(tmp_path: Path) -> None:
    model = model_file.read(model_file.SHIPPED)
    path = tmp_path / "model.tflite"
    model_file.write(path, model.flatbuffer, dict(model.card or {}), model.golden(), model.line)
    card = json.loads(zipfile.ZipFile(path).read("card.json"))
    card["line_network"]["sha256"] = "0" * 64
    model_file.add_to_card(path, line_network=card["line_network"])
    with pytest.raises(ModelCorrupt, match="its line network does not match its card"):
        model_file.read(path)
