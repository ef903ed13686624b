import hashlib
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.errors import ContractMismatch, ModelCorrupt, ModelError
from edge_runtime.inference import model_file
from edge_runtime.inference.contract import CONTRACT_VERSION

FLATBUFFER = b"\x1c\0\0\0TFL3" + bytes(range(256)) * 4
SHA256 = hashlib.sha256(FLATBUFFER).hexdigest()
CARD: dict[str, Any] = {"contract": CONTRACT_VERSION, "labels": list("0123456789"), "measured": None}
GOLDEN = {
    "inputs": np.random.default_rng(1).integers(0, 256, (3, 28, 28), np.uint8),
    "outputs": np.arange(30, dtype=np.int8).reshape(3, 10),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    model_file.write(path, FLATBUFFER, CARD, GOLDEN)
    return path


def test_what_is_written_is_read(path: Path) -> None:
    model = model_file.read(path)
    assert model.path == path
    assert model.flatbuffer == FLATBUFFER
    assert model.labels == tuple("0123456789")
    assert model.verified
    assert model.sha256 == SHA256
    assert model.card == {**CARD, "flatbuffer": {"bytes": len(FLATBUFFER), "sha256": SHA256}}
    golden = model.golden()
    assert sorted(golden) == ["inputs", "outputs"]
    assert all(np.array_equal(golden[name], GOLDEN[name]) for name in golden)
    assert golden["outputs"].dtype == np.int8


def test_the_same_arguments_give_the_same_bytes(path: Path, tmp_path: Path) -> None:
    model_file.write(tmp_path / "again", FLATBUFFER, dict(reversed(CARD.items())), GOLDEN)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_the_file_is_a_flatbuffer_and_a_zip(path: Path) -> None:
    assert path.read_bytes().startswith(FLATBUFFER)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["labels.txt", "card.json", "golden.npz"]
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("labels.txt") == b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9"


def test_nothing_is_left_beside_the_file(path: Path) -> None:
    model_file.add_to_card(path, measured={"accuracy": 0.99})
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").mkdir()
    with pytest.raises(IsADirectoryError):
        model_file.write(tmp_path / "model.tflite", FLATBUFFER, CARD, GOLDEN)
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]


def test_measurements_keep_the_hash_and_golden_vectors(path: Path) -> None:
    before = path.read_bytes()
    model_file.add_to_card(path, measured={"accuracy": 0.99})
    model = model_file.read(path)
    assert model.card == {
        **CARD,
        "flatbuffer": {"bytes": len(FLATBUFFER), "sha256": SHA256},
        "measured": {"accuracy": 0.99},
    }
    assert model.flatbuffer == FLATBUFFER
    assert np.array_equal(model.golden()["inputs"], GOLDEN["inputs"])
    after = path.read_bytes()
    assert after != before
    model_file.add_to_card(path, measured={"accuracy": 0.99})
    assert path.read_bytes() == after


def test_measurements_need_a_card(tmp_path: Path) -> None:
    (tmp_path / "own.tflite").write_bytes(FLATBUFFER)
    with pytest.raises(ModelError, match="has no card to write into"):
        model_file.add_to_card(tmp_path / "own.tflite", measured={})


@pytest.mark.parametrize("position", [8, 500, len(FLATBUFFER) - 1])
def test_a_flipped_flatbuffer_bit_shows_both_hashes(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    digest = hashlib.sha256(data[: len(FLATBUFFER)]).hexdigest()
    with pytest.raises(ModelCorrupt) as caught:
        model_file.read(path)
    assert str(caught.value) == f"{path} is damaged: its card says SHA-256 {SHA256}, found {digest}; copy it again"


def test_a_flipped_archive_bit_makes_no_foreign_model(path: Path) -> None:
    data = path.read_bytes()
    for position in range(len(FLATBUFFER), len(data), 3):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x41]) + data[position + 1 :])
        try:
            model = model_file.read(path)
        except ModelError:
            continue
        assert model.verified  # the bit was in a part that nobody reads
        assert model.flatbuffer == FLATBUFFER
        with suppress(ModelError):
            model.golden()


def test_a_file_cut_short_is_refused(path: Path) -> None:
    data = path.read_bytes()
    for length in range(len(FLATBUFFER) + 40, len(data), 50):
        path.write_bytes(data[:length])
        with pytest.raises(ModelCorrupt, match=r"is damaged or cut short: .*; copy it again"):
            model_file.read(path)


def test_another_contract_version_is_refused_with_both(path: Path) -> None:
    model_file.write(path, FLATBUFFER, {**CARD, "contract": 987}, GOLDEN)
    with pytest.raises(ContractMismatch) as caught:
        model_file.read(path)
    assert f"version 987 of the 28x28 contract, this runtime supports version {CONTRACT_VERSION};" in str(caught.value)


def rewritten(path: Path, **members: bytes) -> None:
    """Write the file anew with other members: card, labels."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    kept |= {{"card": "card.json", "labels": "labels.txt"}[name]: data for name, data in members.items()}
    path.write_bytes(FLATBUFFER)
    with zipfile.ZipFile(path, "a") as archive:
        for name, data in kept.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"labels": b"0\n1"}, "labels.txt and its card differ"),
        ({"labels": b"\xff"}, "decode"),
        ({"card": b"{"}, "copy it again"),
        ({"card": b"[]"}, "copy it again"),
        ({"card": b"{}"}, "copy it again"),
        ({"card": b'{"flatbuffer": {"bytes": null}}'}, "copy it again"),
    ],
)
def test_senseless_cards_and_labels_are_refused(path: Path, members: dict[str, bytes], message: str) -> None:
    rewritten(path, **members)
    with pytest.raises(ModelCorrupt, match=message):
        model_file.read(path)


def test_a_foreign_model_is_unverified_without_card(tmp_path: Path) -> None:
    path = tmp_path / "own.tflite"
    path.write_bytes(FLATBUFFER)
    model = model_file.read(path)
    assert (model.card, model.verified, model.flatbuffer) == (None, False, FLATBUFFER)
    assert model.labels == tuple("0123456789")
    with pytest.raises(ModelError, match="has no golden vectors"):
        model.golden()


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_somebody_s_own_model_may_bring_its_labels(tmp_path: Path, end: str) -> None:
    path = tmp_path / "own.tflite"
    path.write_bytes(FLATBUFFER)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", f"zero{end or chr(10)}one{end}")
    model = model_file.read(path)
    assert (model.labels, model.verified) == (("zero", "one"), False)


@pytest.mark.parametrize("data", [b"", b"TFL3", b"GIF89a, not a model", bytes(1000)])
def test_what_is_no_tensorflow_lite_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"model\.tflite is not a TensorFlow Lite file$"):
        model_file.read(path)


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^cannot read the model .*none\.tflite: No such file or directory$"):
        model_file.read(tmp_path / "none.tflite")


def test_a_model_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"Is a directory$"):
        model_file.read(tmp_path)


def test_the_shipped_model_is_whole_and_small_enough() -> None:
    model = model_file.read(model_file.SHIPPED)
    assert model.card is not None
    assert model.labels == (*"0123456789", "not a digit")
    assert model.card["contract"] == CONTRACT_VERSION
    assert model.card["measured"] is not None
    assert model_file.SHIPPED.stat().st_size <= 1_048_576
    with zipfile.ZipFile(model_file.SHIPPED) as archive:
        assert json.loads(archive.read("card.json")) == model.card
