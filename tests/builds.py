"""What several test modules share beside fixtures: commands, and a few digits in place of all."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.commands import Done
from train import dataset

ROOT = Path(__file__).parent.parent
FEW, FEW_TO_TEST = 5000, 500


def python(*arguments: object) -> Done:
    """Run Python in a process of its own, at the root of the checkout."""
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def built(folder: Path, recipe: str) -> Path:
    """Fill a folder as `python -m train` and `python -m convert` do; returns it."""
    for command in (["train", "--recipe", recipe, "--output", folder], ["convert", folder]):
        done = python("-m", *command)
        assert done.code == 0, done.err
    return folder


def few(split: dataset.Split, load: Callable[[dataset.Split], dataset.Digits] = dataset.load) -> dataset.Digits:
    """Stand in for dataset.load where the first digits of a split are enough."""
    digits, count = load(split), FEW_TO_TEST if split == "test" else FEW
    return dataset.Digits(digits.images[:count], digits.labels[:count])


def copy_tracked(folder: Path) -> Path:
    """Copy the files that git tracks, as they are in the checkout, into a folder; returns it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0")[:-1]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder
