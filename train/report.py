"""Report the results of a training run as pictures and one self-contained HTML page."""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from edge_runtime.system.atomic_files import write_bytes, write_text
from train import template
from train.dataset import Digits

DIGITS = range(10)
HEAD = ["digit", "test digits", "read right", "recall %", "precision %"]
PAGE = Path(__file__).with_suffix(".html.j2")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The contents of a report.

    `probabilities` is float (N, 10) for the N test digits; `first_layer` is float (784, units), or
    (rows, columns, 1, filters) of a convolution; `history` holds one row
    per epoch with epoch, loss, accuracy, val_loss and val_accuracy.
    """

    title: str
    summary: dict[str, str]
    history: list[dict[str, float]]
    test: Digits
    probabilities: NDArray[np.float32]
    first_layer: NDArray[np.float32]
    trained_on: str = "trained on"  # legend for the training digits: distorted ones are harder


def write_report(folder: Path, outcome: Outcome) -> None:
    """Write every picture to `folder` as PNG, the per-class table as CSV, and index.html, which contains them all."""
    figures = {
        "curves": ("Training", training_curves(outcome.history, outcome.trained_on)),
        "confusion": ("Confusion matrix on the test digits", confusion_matrix(outcome)),
        "misread": ("Every misread test digit", misread_digits(outcome)),
        "first-layer": ("Weights of the first layer", first_layer(outcome.first_layer)),
        "first-digit": ("The first test digit", first_digit(outcome.test.images[0])),
    }
    pictures = {name: (title, png(figure)) for name, (title, figure) in figures.items()}
    for name, (_, data) in pictures.items():
        write_bytes(folder / f"{name}.png", data)
    rows = per_class(outcome)
    write_text(folder / "per-class.csv", "\n".join(",".join(row) for row in [HEAD, *rows]) + "\n")
    page = template.load(PAGE).render(outcome=outcome, head=HEAD, rows=rows, pictures=pictures.values())
    write_text(folder / "index.html", page)


def training_curves(history: list[dict[str, float]], trained_on: str = "trained on") -> Figure:
    """Draw loss and error over the epochs, on the training digits and on the held-out digits."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for name, label, color in (("", trained_on, "tab:blue"), ("val_", "held out", "tab:orange")):
        left.plot(epochs, [row[f"{name}loss"] for row in history], label=label, color=color)
        errors = [100 * (1 - row[f"{name}accuracy"]) for row in history]
        right.plot(epochs, np.maximum(errors, 1e-3), label=label, color=color)
    left.set(xlabel="epoch", ylabel="loss (nats)", yscale="log", title="Loss")
    right.set(xlabel="epoch", ylabel="error (%)", yscale="log", title="Misread digits")
    for axes in (left, right):
        axes.grid(alpha=0.3, which="both")
        axes.xaxis.get_major_locator().set_params(integer=True)
        for ticks in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            ticks(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "1246" else ""))
        axes.legend()
    return figure


def confusion_matrix(outcome: Outcome) -> Figure:
    """Draw the confusion matrix; numbers show all counts, and colors only the misread digits."""
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (outcome.test.labels, outcome.probabilities.argmax(axis=1)), 1)
    wrong = counts - np.diag(np.diag(counts))
    figure, axes = plt.subplots(figsize=(6, 5.4), layout="constrained")
    darkest = max(4, wrong.max())
    axes.imshow(wrong, cmap="Oranges", vmax=darkest)
    for row, column in np.ndindex(10, 10):
        if counts[row, column]:
            ink = "white" if wrong[row, column] > 0.6 * darkest else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=8, color=ink)
    axes.set(xlabel="read as", ylabel="is", xticks=DIGITS, yticks=DIGITS)
    return figure


def misread_digits(outcome: Outcome) -> Figure:
    """Draw every misread digit with its label, the predicted label and its probability, the most probable first."""
    read = outcome.probabilities.argmax(axis=1)
    wrong = np.flatnonzero(read != outcome.test.labels)
    wrong = wrong[np.argsort(-outcome.probabilities[wrong, read[wrong]], kind="stable")]
    captions = [f"{outcome.test.labels[i]} → {read[i]} {outcome.probabilities[i, read[i]]:.0%}" for i in wrong]
    return contact_sheet(255 - outcome.test.images[wrong].astype(float), captions, columns=16)


def first_layer(kernel: NDArray[np.float32]) -> Figure:
    """Draw the incoming weights of the first 64 units or filters as 28x28 pictures, each with its own scale."""
    units = kernel.reshape(-1, kernel.shape[-1]).T[:64]
    side = math.isqrt(units.shape[1])
    pixels = np.arange(28) * side // 28  # enlarges a convolution's small kernels
    weights = units.reshape(-1, side, side)[:, pixels[:, None], pixels]
    strongest = np.maximum(np.abs(weights).max(axis=(1, 2), keepdims=True), 1e-9)
    return contact_sheet(127.5 + 127.5 * weights / strongest, [""] * len(weights), columns=16, colors="PuOr")


def contact_sheet(pictures: NDArray[np.float64], captions: list[str], columns: int, colors: str = "gray") -> Figure:
    """Draw pictures, (N, 28, 28) from 0 to 255, in rows with a caption above each."""
    rows = max(1, -(-len(pictures) // columns))
    above, margin = (8 if any(captions) else 0), 3
    step_y, step_x = 28 + above + margin, 28 + margin
    sheet = np.full((rows * step_y, columns * step_x), np.nan)
    figure, axes = plt.subplots(figsize=(12, 12 * sheet.shape[0] / sheet.shape[1] + 0.1), layout="constrained")
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        y, x = number // columns * step_y + above, number % columns * step_x
        sheet[y : y + 28, x : x + 28] = picture
        axes.text(x + 14, y - 2, caption, ha="center", fontsize=6.5)
    if not len(pictures):
        axes.text(sheet.shape[1] / 2, sheet.shape[0] / 2, "none", ha="center", va="center")
    axes.imshow(sheet, cmap=colors, vmin=0, vmax=255, interpolation="nearest")
    axes.axis("off")
    return figure


def first_digit(image: NDArray[np.uint8]) -> Figure:
    """Draw one digit, pixel by pixel, with its color bar."""
    figure, axes = plt.subplots(figsize=(5, 4.2), layout="constrained")
    figure.colorbar(axes.imshow(image, cmap="gray_r", vmin=0, vmax=255), label="ink (0-255)")
    axes.set(xlabel="column", ylabel="row")
    return figure


def per_class(outcome: Outcome) -> list[list[str]]:
    """Return a row per digit: number of test digits, number read right, recall and precision in percent."""
    read, labels = outcome.probabilities.argmax(axis=1), outcome.test.labels
    rows = []
    for digit in DIGITS:
        there, claimed = (labels == digit).sum(), (read == digit).sum()
        right = ((labels == digit) & (read == digit)).sum()
        shares = [f"{100 * right / whole:.2f}" if whole else "" for whole in (there, claimed)]
        rows.append([str(digit), str(there), str(right), *shares])
    return rows


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG file, and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()
