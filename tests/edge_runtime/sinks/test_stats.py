import re
from dataclasses import replace

import numpy as np
import pytest

from edge_runtime import DigitReader
from edge_runtime.records import Frame
from edge_runtime.sinks.stats import Stats
from tests.log import Log


def test_a_line_covers_the_time_since_the_last(reader: DigitReader, messages: Log) -> None:
    stats = Stats(interval=0.0)
    frame = Frame(np.full((48, 64), 200, np.uint8))
    trace = reader.trace(frame)
    stats.frame(frame, trace)
    aged = replace(trace, reading=replace(trace.reading, age_ms=12.4, dropped=3))
    stats.frame(frame, aged)
    stats.close()
    stages = r"ms: ink [\d.]+, locate [\d.]+, normalize [\d.]+, classify [\d.]+, total [\d.]+"
    assert len(messages) == 2
    assert re.fullmatch(rf"[\d.]+ frames a second; {stages}; 0 digits, 0 events", messages[0])
    assert re.fullmatch(
        rf"[\d.]+ frames a second; {stages}; age 12 ms, at most 12; 3 dropped; 0 digits, 0 events", messages[1]
    )


@pytest.mark.parametrize("frames", [0, 3])
def test_what_is_left_is_told_at_the_end(reader: DigitReader, frames: int, messages: Log) -> None:
    stats = Stats()
    frame = Frame(np.full((48, 64), 200, np.uint8))
    for _ in range(frames):
        stats.frame(frame, reader.trace(frame))
    assert messages == []
    stats.close()
    assert len(messages) == (1 if frames else 0)


def test_a_still_scene_is_told_of_too(reader: DigitReader, messages: Log) -> None:
    stats = Stats(interval=0.0)
    stats.still(Frame(np.full((48, 64), 200, np.uint8)))
    assert len(messages) == 1
    assert "; 1 still; 0 digits" in messages[0]
    assert not stats.output
