"""The pictures that readers are compared on: what they hold, a part of a folder, and generated ones."""

import json
from pathlib import Path

import pytest

from benchmarks.accuracy.truth import Truth
from benchmarks.peers.readers import pictures
from benchmarks.peers.readers.catalog import DIGIT, LINE, PAGE
from edge_runtime.errors import OptionError
from train.conditions import CONDITIONS


@pytest.mark.parametrize(
    ("lines", "kind"),
    [([("12",), ("3",)], LINE), ([("1",), ("3",)], DIGIT), ([("12",), ()], PAGE), ([("12", "3")], PAGE)],
)
def test_the_truth_says_what_pictures_hold(lines: list[tuple[str, ...]], kind: str) -> None:
    assert pictures.kind_of([Truth(file=str(i), lines=each) for i, each in enumerate(lines)]) == kind


def test_all_pictures_of_a_folder_are_read(samples: Path) -> None:
    (whole,) = pictures.of_folders([samples])
    assert (whole.name, whole.kind, len(whole.pictures)) == ("samples", PAGE, 3)
    assert whole.pictures[0].load().ndim in (2, 3)


def test_the_sample_of_a_folder_never_changes(tmp_path: Path) -> None:
    rows = [json.dumps({"file": f"{number}.png", "lines": ["12"]}) for number in range(50)]
    (tmp_path / "truth.jsonl").write_text("\n".join(rows))
    (part,), (again,) = (pictures.of_folders([tmp_path], 10) for _ in range(2))
    names = [each.name for each in part.pictures]
    assert names == [each.name for each in again.pictures]
    assert len(set(names)) == 10
    assert names != [f"{number}.png" for number in range(10)]
    assert names == sorted(names, key=lambda name: int(name.removesuffix(".png")))


def test_two_folders_of_one_name_are_refused(samples: Path) -> None:
    with pytest.raises(OptionError, match="two folders are named samples"):
        pictures.of_folders([samples, samples])


def test_generated_pages_have_every_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CONDITIONS", dict.fromkeys(list(CONDITIONS)[:2]))
    pages = pictures.generated(2, 1)
    assert (pages.kind, len(pages.pictures)) == (PAGE, 8)
    assert {each.group for each in pages.pictures} == {"severity 1", "severity 3"}
    assert all(each.lines and "".join(each.lines).isdecimal() for each in pages.pictures)
    assert len({each.load().tobytes() for each in pages.pictures}) == 8
