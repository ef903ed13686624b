"""The state from which an interrupted training resumes: everything that changes between epochs."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import OptionError
from edge_runtime.inference import model_file
from edge_runtime.system.atomic_files import write_whole
from train.recipes import Recipe

Row = dict[str, float]


class Checkpoint:
    """`folder`/checkpoint.npz: everything that resuming after an epoch needs.

    It holds the variables of the network and the optimizer, the history, and the calibration if there is one yet. With
    `resume` the constructor loads the file. `start` is the model file to fine-tune, if any. Raises OptionError where
    the checkpoint belongs to another recipe, seed or start, or is damaged.
    """

    def __init__(self, folder: Path, recipe: Recipe, seed: int, resume: bool, start: Path | None = None) -> None:
        self.history: list[Row] = []
        self.calibration: dict[str, float] | None = None
        self._path = folder / "checkpoint.npz"
        made_by = {"recipe": asdict(recipe), "seed": seed, "start": start and model_file.read(start).sha256}
        self._made_by = json.dumps(made_by, sort_keys=True)
        self._saved: dict[str, NDArray[Any]] = {}
        if resume and self._path.is_file():
            self._read()

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
                self._saved = dict(saved)
        except (EOFError, ValueError, zipfile.BadZipFile) as error:
            raise OptionError(f"cannot resume from {self._path}: {error}; remove it to start again") from error
        if str(self._saved["made_by"]) != self._made_by:
            raise OptionError(
                f"{self._path} belongs to another recipe, seed, start or number of epochs: "
                "use the same ones, or remove it to start again"
            )
        self.history = list(json.loads(str(self._saved["history"])))
        self.calibration = json.loads(str(self._saved["calibration"]))

    def restore(self, network: keras.Sequential) -> None:
        """Restore the network and its optimizer, once; without a file they stay as they are."""
        saved, self._saved = self._saved, {}
        if saved:
            for i, variable in enumerate(_variables(network)):
                variable.assign(saved[f"variable_{i}"])

    def save(self, network: keras.Sequential) -> None:
        """Write the state after an epoch."""
        state: dict[str, Any] = {f"variable_{i}": variable.numpy() for i, variable in enumerate(_variables(network))}
        state["made_by"] = self._made_by
        state["history"], state["calibration"] = json.dumps(self.history), json.dumps(self.calibration)
        write_whole(self._path, lambda temporary: np.savez(temporary, **state))


def _variables(network: keras.Sequential) -> list[keras.Variable]:
    return [*network.variables, *network.optimizer.variables]
