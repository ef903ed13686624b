"""Create the contents of edge_runtime/samples: 200 MNIST training digits, and pages drawn with them.

python -m train.samples
"""

import io
import json
from pathlib import Path

import cv2
import numpy as np

import edge_runtime
from edge_runtime.pages.draw import PageStyle, draw_page
from edge_runtime.system.atomic_files import write_bytes, write_text
from train import dataset

FOLDER = Path(edge_runtime.__file__).parent / "samples"
SEED = 20_261_123
EACH = 20  # of every digit
PAGES = {
    "digit.png": (1, PageStyle(size=(160, 160), digit_height=(90, 90), blur=(0, 0), grain=1)),
    "paper.jpg": (24, PageStyle(size=(800, 600), digit_height=(52, 52))),
    "blackboard.jpg": (12, PageStyle(size=(640, 480), digit_height=(60, 60), light_on_dark=True)),
}


def main() -> None:
    """Write the digits, the pages, and truth.jsonl, which lists the lines of each page."""
    rng = np.random.default_rng(SEED)
    digits = dataset.load("train")
    chosen = np.concatenate(
        [rng.choice(np.flatnonzero(digits.labels == label), EACH, replace=False) for label in range(10)]
    )
    images, labels = digits.images[chosen], digits.labels[chosen]
    archive = io.BytesIO()
    np.savez_compressed(archive, images=images, labels=labels, indices=chosen)
    write_bytes(FOLDER / "digits.npz", archive.getvalue())
    truth = []
    for name, (count, style) in PAGES.items():
        picked = rng.choice(len(images), count, replace=False)
        page = draw_page(images[picked], labels[picked], rng, style)
        _, encoded = cv2.imencode(Path(name).suffix, page.pixels)
        write_bytes(FOLDER / name, encoded.tobytes())
        truth.append(json.dumps({"file": name, "lines": list(page.text)}))
    write_text(FOLDER / "truth.jsonl", "\n".join(truth) + "\n")


if __name__ == "__main__":
    main()
