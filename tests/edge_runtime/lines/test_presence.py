from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import edge_runtime
from edge_runtime import DigitReader
from edge_runtime.inference import model_file
from edge_runtime.inference.line_network import LineNetwork
from edge_runtime.lines.numbers import NumberWeights
from edge_runtime.lines.presence import Seen, see
from edge_runtime.sources import pictures
from edge_runtime.trace import Trace
from edge_runtime.vision.rejection import PART_OF_WORD

PAPER = Path(edge_runtime.__file__).parent / "samples" / "paper.jpg"


@pytest.fixture(scope="module")
def network() -> Iterator[LineNetwork]:
    model = model_file.read(model_file.SHIPPED)
    assert model.line is not None
    with closing(LineNetwork(model.path, model.line, 1)) as made:
        yield made


@pytest.fixture(scope="module")
def trace() -> Trace:
    with DigitReader(check="never") as reader:
        return reader.trace(pictures.load(PAPER))


def seen(network: LineNetwork, trace: Trace, most: int) -> tuple[list[int], Seen]:
    rows = [row for row, reason in enumerate(trace.reasons) if reason is None]
    return rows, see(network, [[row] for row in rows], trace.glyphs, trace.planes, most)


def test_the_network_sees_the_digits_of_a_page(network: LineNetwork, trace: Trace) -> None:
    rows, found = seen(network, trace, 200)
    assert rows
    assert np.median(found.presence[rows]) > 0.9
    assert found.line[rows].tolist() == list(range(len(rows)))
    assert ((found.presence >= 0) & (found.presence <= 1)).all()


def test_without_a_strip_left_no_glyph_is_seen(network: LineNetwork, trace: Trace) -> None:
    _, found = seen(network, trace, 0)
    assert (found.line == -1).all()


def test_no_line_is_no_strip(network: LineNetwork, trace: Trace) -> None:
    found = see(network, [], trace.glyphs, trace.planes, 5)
    assert (found.line == -1).all()


def test_the_evidence_decides_what_is_printed() -> None:
    frame = pictures.load(PAPER)
    with DigitReader() as reader:
        plain = reader.read(frame)
        reader.number_weights = NumberWeights(0.0, 1.0, 0.0, 0.0, 99.0, 0.0, 0.0)  # the glyph's own odds, and any line
        same = reader.trace(frame)
        reader.number_weights = reader.number_weights._replace(glyph=-99.0)
        letters = reader.trace(frame).reading
        reader.number_weights = NumberWeights(0.0, 1.0, 0.0, 0.0, -99.0, 0.0, 0.0)
        words = reader.read(frame)
    assert same.reading.text == plain.text
    assert same.known is not None
    assert same.known.kept.sum() == len(plain.digits)
    for reading in (letters, words):
        assert not reading.digits
        assert sum(each.reason == PART_OF_WORD for each in reading.rejected) >= len(plain.digits)
