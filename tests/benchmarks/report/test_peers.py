"""What a report says of peers: ratios, what is asked of them, the limit of a core, and what each takes."""

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import peers
from benchmarks.report.models import Row, rows
from benchmarks.report.results import Absent, Results, collect
from edge_runtime.bench.result import Measure, Ratio, figure, timed
from tests.benchmarks import sample_results

MICROSECONDS = {"bare LiteRT": 10.0, "Classifier.scores": 11.0, "Classifier.confidences": 17.0,
                "ONNX Runtime static int8": 33.0, "ONNX Runtime static int8, run()": 44.0,
                "ONNX Runtime dynamic int8": 16.5, "OpenCV dnn": 55.0, "numpy": 27.5,
                "Keras model(x)": 1100.0, "Keras predict": 55_000.0}  # fmt: skip


def constant(name: str, micros: float) -> Measure:
    """Return a time whose samples are all alike, so that ratios are exact."""
    return timed(name, [[1e3 * micros] * 3] * 2, paired="one digit")


def results(tmp_path: Path, *more: Measure, left_out: str = "") -> Results:
    measures = [constant(f"one digit/{name}", micros) for name, micros in MICROSECONDS.items() if name != left_out]
    sample_results.write(tmp_path / "peers" / "peers.json", "peers", [*measures, *more])
    return collect(tmp_path)


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL))


def test_what_is_asked_is_held_against_the_interval(tmp_path: Path) -> None:
    body = "\n".join(peers.peers(results(tmp_path)))
    table = body[body.index("Requirements</h3>") :]
    cells = [re.sub(r"<[^>]+>", "|", line) for line in table.split("</tr>")]
    table_rows = [[cell for cell in line.split("|") if cell.strip()] for line in cells]
    assert [line for line in table_rows if len(line) == 4 and line[1] != "measured"] == [
        ["Classifier.scores, as a multiple of bare LiteRT", "1.10 (1.10-1.10)", "at most 1.05", "no"],
        ["Classifier.confidences, as a multiple of bare LiteRT", "1.70 (1.70-1.70)", "at most 1.3", "no"],
    ]
    assert "5.00 (5.00-5.00)" in "".join(re.findall(r"<svg.*?</svg>", body, re.DOTALL))


def test_the_limit_is_the_slower_of_both(tmp_path: Path) -> None:
    parts = [
        constant("limit/reading", 5.5), constant("limit/products", 2.0), figure("limit/weight bytes", 118_000, "B"),
        figure("limit/multiply-adds", 115_000, "1"), figure("limit/bytes from the cache a second", 21e9, "1/s"),
        figure("limit/int8 multiply-adds a second", 57e9, "1/s"),
        figure("limit/bytes from memory a second", 9.5e9, "1/s"),
    ]  # fmt: skip
    body = "\n".join(peers.roofline(results(tmp_path, *parts)))
    drawn = "".join(re.findall(r"<svg.*?</svg>", body, re.DOTALL))
    assert "2.00 (2.00-2.00)" in drawn  # Classifier.scores
    assert "10.0 (10.0-10.0)" in drawn  # OpenCV
    assert "Keras" not in drawn
    text = plain(body)
    assert "5.5 µs, the roofline. From memory, beyond all caches, it reads 9.5 GB a second." in text
    assert re.search(r"weights and biases from the cache\s+118 kB\s+5.5 µs\s+21 GB a second", text)
    assert re.search(r"int8 multiply-adds\s+115 k\s+2 µs\s+57 G a second", text)


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    collected = results(tmp_path)
    with pytest.raises(Absent, match="rates"):
        peers.roofline(collected)
    with pytest.raises(Absent, match="environments"):
        peers.footprint(collected)
    with pytest.raises(Absent, match=r"Classifier\.scores"):
        peers.peers(results(tmp_path, left_out="Classifier.scores"))


def test_a_footprint_lacks_what_the_system_hides(tmp_path: Path) -> None:
    parts: list[Any] = [
        figure("footprint/LiteRT size", 50e6, "B"), timed("footprint/LiteRT import", [[1e8]]),
        figure("footprint/ONNX Runtime size", 125e6, "B"), timed("footprint/ONNX Runtime import", [[2e8]]),
        figure("footprint/ONNX Runtime memory", 80e6, "B"),
    ]  # fmt: skip
    text = plain("\n".join(peers.footprint(results(tmp_path, *parts))))
    assert re.search(r"LiteRT\s+50 MB\s+100 ms\s+ONNX Runtime\s+125 MB \(2\.50\)\s+200 ms \(2\.00\)\s+80 MB\s", text)


def test_rows_are_of_one_run_ours_marked(tmp_path: Path) -> None:
    sample_results.parity(tmp_path / "standard" / "parity.json")
    sample_results.peers(tmp_path / "peers" / "peers.json")
    rows_by_name = {row.name: row for row in rows(collect(tmp_path))}
    assert list(rows_by_name)[:3] == ["int8 Classifier.scores", "int8 Classifier.confidences", "int8 bare LiteRT"]
    assert [name for name, row in rows_by_name.items() if row.ours] == [
        "int8 Classifier.scores", "int8 Classifier.confidences", "int8 bare LiteRT", "LiteRT float32",
        "LiteRT float16", "LiteRT dynamic int8",
    ]  # fmt: skip
    assert {name for name, row in rows_by_name.items() if not row.is_point} == {
        "int8 Classifier.confidences", "int8 bare LiteRT", "ONNX Runtime static int8, run()"
    }  # fmt: skip
    assert rows_by_name["int8 Classifier.scores"].ratio == Ratio(1, 1, 1)
    assert rows_by_name["OpenCV dnn"].accuracy == 99.51


def test_rows_are_the_recipes_and_the_full_network(tmp_path: Path) -> None:
    sample_results.parity(tmp_path / "standard" / "parity.json")
    sample_results.latency(tmp_path / "latency" / "latency.json")
    all_rows = rows(collect(tmp_path))
    assert [row.name for row in all_rows] == [
        "int8", "dynamic", "float16", "float32", "Keras model(x)", "Keras tf.function", "Keras predict"
    ]  # fmt: skip
    assert [row.accuracy for row in all_rows] == [99.49, 99.5, 99.51, 99.51, 99.51, 99.51, 99.51]
    assert all_rows[0].ratio == Ratio(1, 1, 1)
    assert all_rows[-1].unstable
    ratio = all_rows[4].ratio
    assert ratio is not None
    assert ratio.low <= ratio.value <= ratio.high
    assert all_rows[4] == Row("Keras model(x)", 99.51, None, None, all_rows[4].nanoseconds, Ratio(*ratio), False, False)
