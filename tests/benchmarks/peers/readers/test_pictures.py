"""The pictures that readers are compared on: what they hold, a part of a folder, and generated ones."""

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


def test_the_sample_of_a_folder_never_changes(samples: Path) -> None:
    (whole,), (part,), (again,) = (pictures.of_folders([samples], at_most) for at_most in (None, 2, 2))
    assert (whole.name, whole.kind, len(whole.pictures)) == ("samples", PAGE, 3)
    assert [each.name for each in part.pictures] == [each.name for each in again.pictures]
    assert len(part.pictures) == 2
    assert {each.name for each in part.pictures} < {each.name for each in whole.pictures}
    assert part.pictures[0].load().ndim in (2, 3)


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
