"""What keeps the reading line simple: few ways between its modules, none of them back, and few numbers in it."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from edge_runtime import DigitReader, vision
from edge_runtime.records import Frame
from edge_runtime.sources.pictures import load

LINE = ("edge_runtime.vision.", "edge_runtime.reader", "edge_runtime.classifier")
MOST_PAIRS = 15
MOST_NUMBERS = 50
PLAIN = (0, 1, 2, 255)
# Lines whose numbers could not be others, or would not be with the same method: by module, a part of the line, and why.
STRUCTURE = {
    "glyphs": {".reshape(-1, 4)": "the columns of a box"},
    "merges": {".reshape(-1, 4)": "the columns of a box"},
    "normalize": {
        "SIDE = 28": "the side of the network's field",
        "INNER = 20": "the side of the box of ink in it",
        "CENTER = 14": "the middle of the field",
        "columns = 16 * ": "the bytes that rows are aligned to",
        " += 0.5 - ": "half of a gray level, to round",
        "np.ones((3, 3)": "a pixel and its neighbors",
    },
    "planes": {
        "VGA = 640 * 480": "the pixels of VGA",
        "MEDIAN_DIFFERENCE = ": "a property of the normal distribution",
        ".ndim == 3": "the axes of a color picture",
    },
    "regions": {
        "np.ones((3, 3)": "a pixel and its neighbors",
        "np.zeros((0, 4)": "the columns of a box",
        ".reshape(-1, 5)": "the columns of a box, and its number",
    },
    "splits": {
        "WALL = ": "more than any cut may cost",
        "(np.arange(rows) + 0.5)": "the middles of pixels",
        "(path + 0.5)": "the middles of pixels",
        "np.arange(columns) + 0.5": "the middles of pixels",
        "for _ in range(4)": "four arrays",
    },
}


def called(run: Callable[[], object]) -> set[tuple[str, str]]:
    """Return which modules of the line call which others while this runs, by their names."""
    pairs: set[tuple[str, str]] = set()

    def module(frame: FrameType | None) -> str | None:
        name = frame.f_globals.get("__name__", "") if frame else ""
        return str(name) if name.startswith(LINE) else None

    def profile(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            caller, callee = module(frame.f_back), module(frame)
            if caller and callee and caller != callee:
                pairs.add((caller, callee))

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(before)
    return pairs


def cyclic(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the pairs that are left when modules that call none of the others are taken away again and again."""
    left = set(pairs)
    while ends := {callee for _, callee in left} - {caller for caller, _ in left}:
        left = {(caller, callee) for caller, callee in left if callee not in ends}
    return left


def test_few_modules_call_each_other(reader: DigitReader, samples: Path) -> None:
    frame = load(samples / "paper.jpg")
    reader.trace(frame)  # whatever is made on first use
    pairs = called(lambda: reader.trace(Frame(frame.pixels)))
    listed = "\n".join(f"{caller} -> {callee}" for caller, callee in sorted(pairs))
    assert ("edge_runtime.reader", "edge_runtime.vision.planes") in pairs, listed
    assert not [pair for pair in pairs if pair[1] == "edge_runtime.reader"], listed
    assert not cyclic(pairs), listed
    assert len(pairs) <= MOST_PAIRS, f"{len(pairs)} ways between modules:\n{listed}"


def test_a_cycle_is_seen() -> None:
    chain = {("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")}
    assert cyclic(chain) == set()
    assert cyclic(chain | {("c", "a")}) == {("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")}


def numbers(source: str) -> list[tuple[int, float]]:
    """Return the line and value of every number in a source that might be another one.

    Those that are PLAIN could not, nor could an index or a bound of a slice: it names columns. A step of one could.
    """
    tree = ast.parse(source)
    indices: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            at = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            indices.update(at)
            indices.update(
                bound for part in at if isinstance(part, ast.Slice) for bound in (part.lower, part.upper) if bound
            )
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node not in indices:
            found.append((node.lineno, float(node.value)))
    return sorted((line, value) for line, value in found if value not in PLAIN)


def test_every_number_is_counted() -> None:
    source = "A, B = 0.5, (-1, 20)  # 30\nC = x[3:, 4][5][::6] + 255 - True\nD = x[7 * y]\n"
    assert numbers(source) == [(1, 0.5), (1, 20), (2, 6), (3, 7)]


def test_few_numbers_are_tuned() -> None:
    listed = []
    for path in sorted(Path(vision.__path__[0]).glob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines, fixed = source.splitlines(), STRUCTURE.get(path.stem, {})
        assert [part for part in fixed if part not in source] == [], f"{path.name} no longer holds these"
        for number, value in numbers(source):
            line = lines[number - 1].strip()
            if not any(part in line for part in fixed):
                listed.append(f"{path.name}:{number}: {value:g}   {line[:80]}")
    assert len(listed) <= MOST_NUMBERS, f"{len(listed)} numbers:\n" + "\n".join(listed)
