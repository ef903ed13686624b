import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import Classifier
from edge_runtime.errors import ModelError, OptionError
from edge_runtime.inference import model_file
from edge_runtime.inference.interpreter import Scores
from edge_runtime.records import Uint8

# How far a score may be off in a batch: kernels for ARM round there otherwise than for one digit.
UNITS = 0 if platform.machine() == "x86_64" else 1


def furthest(scores: Scores, expected: Scores) -> int:
    return int(np.abs(scores.astype(int) - expected).max(initial=0))


def test_the_shipped_model_knows_its_training_digits(classifier: Classifier, digits: tuple[Uint8, Uint8]) -> None:
    images, labels = digits
    assert classifier.labels == (*"0123456789", "not a digit")
    assert classifier.digits == 10
    assert np.mean(classifier.scores(images).argmax(axis=1) == labels) >= 0.99


def test_the_golden_vectors_come_out_again(classifier: Classifier) -> None:
    golden = classifier.model.golden()
    inputs, expected = golden["inputs"], golden["outputs"]
    scores = classifier.scores(inputs)
    assert len(inputs) >= 20
    assert scores.dtype == expected.dtype == np.int8
    assert np.abs(scores.astype(int) - expected).max() <= 2
    # Of digits; the pictures of nothing behind them may lie between two labels.
    assert np.array_equal(scores[:20].argmax(axis=1), expected[:20].argmax(axis=1))
    assert np.array_equal(expected[:20].argmax(axis=1), np.repeat(np.arange(10), 2))


def test_confidences_are_a_softmax_of_the_dequantized_scores(
    classifier: Classifier, digits: tuple[Uint8, Uint8]
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=classifier.model.flatbuffer)
    scale, zero = interpreter.get_output_details()[0]["quantization"]
    logits = (classifier.scores(digits[0]).astype(np.float64) - zero) * scale
    powers = np.exp(logits)
    confidences = classifier.confidences(digits[0])
    assert confidences.dtype == np.float64
    assert confidences == pytest.approx(powers / powers.sum(axis=1, keepdims=True), rel=1e-9, abs=1e-300)
    assert confidences.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 40])
def test_batches_give_the_same_as_single_digits(
    classifier: Classifier, digits: tuple[Uint8, Uint8], count: int
) -> None:
    images = digits[0][3::5][:count]
    scores = classifier.scores(images)
    assert scores.shape == (count, 11)
    for image, expected in zip(images, scores, strict=True):
        assert furthest(classifier.scores(image[None])[0], expected) <= UNITS
    assert classifier.confidences(images).shape == (count, 11)


def test_scores_are_the_caller_s_own(classifier: Classifier, digits: tuple[Uint8, Uint8]) -> None:
    first = classifier.scores(digits[0][:1])
    before = first.copy()
    classifier.scores(digits[0][100:101])
    assert np.array_equal(first, before)


def test_pictures_need_not_be_contiguous(classifier: Classifier, digits: tuple[Uint8, Uint8]) -> None:
    mirrored = digits[0][:20:2, :, ::-1]
    expected = classifier.scores(np.ascontiguousarray(mirrored))
    assert np.array_equal(classifier.scores(mirrored), expected)
    assert np.array_equal(classifier.scores(np.asfortranarray(mirrored)), expected)
    assert np.array_equal(classifier.scores(mirrored[:1]), expected[:1])


def test_more_threads_give_the_same_scores(classifier: Classifier, digits: tuple[Uint8, Uint8]) -> None:
    with Classifier(threads=2) as threaded:
        assert np.array_equal(threaded.scores(digits[0]), classifier.scores(digits[0]))


