import numpy as np
import pytest

from benchmarks.common.full import FullReader, probabilities
from edge_runtime.pages.draw import draw_page
from edge_runtime.records import Uint8
from tests.benchmarks import tiny_build


def test_the_full_reader_asks_the_full_network(digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    network = tiny_build.network()
    with FullReader(network, None) as reader:
        trace = reader.trace(draw_page(images[:6], labels[:6], np.random.default_rng(1)).pixels)
    assert len(trace.images)
    assert trace.confidences == pytest.approx(probabilities(network, trace.images), abs=1e-6)
