"""Tesseract 5 and its LSTM model for English, as a program started for each picture, as pytesseract starts it."""

import subprocess
from collections.abc import Callable

from benchmarks.peers.readers.catalog import DIGIT, LINE, PAGE
from edge_runtime.errors import EdgeError

# --psm, by what the pictures hold: sparse text, since digits of a page are no paragraph (with 6, one block of text, it
# made more errors on photographs); a single line; a single character.
MODES = {PAGE: "11", LINE: "7", DIGIT: "10"}


def opened(kind: str) -> tuple[Callable[[str], str], Callable[[str], list[str]]]:
    """Return a function that leaves a file's name as it is, and one that reads the file; digits alone, one thread.

    The time of reading includes the start of the program, the loading of its model, and the decoding of the picture.
    Raises EdgeError if it fails.
    """
    options = ["stdout", "--psm", MODES[kind], "-c", "tessedit_char_whitelist=0123456789"]

    def read(path: str) -> list[str]:
        done = subprocess.run(["tesseract", path, *options], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            message = (done.stderr.strip() or "no message").splitlines()[-1]
            raise EdgeError(f"tesseract failed on {path}: {message}")
        return done.stdout.splitlines()

    return str, read
