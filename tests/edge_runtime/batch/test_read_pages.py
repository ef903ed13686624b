import pickle
from pathlib import Path

import numpy as np
import pytest

from edge_runtime import DigitReader, ReadPages
from edge_runtime.batch.rows import COLUMNS
from edge_runtime.errors import ModelError, OptionError
from edge_runtime.records import Uint8
from tests.edge_runtime.batch import images as made


@pytest.fixture(scope="module")
def pngs(digits: tuple[Uint8, Uint8]) -> list[bytes]:
    """Return two pictures: of a 2, and of a 0."""
    images, labels = digits
    return [made.encoded(made.picture(images, labels.tolist().index(label))) for label in (2, 0)]


def objects(*values: object) -> np.ndarray:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def test_bytes_in_columns_out(pngs: list[bytes]) -> None:
    with ReadPages() as read_pages:
        rows = read_pages({"page": np.array(["a", "b", "c"]), "image": objects(*pngs, b"seven")})
    assert tuple(rows) == COLUMNS
    assert {(column.dtype, column.shape) for column in rows.values()} == {(np.dtype(object), (3,))}
    assert rows["text"].tolist() == [["2"], ["0"], []]
    assert rows["page"].tolist() == ["a", "b", "c"]
    assert rows["source"].tolist() == ["", "", ""]
    assert rows["error"].tolist() == [None, None, "not a picture that Pillow can read"]


def test_pixels_are_read_like_files(reader: DigitReader, samples: Path) -> None:
    from edge_runtime.sources import pictures

    frame = pictures.load(samples / "paper.jpg")
    color = frame.pixels if frame.pixels.ndim == 3 else np.dstack([frame.pixels] * 3)
    with ReadPages() as read_pages, ReadPages(rgb=True) as other:
        plain = read_pages({"page": ["a", "b"], "image": np.stack([color, color])})  # uint8 (2, H, W, 3)
        swapped = other({"page": ["a"], "image": [color[..., ::-1]]})
    assert plain["text"].tolist() == [list(reader.read(frame).text)] * 2
    assert swapped["digits"][0] == plain["digits"][0]


def test_cells_that_are_no_pictures(pngs: list[bytes]) -> None:
    cells = [None, {"bytes": pngs[0]}, {"path": "x"}, "text", np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), 7]
    with ReadPages() as read_pages:
        rows = read_pages({"page": range(len(cells)), "image": objects(*cells)})
    assert rows["text"][1] == ["2"]
    assert rows["error"].tolist() == [
        "no picture: null", None, "no picture: null", "neither bytes nor uint8 pixels, but str of <U4",
        "neither bytes nor uint8 pixels, but ndarray of float64",
        "a frame must be uint8 (H, W) or (H, W, 3), not uint8 (4, 4, 4)",
        "neither bytes nor uint8 pixels, but int of int64",
    ]  # fmt: skip


def test_other_columns_are_kept(pngs: list[bytes]) -> None:
    batch = {"page": ["a"], "image": objects(pngs[0]), "truth": np.array([[2, 2]]), "source": ["x.zip"], "text": ["?"]}
    with ReadPages() as read_pages:
        rows = read_pages(batch)
    assert rows["truth"][0].tolist() == [2, 2]
    assert (rows["source"][0], rows["text"][0]) == ("x.zip", ["2"])
    assert "image" not in rows


def test_an_empty_batch_has_all_columns() -> None:
    with ReadPages() as read_pages:
        assert {name: len(column) for name, column in read_pages({"page": [], "image": []}).items()} == dict.fromkeys(
            COLUMNS, 0
        )


def test_a_missing_column_is_named() -> None:
    with pytest.raises(OptionError, match=r"^a batch needs the columns page and image, but has id, image$"):
        ReadPages()({"id": [1], "image": [b""]})


def test_it_is_sent_to_other_processes(pngs: list[bytes]) -> None:
    batch = {"page": ["a"], "image": objects(pngs[0])}
    with ReadPages(turn=0, check="never") as read_pages:
        rows = read_pages(batch)
        data = pickle.dumps(read_pages)  # with its reader open
    assert len(data) < 1000
    with pickle.loads(data) as copy:
        assert copy(batch)["digits"][0] == rows["digits"][0]
        assert copy.reader.turn == 0


def test_a_missing_model_is_an_error(tmp_path: Path) -> None:
    read_pages = ReadPages(tmp_path / "none.tflite")  # opens nothing yet
    with pytest.raises(ModelError, match="cannot read the model"):
        read_pages({"page": [], "image": []})


def test_a_table_of_pandas(pngs: list[bytes]) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"page": ["a", "b"], "image": pngs, "truth": [2, 0]}, index=[5, 6])
    with ReadPages() as read_pages:
        rows = pd.DataFrame(read_pages(frame), index=frame.index)
    assert rows["text"].str.join("").astype(int).tolist() == rows["truth"].tolist()
    assert rows.loc[6, "digits"][0]["label"] == "0"
    assert rows["error"].isna().all()
