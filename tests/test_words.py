"""Names in the code are the terms of the glossary in docs/architecture.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builds import ROOT

PACKAGES = ("edge_runtime", "train", "convert", "benchmarks", "deploy")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MOST_WORDS = 8  # in the name of a test
# What a word means literally, or what users have known it as.
LITERALLY = {("objects.py", "note"), ("objects.py", "NOTES"), ("options.py", "steady")}


def avoided() -> set[str]:
    """Return the words on the left of the glossary."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("| not | but |")[1].split("\n\n")[0]
    return {word for row in table.splitlines()[2:] for word in row.split("|")[1].strip().split(", ")}


def names(tree: ast.AST) -> Iterator[str]:
    """Yield what a module gives a name to."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


def words(name: str) -> set[str]:
    """Return the words of a name, in lower case and without the s of a plural, and the name itself."""
    parts = re.findall(r"[a-z]+", re.sub("([A-Z]+)", r"_\1", name).lower())
    return {name.lower(), *parts, *(part.removesuffix("s") for part in parts)}


def test_the_glossary_says_what_not_to_call_things() -> None:
    assert {"mark", "found", "told", "given", "looks", "calm", "room", "heart", "patience", "spoil"} <= avoided()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("_notes", {"notes", "note"}), ("BadMarks", {"bad", "mark"}), ("taken_apart", {"taken_apart"})],
)
def test_words_of_names_are_seen(name: str, expected: set[str]) -> None:
    assert expected <= words(name)


def test_no_name_has_an_avoided_word() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in FILES
        for name in names(ast.parse(path.read_text(encoding="utf-8")))
        if words(name) & avoided() and (path.name, name) not in LITERALLY
    }
    assert sorted(wrong) == []


def test_no_file_has_an_avoided_word() -> None:
    assert [str(path) for path in FILES if words(Path(path).stem) & avoided()] == []


def test_names_of_tests_are_short_and_unique() -> None:
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tests = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                 and node.name.startswith("test_")]  # fmt: skip
        assert [name for name in tests if name.removeprefix("test_").count("_") >= MOST_WORDS] == [], path
        assert len(tests) == len(set(tests)), path
