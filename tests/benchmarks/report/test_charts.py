"""The charts of a report: what is drawn where, and how amounts are written."""

import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from benchmarks.charts import batches, distributions, models, stages, svg
from benchmarks.charts import ratios as charts_ratios
from benchmarks.charts.models import Model
from benchmarks.charts.scales import duration, logarithmic, number, size, times
from edge_runtime.bench.result import Ratio, timed


@pytest.mark.parametrize(
    ("nanoseconds", "written"),
    [(13_780, "13.8 µs"), (999.6, "1 µs"), (999.4, "999 ns"), (0.5, "0.5 ns"), (1.6e6, "1.6 ms"), (3.15e9, "3.15 s"),
     (1234e9, "1,230 s"), (0, "0 ns")],
)  # fmt: skip
def test_a_time_has_three_digits_and_its_unit(nanoseconds: float, written: str) -> None:
    assert duration(nanoseconds) == written


def test_sizes_counts_and_ratios_are_readable() -> None:
    assert [size(value) for value in (104_857, 999_999, 2.1e9, 12)] == ["105 kB", "1 MB", "2.1 GB", "12 B"]
    assert [number(value) for value in (96e9, 115_000, 7)] == ["96 G", "115 k", "7"]
    assert [times(value) for value in (0.934, 9.994, 9.996, 12.34, 99.96, 3540.4)] == [
        "0.93", "9.99", "10.0", "12.3", "100", "3,540"
    ]  # fmt: skip
    assert charts_ratios.interval(Ratio(2.314, 2.2, 13.0)) == "2.31 (2.20-13.0)"


@pytest.mark.parametrize(("low", "high"), [(10, 13), (10, 40), (10, 500), (1, 1e4), (1e3, 1e9)])
def test_a_logarithmic_axis_always_has_few_labels(low: float, high: float) -> None:
    figure, axes = plt.subplots()
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    logarithmic(axes.xaxis, duration)
    figure.draw_without_rendering()
    left, right = axes.get_xlim()
    labels = [label.get_text() for tick, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
              if left <= tick <= right]  # fmt: skip
    assert 2 <= len(labels) <= 9
    assert len(set(labels)) == len(labels)
    assert all(re.fullmatch(r"[\d.,]+ (ns|µs|ms|s)", label) for label in labels)
    plt.close(figure)


def texts(figure: Figure) -> list[str]:
    return [text for axes in figure.axes for each in axes.texts if (text := each.get_text())]


@pytest.mark.parametrize("wide", [True, False])
def test_values_are_lines_and_the_median_a_bar(wide: bool) -> None:
    figure = distributions.draw({"one": timed("x", [[10e3, 12e3], [11e3]]), "other": timed("y", [[3e6]])}, wide)
    (axes,) = figure.axes
    values, bar = axes.lines[0], axes.lines[1]
    drawn = np.asarray(values.get_xdata(), float)
    assert np.unique(drawn[~np.isnan(drawn)]).tolist() == [10e3, 11e3, 12e3]
    assert np.asarray(bar.get_xdata()).tolist() == [11e3, 11e3]
    written = texts(figure)
    assert {"11 µs", "3 ms"} <= set(written)
    assert ("one" in written) != wide  # beside the strips where there is room, else above them
    low, high = axes.get_ylim()
    assert low > high  # the first at the top
    plt.close(figure)


def test_of_many_values_the_ends_are_drawn_too() -> None:
    rng = np.random.default_rng(1)
    block = rng.uniform(1, 2, 5000).tolist()
    figure = distributions.draw({"x": timed("x", [block])}, True)
    drawn = np.asarray(figure.axes[0].lines[0].get_xdata(), float)
    drawn = np.unique(drawn[~np.isnan(drawn)])
    assert len(drawn) == distributions.DRAWN
    assert (drawn.min(), drawn.max()) == (min(block), max(block))
    plt.close(figure)


MODELS = [
    Model("edge int8", 99.45, 20e3, 700e3, True), Model("edge float32", 99.47, 130e3, 2.7e6, True),
    Model("Keras model(x)", 99.47, 13e6, 2.8e6, False), Model("Keras predict", 99.47, 120e6, 2.8e6, False),
    Model("only sized", 99.0, None, 1e6, False),
]  # fmt: skip


def test_what_stands_at_one_place_has_one_name() -> None:
    figure = models.draw(MODELS, True)
    time, room = figure.axes
    assert sorted(each.get_text() for each in time.texts) == [
        "Keras model(x)", "Keras predict", "edge float32", "edge int8"
    ]  # fmt: skip
    assert sorted(each.get_text() for each in room.texts) == [
        "Keras model(x), predict", "edge float32", "edge int8", "only sized"
    ]  # fmt: skip
    assert time.get_xlim()[0] < 20e3 < 120e6 < time.get_xlim()[1]
    plt.close(figure)


