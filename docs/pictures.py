"""Draw the pictures of the documents: PYTHONPATH=. python docs/pictures.py [NAME...], by default all of them.

It needs an idle machine, whose times some pictures show.
"""

import io
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import edge_runtime
from benchmarks.accuracy.matching import match
from edge_runtime import DigitReader
from edge_runtime.pages.draw import Page, PageStyle, draw_page
from edge_runtime.records import Box, Frame, Uint8
from edge_runtime.sinks.draw import annotate
from edge_runtime.sinks.explain import explain
from edge_runtime.sources import pictures
from edge_runtime.system.atomic_files import write_whole
from edge_runtime.vision.normalize import normalize
from edge_runtime.vision.planes import ink_planes
from edge_runtime.vision.regions import find_regions
from tests.edge_runtime.web.process import served
from tests.edge_runtime.web.test_browser import draw
from train.conditions import style

SAMPLES = Path(edge_runtime.__file__).parent / "samples"
IMAGES = Path(__file__).parent / "images"
SEED = 17
TURNS = 50  # the fastest of these shows its times: the first ones warm up, and others may be disturbed
IDLE = 10  # milliseconds of a live frame: more shows that the machine is busy


def contract() -> None:
    """Draw a piece of a page, its ink, and what the network sees of each region."""
    page = pictures.load(SAMPLES / "blackboard.jpg").pixels
    _, chalk, *_ = ink_planes(page)  # the light ink at full size
    ink = chalk.ink
    regions = sorted(find_regions([chalk]), key=lambda region: (region.box.y // 90, region.box.x))[:7]
    bottom = max(region.box.bottom for region in regions) + 12
    figure = plt.figure(figsize=(10, 5.2), layout="constrained")
    rows = figure.subfigures(3, 1, height_ratios=[1.2, 1.2, 1])
    for row, picture, title in (
        (rows[0], page[:bottom, :, ::-1], "the picture"),
        (rows[1], ink[:bottom], "its light ink: 0 on the bare board, up to 255"),
    ):
        axes = row.subplots()
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, fontsize=10)
        axes.axis("off")
        for region in regions:
            x, y, width, height = region.box
            axes.add_patch(plt.Rectangle((x - 0.5, y - 0.5), width, height, fill=False, color="tab:orange"))
    rows[2].suptitle("28x28: long side 20, center of mass (orange) at pixel (14, 14)", fontsize=10)
    for axes, region in zip(rows[2].subplots(1, 7), regions, strict=True):
        assert region.ink is not None
        field = normalize(region.ink)
        moments = cv2.moments(field)
        axes.imshow(field, cmap="gray", vmin=0, vmax=255)
        axes.plot(moments["m10"] / moments["m00"], moments["m01"] / moments["m00"], "+", color="tab:orange", ms=12)
        axes.add_patch(plt.Rectangle((3.5, 3.5), 20, 20, fill=False, color="0.5", linestyle=":"))
        axes.axis("off")
    save(figure, "contract.png")


def reading() -> None:
    """Draw what `edge-digits read --annotate` makes of a sample page."""
    frame = pictures.load(SAMPLES / "paper.jpg")
    with DigitReader() as reader:
        drawn = annotate(frame, reader.read(frame))
    used = np.flatnonzero((drawn != frame.pixels).any(axis=(1, 2)))
    _, encoded = cv2.imencode(".jpg", drawn[: used[-1] + 30], (cv2.IMWRITE_JPEG_QUALITY, 85))
    write_whole(IMAGES / "reading.jpg", lambda temporary: temporary.write_bytes(encoded.tobytes()))


def explanation() -> None:
    """Draw what `edge-digits read --explain` makes of a page on which more is written than digits."""
    images, labels = _samples()
    rng = np.random.default_rng(4)
    which = rng.permutation(len(images))[:12]
    others = (("scribbles", 1), ("rules", 1), ("smudges", 1), ("dots", 2))
    style = PageStyle(size=(640, 320), touching=0.5, grain=0.0, distractors=others)
    page = draw_page(images[which], labels[which], rng, style)
    with DigitReader() as reader:
        traces = [reader.trace(Frame(page.pixels, "page.jpg")) for _ in range(TURNS)]
        drawn = explain(min(traces, key=lambda trace: trace.reading.ms.total), reader.classifier.labels)
    _, encoded = cv2.imencode(".png", drawn, (cv2.IMWRITE_PNG_COMPRESSION, 9))
    write_whole(IMAGES / "explain.png", lambda temporary: temporary.write_bytes(encoded.tobytes()))


# What a camera may bring: each page's title, and what differs from one that is easy to read.
EASY = PageStyle(
    size=(640, 360), digit_height=(78, 78), paper=(225, 225), inks=((35, 30, 30),), grain=2.0, shade=0.05,
    blur=(0.5, 0.5),
)  # fmt: skip
CUT, FAR = "bad: cut off by the edge", "bad: too far, 7 pixels high"
SHOTS: dict[str, dict[str, Any]] = {
    "good: sharp, near, even light": {},
    "good: half the light in a shadow": {"shadow": (0.5, 0.5), "penumbra": (12, 12)},
    CUT: {},
    "bad: hardly any light": {"paper": (20, 20), "contrast": (0.5, 0.5), "noise": (9, 9)},
    "bad: far too pale": {"contrast": (0.12, 0.12)},
    "bad: a lamp mirrored in the paper": {"glare": (255, 255)},
    "bad: out of focus": {"blur": (8, 8)},
    FAR: {},
    "bad: tilted by 40 degrees": {"tilt": (40, 40)},
}
READ, LOST = "#0072b2", "#d55e00"  # of Okabe and Ito: the color-blind tell them apart, and lines differ as well


def pages() -> None:
    """Draw the same ten digits on pages that are good and bad for a camera, and what the runtime reads of each."""
    images, labels = _samples()
    rng = np.random.default_rng(SEED)
    which = [int(rng.choice(np.flatnonzero(labels == digit))) for digit in rng.permutation(10)]
    figure, rows = plt.subplots(3, 3, figsize=(9, 6.9), layout="constrained")
    with DigitReader() as reader:
        for axes, (title, change) in zip(rows.flat, SHOTS.items(), strict=True):
            page = draw_page(images[which], labels[which], np.random.default_rng(SEED), replace(EASY, **change))
            pixels, boxes = _moved(page, title)
            _judged(axes, reader, pixels, boxes, [digit.label for digit in page.digits], title)
    _save_figure(figure, "pages.jpg")


# What is still read wrong, by its cause: the condition at severity 5 that draws it, how many digits, and the seed of a
# page that shows it; most pages of these conditions are read better.
FAILURES: dict[str, tuple[str, int, int]] = {
    "digits that touch each other": ("touching", 12, 10),
    "strokes in pieces": ("broken", 12, 27),
    "digits cut by dark rules": ("sudoku", 20, 27),
    "letters, read as digits": ("distractors", 10, 21),
    "the edge of a sheet, read as 1": ("desk", 12, 18),
    "keys beside the sheet, read as digits": ("envelope", 10, 10),
}


def failures() -> None:
    """Draw a page for each cause of errors that remains, and what the runtime reads of it."""
    images, labels = _samples()
    figure, rows = plt.subplots(2, 3, figsize=(9.6, 6.2), layout="constrained")
    with DigitReader() as reader:
        for axes, (title, (condition, count, seed)) in zip(rows.flat, FAILURES.items(), strict=True):
            rng = np.random.default_rng(seed)
            which = rng.choice(len(images), count, replace=False)
            page = draw_page(images[which], labels[which], rng, style(condition, 5))
            boxes = [digit.box for digit in page.digits]
            _judged(axes, reader, page.pixels, boxes, [digit.label for digit in page.digits], title)
    _save_figure(figure, "failures.jpg")


def _samples() -> tuple[Uint8, Uint8]:
    with np.load(SAMPLES / "digits.npz") as arrays:
        return arrays["images"], arrays["labels"]


def _judged(
    axes: plt.Axes, reader: DigitReader, pixels: Uint8, boxes: list[Box], labels: list[str], title: str
) -> None:
    """Draw what is read of a picture, and the digits of it that are not."""
    reading = reader.read(Frame(pixels, title))
    pairs = dict(match([digit.box for digit in reading.digits], boxes))
    right = [i for i, j in pairs.items() if reading.digits[i].label == labels[j]]
    axes.imshow(pixels[..., ::-1])
    for i, digit in enumerate(reading.digits):
        _frame(axes, digit.box, READ if i in right else LOST, "-", digit.label)
    for j in {*range(len(boxes))}.difference(pairs.values()):
        _frame(axes, boxes[j], LOST, ":")
    axes.set(xlim=(0, pixels.shape[1]), ylim=(pixels.shape[0], 0), xticks=[], yticks=[])
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(f"{len(right)} of {len(boxes)}: {'/'.join(reading.text) or 'no digit'}", fontsize=11)


def _save_figure(figure: plt.Figure, name: str) -> None:
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=100)
        save_jpeg(file.getvalue(), name)