def test_callers_on_many_threads_get_their_own_answers(digits: tuple[Uint8, Uint8]) -> None:
    images = digits[0]
    with Classifier() as classifier, ThreadPoolExecutor(8) as pool:
        expected = classifier.scores(images)
        parts = [np.arange(start, start + size) % 200 for start in range(0, 200, 5) for size in (1, 2, 16, 23)]
        for part, scores in zip(parts, pool.map(lambda part: classifier.scores(images[part]), parts), strict=True):
            assert furthest(scores, expected[part]) <= UNITS


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 28, 28), np.float32),
        np.zeros((1, 28, 28), np.int8),
        np.zeros((28, 28), np.uint8),
        np.zeros((1, 784), np.uint8),
        np.zeros((1, 28, 28, 1), np.uint8),
        np.zeros((1, 28, 27), np.uint8),
        np.zeros((), np.uint8),
    ],
    ids=lambda images: f"{images.dtype}{images.shape}",
)
def test_pictures_of_another_type_or_shape_are_refused(classifier: Classifier, images: Uint8) -> None:
    with pytest.raises(ValueError, match=r"images must be uint8 \(N, 28, 28\), not"):
        classifier.scores(images)


def test_after_close_there_is_only_an_error() -> None:
    classifier = Classifier()
    classifier.scores(np.zeros((20, 28, 28), np.uint8))
    classifier.close()
    classifier.close()
    for count in (0, 1, 20):
        with pytest.raises(ValueError, match="the classifier is closed"):
            classifier.scores(np.zeros((count, 28, 28), np.uint8))


def test_leaving_the_block_closes() -> None:
    with Classifier() as classifier:
        pass
    with pytest.raises(ValueError, match="the classifier is closed"):
        classifier.confidences(np.zeros((1, 28, 28), np.uint8))


@pytest.mark.parametrize("threads", [0, -1])
def test_there_must_be_a_thread(threads: int) -> None:
    with pytest.raises(OptionError, match=f"threads must be at least 1, not {threads}"):
        Classifier(threads=threads)


def test_labels_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("null\neins\nzwei\ndrei\nvier\nfünf\nsechs\nsieben\nacht\nneun\n", encoding="utf-8")
    with Classifier(labels=path) as classifier:
        assert classifier.labels[5] == "fünf"
        assert classifier.labels[10:] == ("not a digit",)


def test_labels_that_do_not_fit_the_model(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("yes\nno\n")
    with pytest.raises(OptionError, match=r"has 11 classes, but there are 2 labels: .*\(--labels\)"):
        Classifier(labels=path)


def test_labels_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"cannot read the labels .*none\.txt: .*No such file"):
        Classifier(labels=tmp_path / "none.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(OptionError, match="cannot read the labels"):
        Classifier(labels=tmp_path / "binary")


@pytest.mark.parametrize("kind", [str, Path])
def test_a_model_is_named_by_its_path(kind: type[str] | type[Path], classifier: Classifier) -> None:
    with Classifier(kind(model_file.SHIPPED)) as named:
        assert named.model.sha256 == classifier.model.sha256


def test_the_bare_network_of_the_model_runs_unverified(
    tmp_path: Path, classifier: Classifier, digits: tuple[Uint8, Uint8]
) -> None:
    path = tmp_path / "bare.tflite"
    path.write_bytes(classifier.model.flatbuffer)
    with Classifier(path) as bare:
        assert not bare.model.verified
        assert np.array_equal(bare.scores(digits[0]), classifier.scores(digits[0]))
        assert np.array_equal(bare.confidences(digits[0]), classifier.confidences(digits[0]))


@pytest.mark.parametrize("keep", [8, 1000, 300_000])
def test_a_network_cut_short_is_refused(tmp_path: Path, classifier: Classifier, keep: int) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(classifier.model.flatbuffer[:keep])
    with pytest.raises(ModelError, match=r"cut\.tflite cannot be loaded: "):
        Classifier(path)


def test_the_interpreter_says_nothing_on_standard_error() -> None:
    code = "import numpy, edge_runtime as e; c = e.Classifier(); c.scores(numpy.zeros((9, 28, 28), 'uint8'))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=Path(model_file.__file__).parents[2]
    )
    assert done.stderr == b""
