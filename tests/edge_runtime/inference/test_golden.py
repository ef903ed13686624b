import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import Classifier
from edge_runtime.errors import CheckFailed
from edge_runtime.inference import golden, model_file
from edge_runtime.inference.model_file import Golden

Altered = Callable[[Golden], Golden]
Write = Callable[[Altered], Path]


@pytest.fixture
def write(tmp_path: Path, classifier: Classifier) -> Write:
    """Return what writes the model that ships with other golden vectors."""

    def written(altered: Altered) -> Path:
        path = tmp_path / "model.tflite"
        model = classifier.model
        assert model.card is not None
        model_file.write(path, model.flatbuffer, model.card, altered(model.golden()))
        return path

    return written


def moved(by: int, at: slice = slice(None)) -> Altered:
    def altered(vectors: Golden) -> Golden:
        outputs = vectors["outputs"].astype(int)
        outputs[at] += by
        return {**vectors, "outputs": outputs.clip(-128, 127).astype(np.int8)}

    return altered


def answered_here(vectors: Golden) -> Golden:
    with Classifier() as classifier:
        return {**vectors, "outputs": np.concatenate([classifier.scores(image[None]) for image in vectors["inputs"]])}


def test_the_shipped_model_answers_as_it_should(classifier: Classifier) -> None:
    result = golden.check(classifier)
    assert result is not None
    assert (result.vectors, result.same, result.allowed) == (34, 34, 2)
    assert result.furthest <= 2
    assert result.passed


def test_scores_may_be_two_units_off(write: Write) -> None:
    with Classifier(write(answered_here)) as model:
        exact = golden.replay(model)
        assert exact is not None
        assert exact.furthest == 0
    with Classifier(write(lambda vectors: moved(-2)(answered_here(vectors)))) as model:
        result = golden.replay(model)
        assert result is not None
        assert result.passed
        assert result.same == 26
    with Classifier(write(moved(-9, slice(3, 4)))) as model:
        result = golden.replay(model)
        assert result is not None
        assert not result.passed
        assert (result.same, result.vectors) == (26, 26)
        assert result.furthest == pytest.approx(9, abs=2)


def test_another_label_fails(write: Write) -> None:
    def swapped(vectors: Golden) -> Golden:
        return {**vectors, "outputs": np.roll(vectors["outputs"], 1, axis=1)}

    path = write(swapped)
    with Classifier(path) as model:
        result = golden.replay(model)
        assert result is not None
        assert result.same < 7  # of the 20 digits none; a label may be the same where all are as likely
        with pytest.raises(CheckFailed) as caught:
            golden.check(model)
    assert str(caught.value).startswith(
        f"{path} gives wrong results on this machine: of its golden vectors, {result.same} of 26 have"
    )
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    ("altered", "message"),
    [
        (
            lambda vectors: {"inputs": vectors["inputs"], "outputs": vectors["outputs"][:-1]},
            "belong to another network",
        ),
        (lambda vectors: {**vectors, "outputs": vectors["outputs"].astype(np.float32)}, "belong to another network"),
        (lambda vectors: {**vectors, "inputs": vectors["inputs"][:, :20]}, "are damaged"),
        (lambda vectors: {**vectors, "inputs": vectors["inputs"][:0]}, "are damaged"),
        (lambda vectors: {"inputs": vectors["inputs"]}, "are damaged"),
    ],
)
def test_vectors_that_make_no_sense_are_one_line(altered: Altered, message: str, write: Write) -> None:
    with Classifier(write(altered)) as model, pytest.raises(CheckFailed, match=message) as caught:
        golden.check(model)
    assert "copy the file again" in str(caught.value)


def test_bytes_that_are_not_what_they_were(write: Write) -> None:
    path = write(lambda vectors: vectors)
    damage(path)
    with Classifier(path) as model, pytest.raises(CheckFailed, match="its golden vectors are damaged"):
        golden.replay(model)


def test_a_model_without_a_card_has_none(tmp_path: Path, classifier: Classifier) -> None:
    path = tmp_path / "mine.tflite"
    path.write_bytes(classifier.model.flatbuffer)
    with Classifier(path) as model:
        assert golden.replay(model) is None
        assert golden.check(model) is None


def damage(path: Path) -> None:
    """Flip a byte of the golden vectors in a model file."""
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("golden.npz").header_offset
    data = bytearray(path.read_bytes())
    data[at + 200] ^= 0xFF
    path.write_bytes(data)