def _moved(page: Page, title: str) -> tuple[np.ndarray, list[Box]]:
    """Return a page's pixels, and the boxes of its digits in them: moved out of the picture, or far away."""
    pixels, boxes = page.pixels, [digit.box for digit in page.digits]
    if title == CUT:
        x, y = (max(0, min(box[side] for box in boxes) + 26) for side in (0, 1))
        rest = cv2.copyMakeBorder(pixels[y:, x:], 0, y, 0, x, cv2.BORDER_REPLICATE)
        return rest, [box._replace(x=box.x - x, y=box.y - y) for box in boxes]
    if title == FAR:
        small = cv2.resize(pixels, None, fx=7 / 78, fy=7 / 78, interpolation=cv2.INTER_AREA)
        whole = np.full_like(pixels, np.median(pixels, axis=(0, 1)))
        whole[160 : 160 + len(small), 280 : 280 + len(small[0])] = small
        return whole, [Box(*(round(side * 7 / 78) + shift for side, shift in zip(box, (280, 160, 0, 0), strict=True)))
                       for box in boxes]  # fmt: skip
    return pixels, boxes


def _frame(axes: plt.Axes, box: Box, color: str, line: str, label: str = "") -> None:
    """Draw a box around a digit, and what it is read as above it, where there is room for that."""
    x, y, width, height = box
    label = label if height > 20 else ""
    axes.add_patch(plt.Rectangle((x - 4, y - 4), width + 8, height + 8, fill=False, color=color, ls=line, lw=1.6))
    place = {"x": max(12, x + width / 2), "y": max(30, y - 8), "ha": "center", "va": "bottom", "fontsize": 11}
    behind = {"boxstyle": "square,pad=0.1", "color": "white", "alpha": 0.8}
    axes.text(s=label, color=color, weight="bold", bbox=behind if label else None, **place)


