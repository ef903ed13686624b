"""Draw the pictures of the documents: python docs/pictures.py [NAME...], all of them by default."""

import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import edge_runtime
from edge_runtime import DigitReader
from edge_runtime.files import write_whole
from edge_runtime.ink import ink_plane
from edge_runtime.locate import locate
from edge_runtime.normalize import normalize
from edge_runtime.pages import PageStyle, draw_page
from edge_runtime.records import Frame
from edge_runtime.sinks.draw import annotate
from edge_runtime.sinks.explain import explain
from edge_runtime.sources import pictures
from tests.edge_runtime.web.process import served
from tests.edge_runtime.web.test_browser import draw

SAMPLES = Path(edge_runtime.__file__).parent / "samples"
IMAGES = Path(__file__).parent / "images"


def contract() -> None:
    """Draw a piece of a page, its ink, and what the network sees of each candidate."""
    page = pictures.load(SAMPLES / "blackboard.jpg").pixels
    ink = ink_plane(page)
    candidates = sorted(locate(ink).candidates, key=lambda c: (c.box.y // 90, c.box.x))[:7]
    bottom = max(c.box.bottom for c in candidates) + 12
    figure = plt.figure(figsize=(10, 5.2), layout="constrained")
    rows = figure.subfigures(3, 1, height_ratios=[1.2, 1.2, 1])
    for row, picture, title in (
        (rows[0], page[:bottom, :, ::-1], "the picture"),
        (rows[1], ink[:bottom], "its ink: 0 on bare paper, up to 255"),
    ):
        axes = row.subplots()
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, fontsize=10)
        axes.axis("off")
        for candidate in candidates:
            x, y, width, height = candidate.box
            axes.add_patch(plt.Rectangle((x - 0.5, y - 0.5), width, height, fill=False, color="tab:orange"))
    rows[2].suptitle("28x28: long side 20, center of mass (orange) at pixel (14, 14)", fontsize=10)
    for axes, candidate in zip(rows[2].subplots(1, 7), candidates, strict=True):
        field = normalize(candidate.ink)
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
    with np.load(SAMPLES / "digits.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    rng = np.random.default_rng(4)
    which = rng.permutation(len(images))[:12]
    others = (("scribbles", 1), ("rules", 1), ("smudges", 1), ("dots", 2))
    style = PageStyle(size=(640, 320), touching=0.5, grain=0.0, distractors=others)
    page = draw_page(images[which], labels[which], rng, style)
    with DigitReader() as reader:
        drawn = explain(reader.trace(Frame(page.pixels, "page.jpg")), reader.classifier.labels)
    _, encoded = cv2.imencode(".png", drawn, (cv2.IMWRITE_PNG_COMPRESSION, 9))
    write_whole(IMAGES / "explain.png", lambda temporary: temporary.write_bytes(encoded.tobytes()))


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
    drawn = {"contract": contract, "reading": reading, "explanation": explanation, "web": web}
    for name in sys.argv[1:] or drawn:
        drawn[name]()
