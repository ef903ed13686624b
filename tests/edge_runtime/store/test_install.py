"""What `model install` takes and refuses: each refusal with its reason, and nothing changed."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import ContractMismatch, ModelCorrupt, OptionError, OutputError
from edge_runtime.inference import model_file
from edge_runtime.inference.contract import CONTRACT_VERSION
from edge_runtime.inference.model_file import SHIPPED
from edge_runtime.store import catalog, install, trial
from edge_runtime.store.install import Trust
from tests.edge_runtime.inference.model_variants import fragile_interpreter, variant
from tests.edge_runtime.system.disks import small_disk
from tests.log import Log

ANYBODY = Trust()


def test_a_sound_model_is_installed_unchanged(folder: Path, tmp_path: Path, messages: Log) -> None:
    made = variant(tmp_path / "new.tflite", "new")
    path = install.install(str(tmp_path / "new.tflite"), folder, ANYBODY)
    assert path == catalog.current(folder) == folder / f"{made.id}.tflite"
    assert path.read_bytes() == (tmp_path / "new.tflite").read_bytes()
    assert messages == [f"{tmp_path}/new.tflite: complete; testing it"]
    newest = catalog.models(folder)[0].entry
    assert (newest.source, newest.signed, newest.proved) == (f"{tmp_path}/new.tflite", False, False)


def test_altered_or_truncated_models_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "bad.tflite"
    whole = SHIPPED.read_bytes()
    size = len(model_file.read(SHIPPED).flatbuffer)
    flipped = bytearray(whole)
    flipped[size // 2] ^= 1
    path.write_bytes(flipped)
    assert refused(path, ModelCorrupt).startswith(f"{path} is damaged: its card says SHA-256 ")
    for length in (len(whole) - 1, len(whole) - 1000, size + 200):
        path.write_bytes(whole[:length])
        assert refused(path, ModelCorrupt).startswith(f"{path} is damaged or cut short: ")
    path.write_bytes(whole[:size])
    assert refused(path).startswith(f"{path} has no card, so it cannot be verified")
    path.write_bytes(whole[: size // 2])
    refused(path)
    for data in (b"", b"<html>not found</html>"):
        path.write_bytes(data)
        assert refused(path) == f"{path} is not a TensorFlow Lite file"
    assert refused(tmp_path / "none") == f"there is no {tmp_path}/none"
    assert refused(tmp_path) == f"{tmp_path} is not a file"


def test_other_contracts_shapes_and_labels_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "other.tflite"
    variant(path, contract=CONTRACT_VERSION - 1)
    assert refused(path, ContractMismatch).startswith(
        f"{path} was made for version {CONTRACT_VERSION - 1} of the 28x28 contract, this runtime supports version "
    )
    variant(path, format=2)
    assert refused(path).startswith(f"{path} has a card of format 2, this runtime supports format 1; ")
    variant(path, labels=[*"ABCDEFGHIJ", "not a digit"])
    assert refused(path) == f"{path} has other labels than the digits; use it with --model"
    variant(path, labels=[*"0123456789"[:8], "not a digit"])
    assert refused(path).startswith(f"{path} has 11 classes, but there are 9 labels")


@pytest.mark.filterwarnings("default")  # whatever TensorFlow has to say
def test_a_network_of_another_shape_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    weights = np.zeros((32 * 32, 11), np.float32)
    call = tf.function(
        lambda x: tf.matmul(tf.reshape(x, (-1, 32 * 32)), weights),
        input_signature=[tf.TensorSpec((1, 32, 32), tf.float32)],
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([call.get_concrete_function()], tf.Module())
    shipped = model_file.read(SHIPPED)
    assert shipped.card is not None
    model_file.write(tmp_path / "large.tflite", converter.convert(), shipped.card, shipped.golden())
    why = refused(tmp_path / "large.tflite")
    assert why.startswith(f"{tmp_path}/large.tflite has input shape ")
    assert why.endswith("expected one picture of 28x28")


def test_a_model_that_answers_wrongly_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    variant(tmp_path / "wrong.tflite", wrong=True)
    why = refused(tmp_path / "wrong.tflite")
    assert why.startswith(f"{tmp_path}/wrong.tflite gives wrong results on this machine: ")


@pytest.mark.parametrize(("tail", "seconds", "why"), [
    ("crash", 60, "crashes the interpreter on this machine (SIGSEGV)"),
    ("hang", 3, "did not read a page within 3 s"),
    ("raise", 60, "fails to read: node 3 failed to invoke"),
])  # fmt: skip
def test_crashing_hanging_and_raising_models_are_refused(
    tail: str, seconds: float, why: str, refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ai_edge_litert")
    variant(tmp_path / "bad.tflite", tail)
    monkeypatch.syspath_prepend(fragile_interpreter(tmp_path / "fragile"))
    assert refused(tmp_path / "bad.tflite", seconds=seconds) == f"{tmp_path}/bad.tflite {why}"
    variant(tmp_path / "good.tflite", "good")
    trial.run(tmp_path / "good.tflite", "good")  # others work there


def test_a_trial_imports_nothing_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('this must not be imported')")
    monkeypatch.chdir(tmp_path)
    elsewhere = subprocess.run([sys.executable, "-c", "import numpy"], capture_output=True, text=True, check=False)
    assert elsewhere.stderr == "this must not be imported\n"
    trial.run(SHIPPED, "ours")  # raises where the trial fails


def test_an_abandoned_trial_ends_by_itself(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    variant(tmp_path / "bad.tflite", "hang")
    environment = {**os.environ, "PYTHONPATH": str(fragile_interpreter(tmp_path / "fragile"))}
    code = "from edge_runtime.store import trial_process as t; t.GRACE = 0; t.main()"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "bad.tflite", "2"], env=environment, check=False)
    assert done.returncode == -14  # SIGALRM


def test_a_stated_hash_must_match(refused: Callable[..., str], folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.tflite"
    variant(path)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    wrong = right.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    assert (
        refused(path, ModelCorrupt, Trust(sha256=wrong))
        == f"{path} has SHA-256 {right}, expected {wrong}; fetch it again"
    )
    for no_hash in ("", "12", right + "0", right[:-1] + "g"):
        with pytest.raises(OptionError, match="is not a SHA-256"):
            Trust(sha256=no_hash)
    install.install(str(path), folder, Trust(sha256=right.upper()))
    assert catalog.current(folder).read_bytes() == path.read_bytes()


def test_without_room_for_a_copy_it_says_so(
    refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        assert refused(SHIPPED, OutputError) == "cannot write a temporary file: No space left on device"
        assert list(disk.iterdir()) == []