def web() -> None:
    """Photograph the web page: the live view of generated pages, and digits drawn with the mouse; needs Chromium."""
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as home,
        served("synthetic:4", home=Path(home)) as server,
        sync_playwright() as play,
        play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"]) as browser,
    ):
        page = browser.new_page(viewport={"width": 1120, "height": 640})
        page.goto(server.address)
        page.wait_for_selector("#live-events li:nth-child(5)")
        page.wait_for_function(
            "idle => /\\d/.test(document.querySelector('#live-lines').innerText) &&"
            " parseFloat(document.querySelector('#live-ms [data-stage=total]').innerText) < idle",
            arg=IDLE,
        )
        save_jpeg(page.screenshot(), "web-live.jpg")
        page.click("#tab-draw")
        box = page.locator("#draw-pad").bounding_box()
        assert box is not None
        for i, digit in enumerate("2026"):
            left, top = box["x"] + (0.07 + 0.23 * i) * box["width"], box["y"] + 0.3 * box["height"]
            draw(page, digit, left, top, 0.32 * box["height"])
        page.wait_for_function("() => document.querySelector('#draw-lines').innerText.trim() === '2026'")
        save_jpeg(page.screenshot(), "web-draw.jpg")


def save_jpeg(screenshot: bytes, name: str) -> None:
    """Write a screenshot to docs/images."""
    pixels = cv2.imdecode(np.frombuffer(screenshot, np.uint8), cv2.IMREAD_COLOR)
    _, encoded = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, 88))
    write_whole(IMAGES / name, lambda temporary: temporary.write_bytes(encoded.tobytes()))


def save(figure: plt.Figure, name: str) -> None:
    """Write a figure to docs/images."""
    write_whole(
        IMAGES / name, lambda temporary: figure.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
    )


if __name__ == "__main__":
    drawn = {"contract": contract, "reading": reading, "explanation": explanation, "pages": pages, "failures": failures,
             "web": web}  # fmt: skip
    for name in sys.argv[1:] or drawn:
        drawn[name]()
