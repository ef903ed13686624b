"""truth.jsonl: what it says, and one clear line on whatever is wrong with it."""

import json
from pathlib import Path

import pytest

from benchmarks.accuracy.truth import Truth, parse, printable, read
from edge_runtime.errors import OptionError

BEYOND = "JSON that Python cannot read"
LINES = '"lines" must be a list of strings of digits, such as ["2024", "17"], or [] without digits'
FILE = '"file" must be the name of a picture'


def refused(folder: Path, data: bytes, group: str | None = None) -> str:
    (folder / "truth.jsonl").write_bytes(data)
    with pytest.raises(OptionError) as caught:
        read(folder, group)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(folder / "truth.jsonl"))


def test_every_line_is_a_picture(tmp_path: Path) -> None:
    rows = [
        {
            "file": "a.jpg",
            "lines": ["12", "3"],
            "tier": "core",
            "conditions": "pencil",
            "tags": ["thin"],
            "size": [3, 4],
        },
        {"file": "deep/ü b.png", "lines": [], "category": "scene", "tier": None, "tags": None},
        {"file": "c.jpg", "lines": ["0"]},
    ]
    text = "\r\n".join(json.dumps(row) for row in rows)
    (tmp_path / "truth.jsonl").write_text(f"\ufeff\n{text}\n\n  \n", encoding="utf-8")
    a = Truth(file="a.jpg", lines=("12", "3"), tier="core", conditions="pencil", tags=("thin",))
    b, c = Truth(file="deep/ü b.png", lines=(), category="scene"), Truth(file="c.jpg", lines=("0",))
    assert read(tmp_path) == [a, b, c]
    assert read(tmp_path, "core") == [a]
    assert read(tmp_path, "scene") == [b]
    assert [row.group for row in (a, b, c)] == ["core", "scene", ""]


def test_a_line_end_within_a_text_is_none(tmp_path: Path) -> None:
    (tmp_path / "truth.jsonl").write_text('{"file": "a\u2028b.png", "lines": []}', encoding="utf-8")
    assert [row.file for row in read(tmp_path)] == ["a\u2028b.png"]


def test_category_counts_where_there_are_no_digits() -> None:
    both = '"tier": "core", "category": "scene"'
    assert parse(f'{{"file": "a", "lines": ["1"], {both}}}').group == "core"
    assert parse(f'{{"file": "a", "lines": [], {both}}}').group == "scene"
    assert parse('{"file": "a", "lines": [], "tier": "core"}').group == "core"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{oops", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        ('{"file": "a", "lines": []', "not JSON: Expecting ',' delimiter at column 26"),
        ('{"file": "a", "lines": []}{}', "not JSON: Extra data at column 27"),
        ("[" * 100_000, BEYOND),
        ('{"file": ' + "9" * 5000 + "}", BEYOND),
        ("[1]", 'not a JSON object such as {"file": "page.jpg", "lines": ["2024"]}'),
        ("null", 'not a JSON object such as {"file": "page.jpg", "lines": ["2024"]}'),
        ('{"lines": []}', '"file" is missing'),
        ('{"file": "a"}', '"lines" is missing'),
        ('{"file": null, "lines": []}', FILE),
        ('{"file": 3, "lines": []}', FILE),
        ('{"file": "", "lines": []}', FILE),
        ('{"file": "a\\u0000", "lines": []}', FILE),
        ('{"file": "\\ud800", "lines": []}', FILE),
        ('{"file": "a", "lines": null}', LINES),
        ('{"file": "a", "lines": "12"}', LINES),
        ('{"file": "a", "lines": [12]}', LINES),
        ('{"file": "a", "lines": {"1": "2"}}', LINES),
        ('{"file": "a", "lines": [""]}', LINES),
        ('{"file": "a", "lines": ["1 2"]}', LINES),
        ('{"file": "a", "lines": ["12\\n"]}', LINES),
        ('{"file": "a", "lines": ["1O"]}', LINES),
        ('{"file": "a", "lines": ["\\u0663"]}', LINES),  # a digit three, in Arabic
        ('{"file": "a", "lines": [], "tags": "x"}', '"tags" must be a list of strings'),
        ('{"file": "a", "lines": [], "tags": [1]}', '"tags" must be a list of strings'),
        ('{"file": "a", "lines": [], "tier": 1}', '"tier" must be a string'),
        ('{"file": "a", "lines": [], "category": []}', '"category" must be a string'),
        ('{"file": "a", "lines": [], "conditions": false}', '"conditions" must be a string'),
    ],
)
def test_wrong_line_is_named(line: str, message: str, tmp_path: Path) -> None:
    good = '{"file": "good.png", "lines": ["1"]}\n\n'
    assert refused(tmp_path, f"{good}{line}\n".encode()) == f", line 3: {message}"


def test_a_picture_may_stand_there_once(tmp_path: Path) -> None:
    row = b'{"file": "a\\u001b.png", "lines": []}\n'
    assert refused(tmp_path, row + b"\n" + row) == r", line 3: a\x1b.png is in line 1 already"


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b" \r\n\t\n"])
def test_empty_file(data: bytes, tmp_path: Path) -> None:
    assert refused(tmp_path, data) == " is empty: expected a line for each picture"


def test_not_utf8(tmp_path: Path) -> None:
    assert refused(tmp_path, b'{"file": "\xe9"}') == " is not UTF-8: invalid continuation byte at byte 10"


def test_unknown_tier_lists_those_there_are(tmp_path: Path) -> None:
    rows = b'{"file": "a", "lines": ["1"], "tier": "hard"}\n{"file": "b", "lines": [], "category": "\\u001bscene"}\n'
    known = r"has no tier or category 'core'; known: \x1bscene, hard"
    assert refused(tmp_path, rows, "core") == f" {known}"
    assert refused(tmp_path, b'{"file": "a", "lines": []}', "").endswith("has no tier or category ''; known: none")


def test_no_truth(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"truth\.jsonl, which lists the digits of each picture: No such file"):
        read(tmp_path)
    (tmp_path / "truth.jsonl").mkdir()
    with pytest.raises(OptionError, match="Is a directory"):
        read(tmp_path)


def test_printable_is_one_line_that_steers_nothing() -> None:
    assert printable("é 12, ok.") == "é 12, ok."
    assert printable("a\nb\x1b[31m\u202ec\ud800\0") == r"a\nb\x1b[31m\u202ec\ud800\x00"


def test_example_in_the_documents_is_accepted(tmp_path: Path) -> None:
    document = Path(__file__).parents[3] / "docs" / "your-own-pages.md"
    example = document.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    (tmp_path / "truth.jsonl").write_text(example, encoding="utf-8")
    assert [row.group for row in read(tmp_path)] == ["pen", "pencil", "no digits"]
    assert [row.lines for row in read(tmp_path)] == [("1572", "43890"), ("0123456789",), ()]