def test_on_a_phone_a_legend_explains_numbered_points() -> None:
    figure = models.draw(MODELS, False)
    assert sorted(each.get_text() for each in figure.axes[1].texts) == ["1", "2", "3, 4", "5"]
    assert [each.get_text() for each in figure.axes[2].texts] == [
        f"{i}  {model.name}" for i, model in enumerate(MODELS, 1)
    ]
    plt.close(figure)


def test_a_panel_without_points_is_left_out() -> None:
    figure = models.draw([model._replace(nanoseconds=None) for model in MODELS], True)
    (only,) = figure.axes
    assert "size" in only.get_xlabel()
    plt.close(figure)


@pytest.mark.parametrize(
    ("names", "joined"),
    [
        (["numpy"], "numpy"),
        (["OpenCV dnn"], "OpenCV dnn"),
        (["Keras a", "Keras b", "Keras c"], "Keras a, b, c"),
        (["ONNX Runtime float32", "OpenCV dnn"], "ONNX Runtime float32, OpenCV dnn"),
        (["one", "one two"], "one, one two"),
    ],
)
def test_words_that_all_begin_with_are_written_once(names: list[str], joined: str) -> None:
    assert models.joined(names) == joined


def test_names_do_not_cover_each_other() -> None:
    crowd = [Model(f"some runtime {i}", 99.5, 20e3 * 1.03**i, None, i % 2 == 0) for i in range(5)]
    crowd.append(Model("far away", 99.4, 1e8, None, False))
    figure = models.draw(crowd, True)
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [Text.get_window_extent(each, renderer) for each in figure.axes[0].texts]
    assert len(boxes) == 6
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    plt.close(figure)


@pytest.mark.parametrize("wide", [True, False])
def test_ratios_show_their_interval(wide: bool) -> None:
    ratios = {"slow": Ratio(3540, 3400, 3700), "equal": Ratio(1.0, 0.9, 1.1), "unknown": Ratio(2, 2, float("inf"))}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = charts_ratios.draw(ratios, "ours", wide)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    assert {"3,540 (3,400-3,700)", "1.00 (0.90-1.10)"} <= set(texts(figure))
    assert axes.get_xlabel() == "time, as a multiple of ours, logarithmic"
    low, high = axes.get_xlim()
    assert low < 0.9
    assert 3700 < high < np.inf
    plt.close(figure)


@pytest.mark.parametrize("wide", [True, False])
def test_pieces_of_a_strip_are_shares_of_it(wide: bool) -> None:
    figure = stages.draw({"640x480": {"ink": 3e6, "locate": 1e6}}, {"640x480": 4.1e6}, wide)
    (axes,) = figure.axes
    assert [(each.get_x(), each.get_width()) for each in axes.patches] == [(0, 75), (75, 25)]  # type: ignore[attr-defined]
    assert texts(figure) == ["ink 3 ms", "locate 1 ms" if wide else "1 ms", "640x480: 4.1 ms"]
    plt.close(figure)


def test_batches_are_drawn_as_time_of_a_digit() -> None:
    figure = batches.draw({"int8": {1: timed("a", [[10.0]]), 4: timed("b", [[20.0, 20.0, 28.0]])}}, True)
    (line,) = figure.axes[0].lines
    assert np.asarray(line.get_xdata()).tolist() == [1, 4]
    assert np.asarray(line.get_ydata()).tolist() == [10, 5]
    plt.close(figure)


def draw(wide: bool) -> Figure:
    figure, axes = plt.subplots(figsize=(svg.WIDE / 2, 2) if wide else (svg.NARROW, 2))
    axes.plot([0, 1], color="black", marker="o", clip_on=True)
    axes.set_title("a < b & c", color="#123456")
    return figure


def test_a_drawing_is_html_of_its_own() -> None:
    before = plt.get_fignums()
    html = svg.chart("some", 'words & "more"', draw)
    wide, narrow = re.findall(r'<div class="chart (\w+)">\s*<svg', html)
    assert (wide, narrow) == ("wide", "narrow")
    assert set(re.findall(r'\bid="(some-wide-|some-narrow-)', html)) == {"some-wide-", "some-narrow-"}
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)
    assert re.findall(r"max-width:(\d+)%", html) == ["50", "100"]
    assert 'aria-label="words &amp; &quot;more&quot;"' in html
    assert "a &lt; b &amp; c" in html
    assert "#123456" in html
    for gone in ("<?xml", "<!DOCTYPE", "xmlns", "<metadata", "<style", "#000000"):
        assert gone not in html
    assert plt.get_fignums() == before


def test_a_drawing_is_the_same_each_time() -> None:
    assert svg.inline("x", "y", draw, True) == svg.inline("x", "y", draw, True)
