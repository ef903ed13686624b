"""The model file: one .tflite file with the network, followed by a zip archive that describes it.

Any TensorFlow Lite runtime still loads the file, and `unzip -l` lists the appended files (the convention for associated
files): card.json, labels.txt, golden.npz and, in some, line.tflite. The latter is the line network, so both networks
are installed, swapped and rolled back together. docs/model-file.md describes every field. A file without a card is a
custom model: it runs too, unverified.
"""

import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.errors import ContractMismatch, ModelCorrupt, ModelError
from edge_runtime.inference.contract import CONTRACT_VERSION
from edge_runtime.system.atomic_files import write_bytes

# hashlib loads OpenSSL, which takes 5 MB and 4 ms on every start, for one hash. Python's random module avoids it too.
try:
    from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]  # Python 3.11
    except ImportError:
        from hashlib import sha256

SHIPPED = Path(__file__).parents[1] / "models" / "digits-int8.tflite"
LINE = "line.tflite"
FLATBUFFER_ID = b"TFL3"  # at byte 4 of every TensorFlow Lite file
DIGITS = tuple("0123456789")
# A network trained with non-digits has an eleventh output for them.
NOT_A_DIGIT = "not a digit"
LABELS = (*DIGITS, NOT_A_DIGIT)
# The start of an archive member: it shows that the file had a card even where the archive is truncated.
APPENDED = re.compile(rb"PK\x03\x04.{26}(?:labels\.txt|card\.json)", re.DOTALL)
# What zipfile and json raise on damaged bytes.
DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, KeyError, TypeError, ValueError)

Golden = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class ModelFile:
    """The content of a model file. `card` is None, and the model unverified, where the file is not from this project.

    `line` is the flatbuffer of its line network, or None.
    """

    path: Path
    flatbuffer: bytes
    card: dict[str, Any] | None
    labels: tuple[str, ...]
    size: int  # of the whole file, in bytes
    line: bytes | None = None

    @property
    def verified(self) -> bool:
        """Whether the file has a card that its bytes match."""
        return self.card is not None

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the flatbuffer, in hexadecimal, without the archive after it."""
        return str(sha256(self.flatbuffer).hexdigest())

    @property
    def id(self) -> str:
        """The first 12 digits of `sha256`: a model's name in readings, events and the model store."""
        return self.sha256[:12]

    def golden(self) -> Golden:
        """Return the golden vectors: `inputs` uint8 (N, 28, 28), and `outputs` (N, classes), the graph's output.

        With a line network, also `line_inputs` uint8 (N, 32, 256), and `line_outputs`.
        """
        names = "inputs", "outputs", *(("line_inputs", "line_outputs") if self.line else ())
        try:
            with zipfile.ZipFile(self.path) as archive, np.load(io.BytesIO(archive.read("golden.npz"))) as arrays:
                return {name: arrays[name] for name in names}
        except (OSError, *DAMAGES) as error:
            raise ModelError(f"{self.path} has no golden vectors") from error


def read(path: Path) -> ModelFile:
    """Read a model file and check it against its card.

    Raises ModelError where it is not a TensorFlow Lite file, ModelCorrupt where its bytes do not match its card, and
    ContractMismatch where it was made for another version of the 28x28 contract.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror or error}") from error
    if data[4:8] != FLATBUFFER_ID:
        raise ModelError(f"{path} is not a TensorFlow Lite file")
    if not APPENDED.search(data):
        return ModelFile(path, data, None, DIGITS, len(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            labels = tuple(archive.read("labels.txt").decode().splitlines()) if "labels.txt" in names else DIGITS
            card = json.loads(archive.read("card.json")) if b"card.json" in data else None
            line = archive.read(LINE) if LINE in names else None
            return _checked(path, data, card, labels, line)
    except DAMAGES as error:
        if isinstance(error, ModelError):
            raise
        raise ModelCorrupt(f"{path} is damaged or cut short: {error}; copy it again") from error


def _checked(
    path: Path, data: bytes, card: dict[str, Any] | None, labels: tuple[str, ...], line: bytes | None
) -> ModelFile:
    if card is None:
        return ModelFile(path, data, None, labels, len(data))
    expected = card["flatbuffer"]
    model = ModelFile(path, data[: int(expected["bytes"])], card, labels, len(data), line)
    if model.sha256 != expected["sha256"]:
        raise ModelCorrupt(
            f"{path} is damaged: its card says SHA-256 {expected['sha256']}, found {model.sha256}; copy it again"
        )
    if card["contract"] != CONTRACT_VERSION:
        raise ContractMismatch(
            f"{path} was made for version {card['contract']} of the 28x28 contract, this runtime supports version "
            f"{CONTRACT_VERSION}; convert it again, or install the runtime that it was made for"
        )
    if list(labels) != card["labels"]:
        raise ModelCorrupt(f"{path} is damaged: labels.txt and its card differ; copy it again")
    about = card.get("line_network")
    if (None if about is None else about["sha256"]) != (None if line is None else sha256(line).hexdigest()):
        raise ModelCorrupt(f"{path} is damaged: its line network does not match its card; copy it again")
    return model


def write(path: Path, flatbuffer: bytes, card: dict[str, Any], golden: Golden, line: bytes | None = None) -> None:
    """Write a model file: the same arguments give the same bytes. Its card gets the flatbuffer's size and hash.

    `line` is the flatbuffer of its line network, which the card describes under "line_network".
    """
    about = {**card, "flatbuffer": _identity(flatbuffer)}
    of_line = about.pop("line_network", None) or {}
    if line is not None:
        about["line_network"] = {**of_line, **_identity(line)}
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **golden)  # type: ignore[arg-type]
    members = {
        "labels.txt": "\n".join(about["labels"]).encode(),
        "card.json": json.dumps(about, indent=1, sort_keys=True).encode(),
        "golden.npz": arrays.getvalue(),
        **({} if line is None else {LINE: line}),
    }
    write_bytes(path, _packed(flatbuffer, members))


def _identity(flatbuffer: bytes) -> dict[str, Any]:
    return {"bytes": len(flatbuffer), "sha256": sha256(flatbuffer).hexdigest()}


def add_to_card(path: Path, **entries: Any) -> None:
    """Add entries, such as `measured`, to a file's card; the flatbuffer and its hash stay unchanged."""
    model = read(path)
    if model.card is None:
        raise ModelError(f"{path} has no card to write into")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["card.json"] = json.dumps({**model.card, **entries}, indent=1, sort_keys=True).encode()
    write_bytes(path, _packed(model.flatbuffer, members))


def _packed(flatbuffer: bytes, members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
